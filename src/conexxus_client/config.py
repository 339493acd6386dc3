"""
The client's settings, the profile of the API, and environment variables.
"""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import attrs

from ._config_validation import GIB, config_problems, origin_of
from ._config_validation import is_loopback as is_loopback
from ._redaction import SecretRedactor
from .errors import ConfigurationError


# The longest number that any setting takes: int() takes its time on some.
_MAX_DIGITS = 8

# A shorter key protects nothing, and occurs in ordinary text.
MIN_REDACTED_LENGTH = 6


class Secret:
    """
    A text that shows itself only when asked to.

    It is in no repr, no str, and does not pickle.
    """

    __slots__ = ("_redactor", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._redactor = SecretRedactor(text)

    def reveal(self) -> str:
        """
        The text itself, for the wire.
        """
        return self._text

    def redact(self, text: str) -> str:
        """
        *text* without the secret, however it is capitalised or escaped.
        """
        return text if len(self._text) < MIN_REDACTED_LENGTH else self._redactor.redact(text)

    def redact_bytes(self, data: bytes) -> bytes:
        """
        The same for what came over the wire.
        """
        if len(self._text) < MIN_REDACTED_LENGTH:
            return data

        text = data.decode("latin-1")
        redacted = self.redact(text)

        return data if redacted == text else redacted.encode("latin-1")

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        msg = "a secret does not pickle; pass it to the other process yourself"
        raise TypeError(msg)


def _optional_path(value: "Path | str | None") -> Path | None:
    return None if value is None else Path(value)


def _secret(value: "Secret | str") -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ConfigurationError(["CONEXXUS_API_KEY must be a text"])

    return Secret(value)


@attrs.frozen(kw_only=True)
class ClientConfig:
    """
    Where the back office is, and how patient we are with it.

    Attributes:
        api_url: Base URL, http or https; http only to loopback unless
            `allow_insecure`.
        api_key: Visible ASCII; kept secret.
        timeout_ms: Wall clock of one attempt of a small call; for the
            catalogue, from connecting to headers, and each stall.
        retries: After the first attempt.
        retry_delay_ms: Retry n waits this times 2^(n-1), plus jitter of at
            most a quarter of it.
        proxy: Explicit proxy; the environment's are ignored.
        client_cert_file: Our own certificate, with its chain, in PEM format;
            the key beside it, or in `client_key_file`.
        max_connections: At most so many at a time; further calls wait.
        max_catalog_bytes: How large a page of the catalogue may become.

    Raises:
        ConfigurationError: Naming all problems at once.
    """

    api_url: str
    api_key: Secret = attrs.field(converter=_secret)
    timeout_ms: int = 30_000
    retries: int = 3
    retry_delay_ms: int = 1_000
    location_id: str = "default"
    allow_insecure: bool = False
    ca_file: Path | None = attrs.field(default=None, converter=_optional_path)
    proxy: str | None = attrs.field(default=None, repr=False)
    http_backend: Literal["httpx", "httpx2"] = "httpx"
    client_cert_file: Path | None = attrs.field(default=None, converter=_optional_path)
    client_key_file: Path | None = attrs.field(default=None, converter=_optional_path)
    max_catalog_bytes: int = GIB
    max_connections: int = 32

    def __attrs_post_init__(self) -> None:
        problems = list(config_problems(attrs.asdict(self, recurse=False)))

        if problems:
            raise ConfigurationError(problems)

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, allow_insecure: bool = False
    ) -> "ClientConfig":
        """
        Read the documented variables; an empty one counts as not set.

        Raises:
            ConfigurationError: Naming all problems at once, without secrets.
        """
        env = Environment(os.environ if environ is None else environ)
        env.read("CONEXXUS_API_URL", "api_url", required=True)
        env.read("CONEXXUS_API_KEY", "api_key", Secret, required=True)
        env.read("CONEXXUS_TIMEOUT", "timeout_ms", milliseconds)
        env.read("CONEXXUS_RETRIES", "retries", count)
        env.read("CONEXXUS_RETRY_DELAY", "retry_delay_ms", milliseconds)
        env.read("LOCATION_ID", "location_id")
        env.read("CONEXXUS_ALLOW_INSECURE", "allow_insecure", flag)
        env.read("CONEXXUS_CA_FILE", "ca_file", Path)
        env.read("CONEXXUS_PROXY", "proxy")
        env.read("CONEXXUS_HTTP_BACKEND", "http_backend")
        env.values.setdefault("allow_insecure", allow_insecure)
        problems = [*env.problems, *config_problems(env.values)]

        if problems:
            raise ConfigurationError(problems)

        return cls(**env.values)

    @property
    def origin(self) -> str:
        """
        Scheme, host and port: the only one that is ever spoken to.
        """
        return origin_of(self.api_url)


