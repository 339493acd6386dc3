"""
What CONEXXUS_STORE says of a PostgreSQL: the database, the schema, where the password is.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from conexxus_client import ConfigurationError
from conexxus_sync.errors import StoreError


SCHEMA = "conexxus"
STATEMENT_TIMEOUT_S = 600
MOST_CONNECTIONS = 10

_LONGEST_NAME = 63
_OURS = ("schema", "password_file", "statement_timeout", "connections")

_TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout")

# A peer that vanished is noticed within a minute, not after two hours.
_LIBPQ = {
    "application_name": "conexxus-sdk",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


@attrs.frozen(kw_only=True)
class PostgresAddress:
    """
    A database, and how it is used.

    Attributes:
        conninfo: For libpq; may hold the password.
        name: For people, without it.
        password_file: Read for each new connection.
        connections: How many are open at most, in one process.
    """

    conninfo: str = attrs.field(repr=False)
    name: str
    schema: str = SCHEMA
    password_file: Path | None = None
    connections: int = MOST_CONNECTIONS

    @property
    def server(self) -> tuple[object, ...]:
        """
        What connections depend on: all but the schema.
        """
        return self.conninfo, self.password_file, self.connections

    def with_password(self) -> str:
        """
        What libpq needs, with the password that the file has at the moment.

        Raises:
            StoreError: It can't be read.
        """
        if self.password_file is None:
            return self.conninfo

        try:
            password = self.password_file.read_text(encoding="utf-8").strip()
            return make_conninfo(self.conninfo, password=password)
        except (OSError, ValueError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no text"
            msg = f"the password file {self.password_file} can't be read: {why}"
            raise StoreError(msg) from exc

    def url(self) -> str:
        """
        The same for programs that take a URL, with the password of the moment.

        Raises:
            StoreError: The password file can't be read.
        """
        settings = conninfo_to_dict(self.with_password())
        names = [str(settings.pop(it, "") or "") for it in ("user", "password", "dbname")]
        user, password, database = (quote(it, safe="") for it in names)

        query = urlencode(settings, quote_via=quote)

        return f"postgresql://{user}:{password}@/{database}?{query}"

    @classmethod
    def parse(cls, url: str) -> "PostgresAddress":
        """
        Read `postgresql://user@host/database?sslmode=verify-full&schema=conexxus`.

        Besides libpq's own, it may have the keys `schema`, `password_file`,
        `statement_timeout` (seconds) and `connections`.

        Raises:
            ConfigurationError: Something of it can't be read; the password is
                not in the message.
        """
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        ours = {name: value for name, value in query if name in _OURS}
        rest = urlencode([pair for pair in query if pair[0] not in _OURS], quote_via=quote)

        try:
            # `urlunsplit` would leave out the slashes of `postgresql:///database`.
            settings = conninfo_to_dict(f"{parts.scheme}://{parts.netloc}{parts.path}?{rest}")
        except psycopg.ProgrammingError as exc:
            raise ConfigurationError([f"CONEXXUS_STORE: {_harmless(exc)}"]) from None

        timeout = _whole(ours, "statement_timeout", STATEMENT_TIMEOUT_S)
        limits = " ".join(f"-c {name}={timeout}s" for name in _TIMEOUTS)
        options = f"{limits} {settings.pop('options', '')}".strip()

        return cls(
            conninfo=make_conninfo("", **{**_LIBPQ, **settings, "options": options}),
            name=_name(parts.scheme, settings),
            schema=_schema(ours.get("schema", SCHEMA)),
            password_file=Path(ours["password_file"]) if "password_file" in ours else None,
            connections=_whole(ours, "connections", MOST_CONNECTIONS),
        )


def _schema(name: str) -> str:
    if not name or len(name.encode()) > _LONGEST_NAME or name.startswith("pg_"):
        msg = f"CONEXXUS_STORE: schema={name!r} is no name for a schema"
        raise ConfigurationError([msg])

    return name


def _whole(ours: dict[str, str], key: str, default: int) -> int:
    text = ours.get(key, str(default))

    if not (text.isascii() and text.isdigit() and int(text) > 0):
        msg = f"CONEXXUS_STORE: {key} must be a whole number, not {text!r}"
        raise ConfigurationError([msg])

    return int(text)


def _name(scheme: str, settings: Mapping[str, object]) -> str:
    user = f"{settings['user']}@" if settings.get("user") else ""
    port = f":{settings['port']}" if settings.get("port") else ""

    return f"{scheme}://{user}{settings.get('host', '')}{port}/{settings.get('dbname', '')}"


def _harmless(exc: psycopg.ProgrammingError) -> str:
    """
    libpq quotes what it can't read, and that may be a part of the password;
    only the name of a key is none.
    """
    said = " ".join(str(exc).split())
    key = re.fullmatch(r'(invalid URI query parameter: "\w+").*', said)

    return key[1] if key else said.partition(":")[0].partition('"')[0].strip()
