"""
The two families, httpx and httpx2, seen as one.
"""

import ssl
import sys
from collections.abc import Generator
from types import ModuleType
from typing import Any

from conexxus_client._calls._wire_types import Request
from conexxus_client.config import ClientConfig
from conexxus_client.errors import (
    ConfigurationError,
)


FAMILIES = ("httpx", "httpx2")
_MODULES = (*FAMILIES, "httpcore", "httpcore2")

# OpenSSL's names for an answer that is no TLS record; they differ by version.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


def family_of(client: object, kind: str) -> ModuleType:
    """
    The family that an injected *client* belongs to, subclasses included.

    Args:
        kind: `Client` or `AsyncClient`.

    Raises:
        ConfigurationError: To neither, or it is of the other kind.
    """
    for cls in type(client).__mro__:
        top = cls.__module__.partition(".")[0]
        if top in FAMILIES and cls.__name__ == kind:
            return sys.modules[top]

    said = type(client).__name__
    raise ConfigurationError([f"http_client must be a {kind} of httpx or httpx2, not {said}"])


def ssl_context(config: ClientConfig) -> ssl.SSLContext:
    files = (config.ca_file, config.client_cert_file)

    if not config.api_url.startswith("https:") and files == (None, None):
        # Loading the system's certificates takes 20 ms, and nobody asks for
        # them.  This context trusts no one.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    try:
        context = ssl.create_default_context(cafile=config.ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            [f"CONEXXUS_CA_FILE holds no certificates in PEM format: {config.ca_file}"]
        ) from None

    context.minimum_version = ssl.TLSVersion.TLSv1_2

    if config.client_cert_file is not None:
        try:
            context.load_cert_chain(config.client_cert_file, config.client_key_file)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(
                [f"client_cert_file holds no certificate and key: {config.client_cert_file}"]
            ) from None

    return context


def send_options(family: ModuleType, client: Any, request: Request) -> tuple[Any, dict[str, Any]]:
    """
    The family's request for *request*, and the options to send it with.

    The secret headers are not part of the request, only of its way out: a
    request is what gets logged and shown.
    """
    built = client.build_request(
        request.method, request.url, headers=list(request.headers), content=request.body
    )

    return built, {
        "auth": _secret_auth(family, request),
        "follow_redirects": False,
        "stream": True,
    }


def _secret_auth(family: ModuleType, request: Request) -> Any:
    class SecretAuth(family.Auth):  # type: ignore[misc,name-defined]  # the base is known at run time only
        def auth_flow(self, outgoing: Any) -> Generator[Any, Any, None]:
            for name, value in request.secret_headers:
                outgoing.headers[name] = value.reveal()
            yield outgoing

    return SecretAuth()