@attrs.frozen(kw_only=True)
class ApiProfile:
    """
    How this back office speaks.  The defaults are the documented contract.

    Attributes:
        catalog_query: Extra query parameters, like a location filter.
        etag_covers: Whether the ETag of a catalogue's page speaks for the
            whole `catalog`, or for that `page` alone: then each catalogue is
            read without a condition.
        next_link_scope: How far a link to the next page may lead: within the
            `path` of the base URL, or to all of its `origin`.
        sales_mode: `append`, or `replace_day` where a second push for a
            date replaces the first.
        dedupe: How the server recognises a repeated batch: by `key`, by
            `transaction_id`, or not at all.
        key_ttl: How long it remembers a key.
        conflict_is_delivered: Whether 409 means "I have it already".
        unprocessed_statuses: Statuses of a push with which nothing was
            processed, for certain, like 503 of a server that is down for
            maintenance.
    """

    health_path: str = "/api/v1/health"
    catalog_path: str = "/api/v1/inventory/items"
    sales_path: str = "/api/v1/sales/push"
    api_key_header: str = "X-API-Key"
    idempotency_header: str = "Idempotency-Key"
    request_id_header: str = "X-Request-Id"
    cursor_parameter: str = "cursor"
    success_key: str = "success"
    data_key: str = "data"
    next_cursor_key: str = "nextCursor"
    total_key: str = "total"
    catalog_query: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    etag_covers: Literal["catalog", "page"] = "catalog"
    next_link_scope: Literal["path", "origin"] = "path"
    sales_mode: Literal["append", "replace_day"] = "append"
    dedupe: Literal["key", "transaction_id", "none"] = "key"
    key_ttl: timedelta = timedelta(hours=24)
    conflict_is_delivered: bool = False
    unprocessed_statuses: tuple[int, ...] = attrs.field(default=(), converter=tuple)


class Environment:
    """
    Reads environment variables and collects what is wrong with them.

    Attributes:
        values: What was set and could be read, by the name of the setting.
        problems: One sentence for each variable that could not.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []

    def read(
        self,
        variable: str,
        name: str,
        parse: Callable[[str], Any] = str,
        *,
        required: bool = False,
    ) -> None:
        """
        Read *variable* into `values[name]`.
        """
        text = self._environ.get(variable, "")

        if not text:
            if required:
                self.problems.append(f"{variable} is not configured")
            return

        try:
            self.values[name] = parse(text)
        except ValueError as exc:
            self.problems.append(f"{variable} {exc}")


def milliseconds(text: str) -> int:
    """
    Read a whole number of milliseconds.
    """
    return _whole(text, "must be a whole number of milliseconds")


def count(text: str) -> int:
    """
    Read a whole number.
    """
    return _whole(text, "must be a whole number from 0 to 100")


def _whole(text: str, expected: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        msg = f"{expected}, got {text[:40]!r}"
        raise ValueError(msg)

    return int(text)


def flag(text: str) -> bool:
    """
    Read `1` or `0`.
    """
    if text not in ("0", "1"):
        msg = f"must be 1 or 0, got {text[:40]!r}"
        raise ValueError(msg)

    return text == "1"
