"""
Validation of the client's settings, whether from code or the environment.
"""

import re
import string
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ._secrets import Secret


GIB = 1024**3
MAX_MS = 24 * 60 * 60 * 1000

_URL = re.compile(r"(https?)://([^/?#]*@)?([^/?#@:\[\]]+)((?::[^/?#]*)?(?:[/?#].*)?)", re.I | re.S)
_MAX_LABEL = 63
# The dots of other scripts (RFC 3490, section 3.1).
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_NO_NAME = re.compile(r"[^\w.%-]", re.ASCII)
# Blanks, and what a document or a chat puts around an address unseen.
_UNSEEN = f"{string.whitespace}\xa0\xad\u200b\u200c\u200d\u2060\u3000\ufeff"
_QUOTES = tuple("\"'`<>\u2018\u2019\u201c\u201d\u201e\xab\xbb")
# RFC 9110, section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_FILES = {
    "ca_file": "CONEXXUS_CA_FILE",
    "client_cert_file": "CONEXXUS_CLIENT_CERT",
    "client_key_file": "CONEXXUS_CLIENT_KEY",
}


def config_problems(values: Mapping[str, Any]) -> Iterator[str]:
    """
    The problems of the settings in *values*; absent ones are not checked.
    """
    yield from _type_problems(values)
    values = {name: value for name, value in values.items() if _has_valid_type(name, value)}

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
    if key is not None and _is_quoted(key.reveal()):
        yield (
            "CONEXXUS_API_KEY is in quotes: remove them, as what reads the variable's file "
            "takes them for a part of the key"
        )
    if key is not None and not key.reveal():
        yield "CONEXXUS_API_KEY is not configured"

    location = values.get("location_id", "default")
    if not location.isprintable() or location.strip() != location or not location:
        yield f"LOCATION_ID must be a printable text without outer spaces, got {location[:40]!r}"

    backend = values.get("http_backend", "httpx")
    if backend not in ("httpx", "httpx2"):
        yield f"CONEXXUS_HTTP_BACKEND must be httpx or httpx2, got {backend[:40]!r}"

    for setting in _FILES:
        file = values.get(setting)
        if file is not None and not _is_existing_file(file):
            yield f"{_FILES[setting]} is not a file: {str(file)[:200]}"

    if values.get("client_key_file") and not values.get("client_cert_file"):
        yield "CONEXXUS_CLIENT_KEY is set without CONEXXUS_CLIENT_CERT, whose key it is"

    proxy = values.get("proxy")
    text = normalized_url(proxy.reveal()) if isinstance(proxy, Secret) else proxy
    if text is not None and (flaw := address_flaw(text)) is not None:
        yield f"CONEXXUS_PROXY {flaw}"


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"


def profile_problems(values: Mapping[str, Any]) -> Iterator[str]:
    """
    The problems of the parts of a profile in *values*.
    """
    for name in ("api_key_header", "idempotency_header", "auth_scheme"):
        value = values[name]
        if value is not None and not (isinstance(value, str) and _TOKEN.fullmatch(value)):
            yield f"ApiProfile.{name} must be one word for a header field, got {value!a:.60}"

    statuses = values["push_success_statuses"]
    if not statuses or not all(_is_success(status) for status in statuses):
        yield f"ApiProfile.push_success_statuses must be from 200 to 299, got {statuses!a:.60}"


def _is_success(status: Any) -> bool:
    return isinstance(status, int) and status // 100 == 2  # 2xx


