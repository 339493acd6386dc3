"""
The client's settings, the profile of the API, and environment variables.
"""

from collections.abc import Generator, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal, Protocol

import attrs

from ._config_validation import (
    GIB,
    config_problems,
    origin_of,
    profile_problems,
)
from ._config_validation import address_flaw as address_flaw
from ._config_validation import is_loopback as is_loopback
from ._config_validation import normalized_url as normalized_url
from ._secrets import Secret as Secret
from .errors import ConfigurationError
from .settings import Settings


API_KEY_HEADER = "X-API-Key"


def _statuses(value: "Iterable[str] | str | None") -> tuple[str, ...] | None:
    if value is None:
        return None

    # A text is one word, not its letters.
    return (value,) if isinstance(value, str) else tuple(value)


def _text_or_none(value: str | None) -> str | None:
    return value or None


def _optional_path(value: "Path | str | None") -> Path | None:
    return None if value is None else Path(value)


def _url(value: str) -> str:
    try:
        return normalized_url(value)
    except TypeError:
        # What is no text is a problem that is named with the others.
        return value


def _proxy(value: "Secret | str | None") -> "Secret | str | None":
    return normalized_url(value) if isinstance(value, str) else value


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
        proxy: Explicit proxy, which may have a user and a password; the
            environment's are ignored.
        client_cert_file: Our own certificate, with its chain, in PEM format;
            the key beside it, or in `client_key_file`.
        max_connections: At most so many at a time; further calls wait.
        max_catalog_bytes: How large a page of the catalogue may become.

    Raises:
        ConfigurationError: Naming all problems at once.
    """

    api_url: str = attrs.field(converter=_url)
    api_key: Secret = attrs.field(converter=_secret)
    timeout_ms: int = 30_000
    retries: int = 3
    retry_delay_ms: int = 1_000
    location_id: str = "default"
    allow_insecure: bool = False
    ca_file: Path | None = attrs.field(default=None, converter=_optional_path)
    proxy: str | Secret | None = attrs.field(default=None, converter=_proxy, repr=False)
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
        settings = Settings.of(environ)
        problems = list[str]()
        values = settings.read("client", problems)
        values.setdefault("allow_insecure", allow_insecure)
        location = settings.get("LOCATION_ID")
        if location:
            values["location_id"] = location
        problems += config_problems(values)

        if problems:
            raise settings.named(problems)

        return cls(**values)

    @property
    def proxy_url(self) -> str | None:
        """
        The address of the proxy, with its password, if it has one.
        """
        given = self.proxy

        return normalized_url(given.reveal()) if isinstance(given, Secret) else given

    @property
    def origin(self) -> str:
        """
        Scheme, host and port: the only one that is ever spoken to.
        """
        return origin_of(self.api_url)


@attrs.frozen(kw_only=True)
class AuthRequest:
    """
    A request that an `Auth` wants sent before a call, like a login.

    Attributes:
        url: A path below the base URL, or an address; https beyond loopback.
        body: Sent as it is; `headers` say what it is.
    """

    url: str
    method: Literal["GET", "POST"] = "POST"
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)


class Auth(Protocol):
    """
    How calls are authorized, where the API key in a header is not enough.

    It is part of an `ApiProfile`, and serves both clients: it sends nothing
    itself.  Calls of several threads may ask it at the same time.
    """

    def flow(
        self, key: Secret
    ) -> "Mapping[str, str] | Generator[AuthRequest, bytes, Mapping[str, str]]":
        """
        The header fields of a call, which are kept secret.

        A generator yields the requests that have to be sent before, like a
        login, and gets the body of each good answer; it returns the fields.
        It is asked before each attempt: keep a token for as long as it is good.

        Args:
            key: `CONEXXUS_API_KEY`, which is not sent otherwise.
        """
        ...

    def refused(self) -> bool:
        """
        A call with these fields was answered 401.

        Returns:
            Whether it is asked again, and the call sent once more: forget a
            token that may have ended.
        """
        ...


@attrs.frozen(kw_only=True)
class ApiProfile:
    """
    How this back office speaks.  The defaults are the documented contract.

    Attributes:
        summary_path: Where the totals of a business date are asked for; None:
            nowhere.
        api_key_header: Takes the API key.
        auth_scheme: Stands before the key, like `Bearer`; the default header is
            then `Authorization`.
        auth: Instead of the key in a header: a login, for example.
        healthy_statuses: What the back office calls itself when it is well, in
            whatever case, like `UP`: in `data.status`, or in `status` of an
            answer without an envelope.  None: `ok`, in an envelope that says
            success.
        push_success_statuses: HTTP statuses of a push that was taken.  With
            another than 200 and 201 the answer may be empty.
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
        sku_required: Whether each line needs a SKU: one without gets its
            kind, like `TIP`.
    """

    health_path: str = "/api/v1/health"
    catalog_path: str = "/api/v1/inventory/items"
    sales_path: str = "/api/v1/sales/push"
    summary_path: str | None = attrs.field(default="/api/v1/sales/summary", converter=_text_or_none)
    api_key_header: str = API_KEY_HEADER
    auth_scheme: str | None = None
    auth: Auth | None = attrs.field(default=None, repr=False, eq=False)
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
    healthy_statuses: tuple[str, ...] | None = attrs.field(default=None, converter=_statuses)
    push_success_statuses: tuple[int, ...] = attrs.field(default=(200, 201), converter=tuple)
    sku_required: bool = True

    def __attrs_post_init__(self) -> None:
        problems = list(profile_problems(attrs.asdict(self, recurse=False)))

        if problems:
            raise ConfigurationError(problems)

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, base: "ApiProfile | None" = None
    ) -> "ApiProfile":
        """
        *base*, by default the documented contract, with what the settings of `api` say.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        settings = Settings.of(environ)
        problems = list[str]()
        values = settings.read("profile", problems)

        if problems:
            raise settings.named(problems)

        return attrs.evolve(base or cls(), **values)

    @property
    def key_header(self) -> str:
        """
        The header that takes the API key.
        """
        if self.auth_scheme is not None and self.api_key_header == API_KEY_HEADER:
            return "Authorization"

        return self.api_key_header
