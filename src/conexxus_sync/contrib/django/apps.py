"""
The app, for INSTALLED_APPS, and its system checks.
"""

from collections.abc import Callable, Iterator

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.signals import setting_changed
from django.db.models.signals import post_migrate

from conexxus_client import ConfigurationError
from conexxus_client.settings import SETTINGS, Settings
from conexxus_sync.config import SyncConfig
from conexxus_sync.service._engines import client_from_env
from conexxus_sync.service._host_objects import catalog_storage, host_object, order_source

from ._process_service import forget_service, migrate_store
from ._project_settings import framework_settings


class ConexxusConfig(AppConfig):
    """
    Checks the settings at start, and migrates the store with the project.
    """

    name = "conexxus_sync.contrib.django"
    label = "conexxus"
    verbose_name = "Conexxus"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(check_settings)
        post_migrate.connect(migrate_store, sender=self)
        # Tests override settings.
        setting_changed.connect(forget_service)


def check_settings(**_: object) -> list[CheckMessage]:
    """
    Make what a service is made of, without a store and without a call.
    """
    return [
        Error(problem, hint=_hint(problem), id="conexxus.E001")
        for problem in dict.fromkeys(_problems())
    ]


def _hint(problem: str) -> str | None:
    """
    The key of CONEXXUS for the variable that *problem* asks for.
    """
    key = next((it.key for it in SETTINGS if problem.startswith(f"{it.variable} ")), None)
    return None if key is None else f"Or give {key!r} in CONEXXUS, in the settings of the project."


def _problems() -> Iterator[str]:
    try:
        settings = Settings.of(framework=framework_settings())
        config = SyncConfig.from_env(settings)
    except ConfigurationError as exc:
        yield from exc.problems
        return

    steps: list[Callable[[], object]] = [
        lambda: client_from_env(settings, None),
        lambda: host_object(settings, config, catalog_storage),
        lambda: host_object(settings, config, order_source),
    ]

    for step in steps:
        try:
            step()
        except ConfigurationError as exc:
            yield from exc.problems
