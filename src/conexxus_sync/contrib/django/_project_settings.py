"""
The settings `CONEXXUS` of a Django project, and which store it has without a setting.
"""

from pathlib import Path
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from conexxus_client import ConfigurationError
from conexxus_client.settings import Document, Settings


_OF_THE_DRIVER = ("prepare_threshold", "autocommit")


def framework_settings() -> Document:
    """
    What the project says, by the keys of the settings file; `store` is
    derived of DATABASES where nothing says it.

    Raises:
        ConfigurationError: The store has to be named.
    """
    given = dict(getattr(settings, "CONEXXUS", {}))
    document = Document("settings.CONEXXUS", given)

    if not Settings.of(framework=document).get("CONEXXUS_STORE"):
        given["store"] = _default_store()

    return document


def _default_store() -> str:
    """
    The project's own database if that is PostgreSQL, in a schema of the SDK's
    own; else a file beside the project.
    """
    if url := database_url(DEFAULT_DB_ALIAS):
        return url

    folder = getattr(settings, "BASE_DIR", None)

    if folder is None:
        msg = (
            "CONEXXUS_STORE is not configured: give CONEXXUS['store'] in the settings, or BASE_DIR"
        )
        raise ConfigurationError([msg])

    return f"sqlite:///{Path(folder).resolve() / 'conexxus.db'}"


def database_url(alias: str) -> str | None:
    """
    What CONEXXUS_STORE says of a database of the project; None if it is no PostgreSQL.
    """
    database = connections[alias]

    if database.vendor != "postgresql":
        return None

    return _postgres_url(database.get_connection_params())


def _postgres_url(parameters: dict[str, object]) -> str:
    """
    The URL of the connection that *parameters* of libpq describe; the rest is for
    the driver.
    """
    texts = {
        name: str(value)
        for name, value in parameters.items()
        if isinstance(value, str | int) and name not in _OF_THE_DRIVER
    }
    name = quote(texts.pop("dbname", ""), safe="")

    return f"postgresql:///{name}?{urlencode(texts, quote_via=quote)}"
