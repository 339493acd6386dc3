"""
Our names for what goes wrong below: in the families, in TLS, in the system.
"""

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

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

from ._deadline_backend import SpeaksTlsError


_MODULES = ("httpx", "httpx2", "httpcore", "httpcore2")

# OpenSSL's names for an answer that is no TLS record; they differ by version.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


@contextmanager
def translating(limits: Limits) -> Iterator[None]:
    """
    What is raised below leaves under our name.
    """
    try:
        yield
    except ConexxusError:
        raise
    except Exception as exc:
        error = translated(exc, limits)
        if error is None:
            raise
        # The cause holds the request, and with it the key.
        raise error from None


def translated(exc: Exception, limits: Limits) -> ConexxusError | None:
    """
    Our name for *exc*; None if it is a mistake in a program.
    """
    if isinstance(exc, SpeaksTlsError):
        return TlsError("Conexxus API speaks TLS on this port. Set CONEXXUS_API_URL to https://.")

    names = {cls.__name__ for cls in type(exc).__mro__ if _is_theirs(cls)}

    if names & {"ConnectTimeout", "PoolTimeout"}:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)
    if "TimeoutException" in names:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)
    if names & {"ConnectError", "ProxyError"}:
        return _not_connected(exc, is_proxy="ProxyError" in names)
    if "HTTPStatusError" in names:
        # An injected client may raise by itself for what it does not like.
        return _refused(exc)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return ConfigurationError(["CONEXXUS_API_URL or a header can't be sent as it is"])
    if names or isinstance(exc, OSError):
        return _lost(exc)
    if isinstance(exc, RuntimeError) and "closed" in str(exc):
        return ConfigurationError(["http_client is closed"])

    return None


def _is_theirs(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in _MODULES


def _refused(exc: Exception) -> ConexxusError | None:
    response = getattr(exc, "response", None)

    if response is None:
        return None

    return error_for(response.status_code, path=response.request.url.path)


def _lost(exc: Exception) -> ConexxusError:
    """
    Something ended the conversation after it had begun.
    """
    if "too long" in str(exc):
        # h11's bound on status line and header fields, 100 KiB together.
        msg = "the answer's header is too large"
        return ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)

    for cause in _causes(exc):
        # An alert is the server's word on us: no certificate shown, say.
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return TlsError(_why_insecure(cause), delivery=Delivery.UNKNOWN)

    return ConnectionLostError(delivery=Delivery.UNKNOWN)


def _not_connected(exc: Exception, *, is_proxy: bool) -> ConexxusError:
    causes = list(_causes(exc))

    if is_proxy:
        said = "".join(char for char in str(exc)[:100] if char.isprintable())
        return ConnectError(f"The proxy did not let us through ({said}). Check CONEXXUS_PROXY.")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HostNotFoundError()

    for cause in causes:
        # Who hangs up in the middle of a handshake has said nothing about trust.
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return TlsError(_why_insecure(cause))

    return _refused_or_worse(causes)


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


def _refused_or_worse(causes: list[BaseException]) -> ConnectError:
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
