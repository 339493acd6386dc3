"""
Translates errors of httpx, httpcore, TLS and the system into the client's.
"""

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator

from conexxus_client._calls._wire_types import Limits
from conexxus_client._codec._server_message import printable
from conexxus_client.errors import (
    ConexxusError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    Delivery,
    HostNotFoundError,
    ProtocolError,
    RequestTimeoutError,
    ResponseTooLargeError,
    TlsError,
)

from ._deadline_backend import NoHttpError, TlsAlertError
from ._tls_errors import ended_in_handshake, tls_error, tls_message


_MODULES = ("httpx", "httpx2", "httpcore", "httpcore2")

# With these words h11, httpcore and h2 say that the other side has ended.
_ENDED = re.compile(r"disconnected|closed connection|StreamReset|ConnectionTerminated")
_BYTES = re.compile(r"(bytearray\()?\bb('.*?'|\".*?\")(?(1)\))", re.DOTALL)
_MAX_SHOWN = 120


class ErrorTranslation:
    """
    A block in which errors of the libraries below are raised as the client's own.

    Each read has one, so it is a class: a generator takes four times as long.
    """

    __slots__ = ("_limits", "_proxy")

    def __init__(self, limits: Limits, proxy: str | None = None) -> None:
        self._limits = limits
        self._proxy = proxy

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, traceback: object) -> None:
        if not isinstance(exc, Exception) or isinstance(exc, ConexxusError):
            return
        if (error := translated_error(exc, self._limits, self._proxy)) is not None:
            # The cause holds the request, and with it the key.
            raise error from None


def translated_error(
    exc: Exception, limits: Limits, proxy: str | None = None
) -> ConexxusError | None:
    """
    The client's error for *exc*; None if it is a mistake in a program.

    Args:
        proxy: Address of the configured proxy, without user and password.
    """
    if isinstance(exc, TlsAlertError):
        return TlsError("Conexxus API speaks TLS on this port. Set CONEXXUS_API_URL to https://.")

    if isinstance(exc, NoHttpError):
        said = _violation(f"illegal status line: {exc}")
        return ProtocolError(said, delivery=Delivery.UNKNOWN)

    names = {cls.__name__ for cls in type(exc).__mro__ if _is_http_library(cls)}

    if names & {"ConnectTimeout", "PoolTimeout"}:
        timeout = RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)
        timeout.remark = _way(proxy)
        return timeout
    if "TimeoutException" in names:
        return RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)
    if names & {"ConnectError", "ProxyError"}:
        return _connection_failure(exc, proxy, is_proxy="ProxyError" in names)
    if "StreamError" in names:
        msg = "http_client has read the answer without keeping it: let its hooks call `read`"
        return DecodeError(msg, delivery=Delivery.UNKNOWN)
    if "DecodingError" in names:
        return DecodeError("the answer's encoding is broken", delivery=Delivery.UNKNOWN)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        return ConfigurationError(["CONEXXUS_API_URL or a header can't be sent as it is"])
    if names or isinstance(exc, OSError):
        return _connection_lost(exc)
    if isinstance(exc, RuntimeError) and "loop is closed" in str(exc):
        return ConfigurationError(["http_client belongs to an event loop that has ended"])
    if isinstance(exc, RuntimeError) and "closed" in str(exc):
        return ConfigurationError(["http_client is closed"])

    return None


def _is_http_library(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in _MODULES


def _connection_lost(exc: Exception) -> ConexxusError:
    """
    The error for a connection that ended after the request had begun.
    """
    text = str(exc)

    if "too long" in text:
        # h11's bound on status line and header fields, 100 KiB together.
        msg = "the answer's header is too large"
        return ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)
    if type(exc).__name__ == "RemoteProtocolError" and not _ENDED.search(text):
        return ProtocolError(_violation(text), delivery=Delivery.UNKNOWN)

    for cause in _causes(exc):
        # An alert is the server's objection: no client certificate, say.
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return TlsError(tls_message(cause), delivery=Delivery.UNKNOWN)

    return ConnectionLostError(delivery=Delivery.UNKNOWN)


def _violation(reason: str) -> str:
    """
    The message: what of the answer is no HTTP, as h11 says it, and what to do.
    """
    where = _BYTES.sub(r"\2", reason)[:_MAX_SHOWN] or "no reason given"

    return (
        f"Conexxus API answer is no valid HTTP: {printable(where)}. "
        "Check CONEXXUS_API_URL, and the server or a proxy in between."
    )


def _connection_failure(exc: Exception, proxy: str | None, *, is_proxy: bool) -> ConexxusError:
    causes = list(_causes(exc))
    peer = "Conexxus API" if proxy is None else f"Conexxus API proxy {proxy}:"
    check = "Check API URL." if proxy is None else "Check CONEXXUS_PROXY."

    if is_proxy:
        return ConnectError(_refused_by_proxy(str(exc), proxy))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HostNotFoundError(f"{peer} host not found. {check}")
    if (error := tls_error(causes)) is not None:
        error.remark = _way(proxy)
        return error
    if ended_in_handshake(causes):
        return ConnectError(
            "Conexxus API connection ended in the TLS handshake. Check that CONEXXUS_API_URL "
            f"names a port that speaks TLS, and {proxy or 'any proxy or firewall'} in between."
        )

    # The numbers of `ssl` are not those of the system.
    numbers = [
        cause.errno
        for cause in causes
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno
    ]
    if not numbers or errno.ECONNREFUSED in numbers:
        return ConnectError(f"{peer} connection refused. {check}")

    # Another reason of the system's, like no descriptors left.
    return ConnectError(
        f"{peer} connection failed ({os.strerror(numbers[0])})."
        + (f" {check}" if proxy or numbers[0] == errno.ECONNRESET else "")
    )


def _way(proxy: str | None) -> str:
    """
    A remark about the proxy, which may be the one that failed.
    """
    return f"It goes through {proxy} (CONEXXUS_PROXY)." if proxy else ""


def _refused_by_proxy(reason: str, proxy: str | None) -> str:
    said = printable(reason[:_MAX_SHOWN])
    advice = "Check CONEXXUS_PROXY"

    if proxy is None:
        advice = "Check the proxy that it was made with"
    elif said.startswith("407"):
        advice += ", which has to name a user and a password: http://user:password@host:port"

    return f"The proxy {proxy or 'of http_client'} did not let us through ({said}). {advice}."


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()

    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for part in exc.exceptions:
                yield from _causes(part)
        exc = exc.__cause__ or exc.__context__
