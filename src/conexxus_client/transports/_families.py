"""
The two families, httpx and httpx2, seen as one.
"""

import errno
import os
import socket
import ssl
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
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
    ResponseTooLargeError,
    TlsError,
)

from ._deadline import SpeaksTlsError


FAMILIES = ("httpx", "httpx2")
_MODULES = (*FAMILIES, "httpcore", "httpcore2")

# OpenSSL's names for an answer that is no TLS record; they differ by version.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


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


@contextmanager
def translating(limits: Limits) -> Iterator[None]:
    """
    What the family raises inside leaves under our name.
    """
    try:
        yield
    except Exception as exc:
        error = translated(exc, limits)
        if error is None:
            raise
        # The cause holds the request, and with it the key.
        raise error from None


def translated(exc: Exception, limits: Limits) -> ConexxusError | None:
    """
    Our name for what the family raised; None if it is not theirs.
    """
    if isinstance(exc, SpeaksTlsError):
        return TlsError("Conexxus API speaks TLS on this port. Set CONEXXUS_API_URL to https://.")

    names = {cls.__name__ for cls in type(exc).__mro__ if _is_theirs(cls)}

    if not names:
        return None
    if names & {"ConnectTimeout", "PoolTimeout"}:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)
    if "TimeoutException" in names:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)
    if names & {"ConnectError", "ProxyError"}:
        return _connect_error(exc)
    if "RemoteProtocolError" in names and "too long" in str(exc):
        # h11's bound on status line and header fields, 100 KiB together.
        msg = "the answer's header is too large"
        return ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return ConfigurationError(["CONEXXUS_API_URL or a header can't be sent as it is"])

    return ConnectionLostError(delivery=Delivery.UNKNOWN)


def _is_theirs(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in _MODULES


def _connect_error(exc: Exception) -> ConexxusError:
    causes = list(_causes(exc))

    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HostNotFoundError()
    for cause in causes:
        # Who hangs up in the middle of a handshake has said nothing about trust.
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return TlsError(_why_insecure(cause))

    return _not_connected(causes)


def _why_insecure(error: ssl.SSLError) -> str:
    """
    What exactly is wrong, in OpenSSL's words, and what to do.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
    elif error.reason in _NOT_TLS:
        why = "the server does not speak TLS there"
    else:
        why = (error.reason or "no reason given").replace("_", " ").lower()

    return f"Conexxus API secure connection failed: {why}. Check the certificate and API URL."


def _not_connected(causes: list[BaseException]) -> ConnectError:
    """
    Refused, unless the system gave another reason, like no descriptors left.
    """
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]

    if not numbers or errno.ECONNREFUSED in numbers:
        return ConnectError()

    return ConnectError(f"Conexxus API connection failed ({os.strerror(numbers[0])}).")


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()

    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for part in exc.exceptions:
                yield from _causes(part)
        exc = exc.__cause__ or exc.__context__
