"""
The client's settings, and where they come from.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import attrs

from .errors import ConfigurationError


T = TypeVar("T")

GIB = 1024**3

# A shorter key hides nothing, and its letters are everywhere.
SHORT = 6

MAX_MS = 24 * 60 * 60 * 1000
_FILES = {"ca_file": "CONEXXUS_CA_FILE"}


class Secret:
    """
    A text that shows itself only when asked to.

    It is in no repr, no str, and does not pickle.
    """

    __slots__ = ("_pattern", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._pattern = re.compile(re.escape(text), re.IGNORECASE)

    def reveal(self) -> str:
        """
        The text itself, for the wire.
        """
        return self._text

    def redact(self, text: str) -> str:
        """
        *text* without the secret, however it is capitalised.
        """
        return text if len(self._text) < SHORT else self._pattern.sub("***", text)

    def redact_bytes(self, data: bytes) -> bytes:
        """
        The same for what came over the wire.
        """
        if len(self._text) < SHORT or self._text.lower().encode() not in data.lower():
            return data

        return self.redact(data.decode("latin-1")).encode("latin-1")

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
    Read a whole number of milliseconds.
    """
    return _whole(text, "must be a whole number of milliseconds")


def count(text: str) -> int:
    """
    Read a whole number.
    """
    return _whole(text, "must be a whole number from 0 to 100")


def _whole(text: str, said: str) -> int:
    # Longer than any number that is in range: int() takes its time on some.
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_MS)):
        msg = f"{said}, got {text[:40]!r}"
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
    yield from _type_problems(values)
    values = {name: value for name, value in values.items() if _has_its_type(name, value)}

    for name, (variable, lowest, highest) in _RANGES.items():
        if name in values and not lowest <= values[name] <= highest:
            yield f"{variable} must be from {lowest} to {highest}, got {values[name]}"

    if "api_url" in values:
        insecure = values.get("allow_insecure", False)
        yield from _url_problems(values["api_url"], insecure=insecure)

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
        if file is not None and not _is_file(file):
            yield f"{_FILES.get(setting, setting)} is not a file: {str(file)[:200]}"

    proxy = values.get("proxy")
    if proxy is not None and not _is_proxy(proxy):
        yield "CONEXXUS_PROXY must be a URL that starts with http:// or https://"


def _type_problems(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not _has_its_type(name, value):
            kinds = " or ".join(kind.__name__ for kind in _TYPES[name])
            yield f"{name} must be of type {kinds}, got {type(value).__name__}"


def _has_its_type(name: str, value: Any) -> bool:
    kinds = _TYPES.get(name, (object,))

    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


# What code may pass; the environment's texts have been read by then.
_TYPES: dict[str, tuple[type, ...]] = {
    "api_url": (str,),
    "timeout_ms": (int,),
    "retries": (int,),
    "retry_delay_ms": (int,),
    "location_id": (str,),
    "allow_insecure": (bool,),
    "proxy": (str, type(None)),
    "http_backend": (str,),
    "max_connections": (int,),
    "max_catalog_bytes": (int,),
}

_RANGES = {
    "timeout_ms": ("CONEXXUS_TIMEOUT", 1, MAX_MS),
    "retries": ("CONEXXUS_RETRIES", 0, 100),
    "retry_delay_ms": ("CONEXXUS_RETRY_DELAY", 0, MAX_MS),
    "max_connections": ("max_connections", 1, 10_000),
    "max_catalog_bytes": ("max_catalog_bytes", 1, 1024 * GIB),
}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


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
    elif parts.scheme == "http" and not _is_loopback(host) and not insecure:
        yield (
            f"CONEXXUS_API_URL would send the API key in clear to {host}: "
            "use https://, or set CONEXXUS_ALLOW_INSECURE=1"
        )
