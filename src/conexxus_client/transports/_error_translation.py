"""
Translates errors of httpx, httpcore, TLS and the system into the client's.
"""

import errno
import os
import socket
import ssl
from collections.abc import Iterator

from conexxus_client._calls._wire_types import Limits
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
    error_for,
)

from ._deadline_backend import TlsAlertError


_MODULES = ("httpx", "httpx2", "httpcore", "httpcore2")

# OpenSSL's names for an answer that is no TLS record; they differ by version.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


class ErrorTranslation:
    """
    A block in which errors of the libraries below are raised as the client's own.

    Each read has one, so it is a class: a generator takes four times as long.
    """

    __slots__ = ("_limits",)

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, traceback: object) -> None:
        if not isinstance(exc, Exception) or isinstance(exc, ConexxusError):
            return
        if (error := translated_error(exc, self._limits)) is not None:
            # The cause holds the request, and with it the key.
            raise error from None


def translated_error(exc: Exception, limits: Limits) -> ConexxusError | None:
    """
    The client's error for *exc*; None if it is a mistake in a program.
    """
    if isinstance(exc, TlsAlertError):
        return TlsError("Conexxus API speaks TLS on this port. Set CONEXXUS_API_URL to https://.")

    names = {cls.__name__ for cls in type(exc).__mro__ if _is_http_library(cls)}

    if names & {"ConnectTimeout", "PoolTimeout"}:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)
    if "TimeoutException" in names:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)
    if names & {"ConnectError", "ProxyError"}:
        return _connection_failure(exc, is_proxy="ProxyError" in names)
    if "HTTPStatusError" in names:
        # An injected client may raise by itself for what it does not like.
        return _status_error(exc)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return ConfigurationError(["CONEXXUS_API_URL or a header can't be sent as it is"])
    if names or isinstance(exc, OSError):
        return _connection_lost(exc)
    if isinstance(exc, RuntimeError) and "closed" in str(exc):
        return ConfigurationError(["http_client is closed"])

    return None


def _is_http_library(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in _MODULES


def _status_error(exc: Exception) -> ConexxusError | None:
    response = getattr(exc, "response", None)

    if response is None:
        return None

    return error_for(response.status_code, path=response.request.url.path)


def _connection_lost(exc: Exception) -> ConexxusError:
    """
    The error for a connection that ended after the request had begun.
    """
    if "too long" in str(exc):
        # h11's bound on status line and header fields, 100 KiB together.
        msg = "the answer's header is too large"
        return ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)

    for cause in _causes(exc):
        # An alert is the server's objection: no client certificate, say.
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return TlsError(_tls_message(cause), delivery=Delivery.UNKNOWN)

    return ConnectionLostError(delivery=Delivery.UNKNOWN)


def _connection_failure(exc: Exception, *, is_proxy: bool) -> ConexxusError:
    causes = list(_causes(exc))

    if is_proxy:
        reason = "".join(char for char in str(exc)[:100] if char.isprintable())
        return ConnectError(f"The proxy did not let us through ({reason}). Check CONEXXUS_PROXY.")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HostNotFoundError()

    for cause in causes:
        # A connection that ends during the handshake says nothing about trust.
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return TlsError(_tls_message(cause))

    return _connect_error(causes)


def _tls_message(error: ssl.SSLError) -> str:
    """
    The message: OpenSSL's reason, and what to do.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
    elif error.reason in _NOT_TLS:
        why = "the server does not speak TLS there"
    else:
        why = (error.reason or "no reason given").replace("_", " ").lower()

    return f"Conexxus API secure connection failed: {why}. Check the certificate and API URL."


def _connect_error(causes: list[BaseException]) -> ConnectError:
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
