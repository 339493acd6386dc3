"""
The client's settings, and where they come from.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import attrs

from .errors import ConfigurationError


T = TypeVar("T")

GIB = 1024**3
MAX_MS = 24 * 60 * 60 * 1000
_FILES = {"ca_file": "CONEXXUS_CA_FILE"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Secret:
    """
    A text that shows itself only when asked to.

    It is in no repr, no str, and does not pickle.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """
        The text itself, for the wire.
        """
        return self._text

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
    return value if isinstance(value, Secret) else Secret(value)


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
    max_catalog_bytes: int = attrs.field(default=GIB, validator=attrs.validators.ge(1))
    max_connections: int = attrs.field(default=32, validator=attrs.validators.ge(1))

    def __attrs_post_init__(self) -> None:
        problems = list(_problems(attrs.asdict(self, recurse=False)))

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
        problems = [*env.problems, *_problems(env.values)]

        if problems:
            raise ConfigurationError(problems)

        return cls(**env.values)

    @property
    def origin(self) -> str:
        """
        Scheme, host and port: the only one that is ever spoken to.
        """
        return origin_of(self.api_url)


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
    Read a positive whole number of milliseconds, of at most a day.
    """
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) <= MAX_MS:
        msg = f"must be a whole number of milliseconds, got {text[:40]!r}"
        raise ValueError(msg)

    return int(text)


def count(text: str) -> int:
    """
    Read a whole number from 0 to 100.
    """
    if not text.isascii() or not text.isdigit() or int(text[:20]) > 100:  # said in the message
        msg = f"must be a whole number from 0 to 100, got {text[:40]!r}"
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


def origin_of(url: str) -> str:
    """
    Scheme, host and port of *url*, in the form in which they compare.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "").lower()

    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _problems(values: Mapping[str, Any]) -> Iterator[str]:
    """
    What is wrong with the settings in *values*; absent ones are not judged.
    """
    if "api_url" in values:
        yield from _url_problems(values["api_url"], insecure=values["allow_insecure"])

    key = values.get("api_key")
    if key is not None and not all("!" <= char <= "~" for char in key.reveal()):
        yield (
            "CONEXXUS_API_KEY contains a character that is not visible ASCII, "
            "like a space or a trailing newline"
        )
    if key is not None and not key.reveal():
        yield "CONEXXUS_API_KEY is not configured"

    location = values.get("location_id", "default")
    if not location.isprintable() or location.strip() != location or not location:
        yield f"LOCATION_ID must be a printable text without outer spaces, got {location[:40]!r}"

    backend = values.get("http_backend", "httpx")
    if backend not in ("httpx", "httpx2"):
        yield f"CONEXXUS_HTTP_BACKEND must be httpx or httpx2, got {backend[:40]!r}"

    for setting in ("ca_file", "client_cert_file", "client_key_file"):
        file = values.get(setting)
        if file is not None and not file.is_file():
            yield f"{_FILES.get(setting, setting)} is not a file: {file}"

    proxy = values.get("proxy")
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        yield "CONEXXUS_PROXY must start with http:// or https://"


def _url_problems(url: str, *, insecure: bool) -> Iterator[str]:
    """
    What is wrong with the base URL.  It may hold a password: it is not shown.
    """
    if not url.startswith(("http://", "https://")):
        yield "CONEXXUS_API_URL must start with http:// or https://"
        return

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None

    if not host or not all("!" <= char <= "~" for char in url):
        yield "CONEXXUS_API_URL is not a valid URL"
    elif "@" in parts.netloc or parts.query or parts.fragment:
        yield "CONEXXUS_API_URL must not contain a user, a password, a query or a fragment"
    elif parts.scheme == "http" and host not in _LOOPBACK and not insecure:
        yield (
            f"CONEXXUS_API_URL would send the API key in clear to {host}: "
            "use https://, or set CONEXXUS_ALLOW_INSECURE=1"
        )