def _type_problems(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not _has_valid_type(name, value):
            kinds = " or ".join(kind.__name__ for kind in _TYPES[name])
            yield f"{name} must be of type {kinds}, got {type(value).__name__}"


def _has_valid_type(name: str, value: Any) -> bool:
    kinds = _TYPES.get(name, (object,))

    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


# For values from code; texts of the environment are converted before.
_TYPES: dict[str, tuple[type, ...]] = {
    "api_url": (str,),
    "timeout_ms": (int,),
    "retries": (int,),
    "retry_delay_ms": (int,),
    "location_id": (str,),
    "allow_insecure": (bool,),
    "proxy": (str, Secret, type(None)),
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


def _is_existing_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_loopback(host: str) -> bool:
    """
    Is *host*, a name or an address, this machine alone?
    """
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return False

    # How a socket that listens on both calls it.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None

    return (mapped or address).is_loopback


def normalized_url(url: str) -> str:
    """
    *url* with scheme and host in lower case, and the host as DNS has it; what
    can't be read stays, and is a problem.
    """
    found = _URL.fullmatch(url)

    if found is None:
        return url

    scheme, user, host, rest = found.groups()

    return f"{scheme.lower()}://{user or ''}{_ascii_host(host) or host}{rest}"


def _ascii_host(host: str) -> str | None:
    """
    *host* in ASCII (RFC 3490); None if that is not clear, as of `ß`, which
    later standards spell in another way.
    """
    host = host.translate(_DOTS)

    if host.isascii():
        return host.lower()

    try:
        encoded = host.encode("idna")
        same = encoded.decode("idna") == host.lower()
    except UnicodeError:
        return None

    return encoded.decode("ascii").lower() if same else None


def _url_problems(url: str, *, insecure: bool) -> Iterator[str]:
    """
    The problems of the base URL.  It may hold a password: it is not shown.
    """
    if (flaw := address_flaw(url)) is not None:
        yield f"CONEXXUS_API_URL {flaw}"
        return

    parts = urlsplit(url)
    host = parts.hostname or ""

    if "@" in parts.netloc or parts.query or parts.fragment:
        yield "CONEXXUS_API_URL must not contain a user, a password, a query or a fragment"
    elif parts.scheme == "http" and not is_loopback(host) and not insecure:
        yield (
            f"CONEXXUS_API_URL would send the API key in clear to {host}: "
            "use https://, or set CONEXXUS_ALLOW_INSECURE=1"
        )


def proxy_url(text: str) -> str:
    """
    Read the address of a proxy, which may hold a password and is in no message.

    Raises:
        ValueError: Saying what is wrong with it.
    """
    url = normalized_url(text)

    if (flaw := address_flaw(url)) is not None:
        raise ValueError(flaw)

    return url


def address_flaw(url: str) -> str | None:
    """
    Why *url* is no address of a server, in words that go behind its setting's
    name; None if it is one.
    """
    if url.strip(_UNSEEN) != url:
        return "has a blank before or behind it: remove it"
    if url[:1] in _QUOTES or url[-1:] in _QUOTES:
        return "is in quotes: remove them"
    if not url.startswith(("http://", "https://")):
        return "must start with http:// or https://"

    flaw = _flaw(url)

    return flaw and f"is not a valid URL: {flaw}"


def _flaw(url: str) -> str | None:
    """
    Why *url* can't be used as it is.
    """
    odd = next((number for number, char in enumerate(url) if not "!" <= char <= "~"), None)

    if odd is not None:
        host = found.group(3) if (found := _URL.fullmatch(url)) else ""
        if not host.isascii() and host.isprintable() and " " not in host:
            return "write its host in punycode, like xn--bcher-kva.example"
        return f"character {odd + 1} is a blank or no ASCII: write it as %XX"

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "the address between [ and ] is none"

    try:
        has_port = parts.port != 0
    except ValueError:
        has_port = False

    if not has_port:
        return "its port is no number from 1 to 65535"
    if not host:
        return "it names no host"
    if "://" in url[len("https://") :]:
        return "it has :// twice"
    if ":" not in host and (found := _NO_NAME.search(host)):
        return f"its host can't have {found.group()!r} in it"
    if ":" not in host and not all(0 < len(part) <= _MAX_LABEL for part in _labels(host)):
        return "a part of its host between dots is empty or too long"

    return None


def _labels(host: str) -> list[str]:
    # A dot at the end is that of the root.
    return host.removesuffix(".").split(".")


def origin_of(url: str) -> str:
    """
    Scheme, host and port of *url*, in the form in which they compare.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "").lower()

    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
