"""
The two families, httpx and httpx2, seen as one.
"""

import importlib
import socket
import ssl
import sys
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any

from conexxus_client._wire import Limits, Request
from conexxus_client.config import ClientConfig
from conexxus_client.errors import (
    ConexxusError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    Delivery,
    HostNotFoundError,
    RequestTimeoutError,
    TlsError,
)


FAMILIES = ("httpx", "httpx2")


def family_named(name: str) -> ModuleType:
    """
    Import the family *name*.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ConfigurationError(
            [f"CONEXXUS_HTTP_BACKEND is {name}, which is not installed: pip install {name}"]
        ) from None


def family_of(client: object) -> ModuleType:
    """
    The family that an injected *client* belongs to, subclasses included.

    Raises:
        ConfigurationError: To neither.
    """
    for cls in type(client).__mro__:
        top = cls.__module__.partition(".")[0]
        if top in FAMILIES:
            return sys.modules[top]

    raise ConfigurationError(
        [f"http_client must be a client of httpx or httpx2, not {type(client).__name__}"]
    )


def client_options(family: ModuleType, config: ClientConfig) -> dict[str, Any]:
    """
    How we make a client of our own.

    The environment is not asked: a proxy found there would see the key.
    """
    return {
        "trust_env": False,
        "follow_redirects": False,
        "verify": _ssl_context(config),
        "proxy": config.proxy,
        "timeout": family.Timeout(config.timeout_ms / 1000),
    }


def _ssl_context(config: ClientConfig) -> ssl.SSLContext:
    if not config.api_url.startswith("https:") and config.ca_file is None:
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
    return context


def send_options(
    family: ModuleType, client: Any, request: Request, limits: Limits, *, injected: bool
) -> tuple[Any, dict[str, Any]]:
    """
    The family's request for *request*, and the options to send it with.

    The secret headers are not part of the request, only of its way out: a
    request is what gets logged and shown.
    """
    options = {} if injected else {"timeout": family.Timeout(limits.timeout_ms / 1000)}
    built = client.build_request(
        request.method,
        request.url,
        headers=list(request.headers),
        content=request.body,
        **options,
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


def translated(exc: Exception, limits: Limits) -> ConexxusError | None:
    """
    Our name for what the family raised; None if it is not theirs.
    """
    names = {cls.__name__ for cls in type(exc).__mro__ if _is_theirs(cls)}

    if not names:
        return None
    if names & {"ConnectTimeout", "PoolTimeout"}:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)
    if "TimeoutException" in names:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)
    if names & {"ConnectError", "ProxyError"}:
        return _connect_error(exc)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return ConfigurationError(["CONEXXUS_API_URL or a header can't be sent as it is"])

    return ConnectionLostError(delivery=Delivery.UNKNOWN)


def _is_theirs(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in FAMILIES


def _connect_error(exc: Exception) -> ConexxusError:
    causes = list(_causes(exc))

    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HostNotFoundError()
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return TlsError(
                "Conexxus API secure connection failed "
                f"({cause.reason or 'no reason given'}). Check the certificate and API URL."
            )

    return ConnectError()


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()

    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for part in exc.exceptions:
                yield from _causes(part)
        exc = exc.__cause__ or exc.__context__
