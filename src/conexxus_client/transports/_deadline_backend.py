"""
A network backend for httpcore that enforces the deadline of a request.

httpcore takes a time-out for each read and write, and a server that sends a
byte now and then never exceeds one.  This wraps httpcore's public backend so
that each operation gets what is left of the whole.

The moment is a context variable: a connection outlives the request that
opened it, and every request has another deadline.
"""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from types import ModuleType
from typing import Any

import attrs

from conexxus_client._calls._cancellation import (
    SLICE_SECONDS,
    countdown,
    is_cancellable,
    raise_if_cancelled,
)
from conexxus_client.errors import Delivery


# A server that reads slowly must not get more time for each send: a write is
# divided, and each part looks at the clock.
_WRITE_SIZE = 64 * 1024

_ALERT, _ALERT_SIZE = b"\x15\x03", 7
_VERSION = b"HTTP/"


@attrs.define
class DeadlineScope:
    """
    The deadline of an exchange, and its reads and writes so far.

    Attributes:
        ends_at: On the monotonic clock; None if only each stall is limited.
        writes: How often something was sent so far.
        reads: How often something was received.
        is_head_next: Whether what comes next is the beginning of an answer.
    """

    ends_at: float | None = None
    writes: int = 0
    reads: int = 0
    is_head_next: bool = False

    @property
    def is_unsolicited(self) -> bool:
        """
        Did an answer come without a read?

        It was in the buffer before the request: surplus bytes behind the last
        answer, which must not be taken for the answer to this one.
        """
        return self.writes > 0 and self.reads == 0


_scope: ContextVar[DeadlineScope | None] = ContextVar("conexxus_deadline", default=None)


@contextmanager
def deadline_scope(ends_at: float | None) -> Iterator[DeadlineScope]:
    """
    Operations on the network within end by *ends_at*.
    """
    scope = DeadlineScope(ends_at)
    token = _scope.set(scope)

    try:
        yield scope
    finally:
        _scope.reset(token)


def count_read() -> None:
    """
    Count a read of the exchange at work.
    """
    if (scope := _scope.get()) is not None:
        scope.reads += 1


def count_write() -> None:
    """
    Count a write of the exchange at work.
    """
    if (scope := _scope.get()) is not None:
        scope.writes += 1
        scope.is_head_next = True


def time_left(timeout: float | None, expired: type[Exception]) -> float | None:
    """
    The time left of *timeout* and of the deadline; raises *expired* if none.
    """
    scope = _scope.get()

    if scope is None or scope.ends_at is None:
        return timeout

    remaining_s = scope.ends_at - time.monotonic()

    if remaining_s <= 0:
        raise expired("deadline")

    return remaining_s if timeout is None else min(timeout, remaining_s)


class TlsAlertError(Exception):
    """
    The server answered plain HTTP with a TLS alert (RFC 8446, section 6).
    """


class NoHttpError(Exception):
    """
    What came instead of an answer is another protocol's: its first line.
    """


def checked(data: bytes) -> bytes:
    """
    *data*, unless it is the alert of a TLS server to a plain HTTP client: no
    text begins so, and no piece of a gzip body is so short.  Or unless an answer
    should begin here, and does not: h11 waits for the end of it.
    """
    if len(data) == _ALERT_SIZE and data.startswith(_ALERT):
        raise TlsAlertError

    if (scope := _scope.get()) is not None and scope.is_head_next:
        scope.is_head_next = False
        if data[: len(_VERSION)] != _VERSION[: len(data)]:
            raise NoHttpError(data.splitlines()[0])

    return data


def sync_backend(httpcore: ModuleType) -> Any:
    """
    A deadline-aware backend for *httpcore*, which is httpcore or httpcore2.
    """

    class DeadlineBackend(httpcore.NetworkBackend):  # type: ignore[misc,name-defined]  # the family is known at run time only
        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> Any:
            addresses = _resolve(httpcore, host, port, timeout)
            failure: Exception | None = None

            for number, address in enumerate(addresses):
                # An address that does not answer must leave time for the others.
                share = time_left(timeout, httpcore.ConnectTimeout)
                share = share and share / (len(addresses) - number)
                try:
                    stream = httpcore.SyncBackend().connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                    return DeadlineStream(stream)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                    failure = exc

            raise failure or httpcore.ConnectError(f"{host} has no address")

    class DeadlineStream(httpcore.NetworkStream):  # type: ignore[misc,name-defined]  # see above
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            count_read()
            remaining_s = time_left(timeout, httpcore.ReadTimeout)

            if remaining_s is None or not is_cancellable():
                return checked(self._stream.read(max_bytes, remaining_s))

            for slice_s in countdown(remaining_s):
                try:
                    return checked(self._stream.read(max_bytes, min(slice_s, SLICE_SECONDS)))
                except httpcore.ReadTimeout:
                    raise_if_cancelled(Delivery.UNKNOWN)

            raise httpcore.ReadTimeout("deadline")

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            count_write()
            for part in write_chunks(buffer):
                raise_if_cancelled(Delivery.UNKNOWN)
                self._stream.write(part, time_left(timeout, httpcore.WriteTimeout))

        def close(self) -> None:
            self._stream.close()

        def start_tls(
            self, ssl_context: Any, server_hostname: Any = None, timeout: float | None = None
        ) -> Any:
            remaining_s = time_left(timeout, httpcore.ConnectTimeout)
            return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, remaining_s))

        def get_extra_info(self, info: str) -> Any:
            return self._stream.get_extra_info(info)

    return DeadlineBackend()


def write_chunks(buffer: bytes) -> Iterator[bytes]:
    """
    Parts of *buffer* that are sent one by one.
    """
    if len(buffer) <= _WRITE_SIZE:
        yield buffer
        return

    for start in range(0, len(buffer), _WRITE_SIZE):
        yield buffer[start : start + _WRITE_SIZE]


def _resolve(httpcore: ModuleType, host: str, port: int, timeout: float | None) -> list[str]:
    """
    The addresses of *host*, in time.

    `getaddrinfo` can't be interrupted: a thread of its own is left behind
    when it hangs.
    """
    try:
        return start_lookup(host, port).result(time_left(timeout, httpcore.ConnectTimeout))
    except TimeoutError:
        raise httpcore.ConnectTimeout("name resolution") from None
    except OSError as exc:
        # From inside the handler: httpcore drops the cause, not the context.
        raise httpcore.ConnectError(str(exc)) from exc


def start_lookup(host: str, port: int) -> "Future[list[str]]":
    """
    Begin to look for the addresses of *host*.
    """
    answer: Future[list[str]] = Future()

    try:
        answer.set_result([str(ip_address(host))])
    except ValueError:
        threading.Thread(target=_look_up_host, args=(host, port, answer), daemon=True).start()

    return answer


def _look_up_host(host: str, port: int, answer: "Future[list[str]]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    except (OSError, UnicodeError):
        _set_result(answer, None)
    else:
        _set_result(answer, addresses)


def _set_result(answer: "Future[list[str]]", addresses: list[str] | None) -> None:
    # The caller may have timed out, and cancelled it.
    if not answer.set_running_or_notify_cancel():
        return
    if addresses is None:
        answer.set_exception(socket.gaierror(socket.EAI_NONAME, "no such host"))
    else:
        answer.set_result(addresses)
