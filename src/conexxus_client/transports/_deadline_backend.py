"""
Network backends that know when a request has to be over.

httpcore takes a time-out for each read and write, and a server that sends a
byte now and then never meets one.  These wrap httpcore's public backends so
that each operation gets what is left of the whole.

The moment is a context variable: a connection outlives the request that
opened it, and every request has another deadline.
"""

import asyncio
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

from conexxus_client._calls._cancellation import SLICE_SECONDS, check, is_stoppable, remaining
from conexxus_client.errors import Delivery


# A server that reads slowly must not get more time for each send: a write is
# divided, and each part looks at the clock.
_WRITE = 64 * 1024

_ALERT, _ALERT_SIZE = b"\x15\x03", 7


@attrs.define
class Watch:
    """
    One stretch of work on the network.

    Attributes:
        ends_at: When it has to be over, on the monotonic clock; None for
            "each stall on its own".
        writes: How often something was sent so far.
        reads: How often something was received.
    """

    ends_at: float | None = None
    writes: int = 0
    reads: int = 0

    @property
    def is_foreign(self) -> bool:
        """
        Did an answer come without anything having been read?

        It was in the buffer before we asked: surplus bytes behind the last
        answer, which must not be taken for ours.
        """
        return self.writes > 0 and self.reads == 0


_watch: ContextVar[Watch | None] = ContextVar("conexxus_watch", default=None)


@contextmanager
def until(ends_at: float | None) -> Iterator[Watch]:
    """
    Whatever the network does inside has to be over by then.
    """
    watch = Watch(ends_at)
    token = _watch.set(watch)

    try:
        yield watch
    finally:
        _watch.reset(token)


def _noted_read() -> None:
    if (watch := _watch.get()) is not None:
        watch.reads += 1


def _noted_write() -> None:
    if (watch := _watch.get()) is not None:
        watch.writes += 1


def left(timeout: float | None, expired: type[Exception]) -> float | None:
    """
    What is left of *timeout* and of the whole; raises *expired* if nothing.
    """
    watch = _watch.get()

    if watch is None or watch.ends_at is None:
        return timeout

    rest = watch.ends_at - time.monotonic()

    if rest <= 0:
        raise expired("deadline")

    return rest if timeout is None else min(timeout, rest)


class SpeaksTlsError(Exception):
    """
    The server answered plain HTTP with a TLS alert (RFC 8446, section 6).
    """


def no_alert(data: bytes) -> bytes:
    """
    *data*, unless it is what a TLS server says to a client that is not.

    No text begins so, and no piece of a gzip body is so short.
    """
    if len(data) == _ALERT_SIZE and data.startswith(_ALERT):
        raise SpeaksTlsError

    return data


def sync_backend(core: ModuleType) -> Any:
    """
    A deadline-aware backend for *core*, which is httpcore or httpcore2.
    """

    class DeadlineBackend(core.NetworkBackend):  # type: ignore[misc,name-defined]  # the family is known at run time only
        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> Any:
            addresses = _resolve(core, host, port, timeout)
            failure: Exception | None = None

            for number, address in enumerate(addresses):
                # An address that swallows us must leave time for the others.
                share = left(timeout, core.ConnectTimeout)
                share = share and share / (len(addresses) - number)
                try:
                    stream = core.SyncBackend().connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                    return DeadlineStream(stream)
                except (core.ConnectError, core.ConnectTimeout) as exc:
                    failure = exc

            raise failure or core.ConnectError(f"{host} has no address")

    class DeadlineStream(core.NetworkStream):  # type: ignore[misc,name-defined]  # see above
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            _noted_read()
            rest = left(timeout, core.ReadTimeout)

            if rest is None or not is_stoppable():
                return no_alert(self._stream.read(max_bytes, rest))

            for rest_now in remaining(rest):
                try:
                    return no_alert(self._stream.read(max_bytes, min(rest_now, SLICE_SECONDS)))
                except core.ReadTimeout:
                    check(Delivery.UNKNOWN)

            raise core.ReadTimeout("deadline")

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            _noted_write()
            for part in _parts(buffer):
                check(Delivery.UNKNOWN)
                self._stream.write(part, left(timeout, core.WriteTimeout))

        def close(self) -> None:
            self._stream.close()

        def start_tls(
            self, ssl_context: Any, server_hostname: Any = None, timeout: float | None = None
        ) -> Any:
            rest = left(timeout, core.ConnectTimeout)
            return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, rest))

        def get_extra_info(self, info: str) -> Any:
            return self._stream.get_extra_info(info)

    return DeadlineBackend()


def async_backend(core: ModuleType) -> Any:
    """
    The same for an event loop; anyio resolves names in threads by itself.
    """

    class AsyncDeadlineBackend(core.AsyncNetworkBackend):  # type: ignore[misc,name-defined]  # see above
        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> Any:
            addresses = await _resolve_async(core, host, port, timeout)
            failure: Exception | None = None

            for number, address in enumerate(addresses):
                share = left(timeout, core.ConnectTimeout)
                share = share and share / (len(addresses) - number)
                try:
                    stream = await core.AnyIOBackend().connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                    return AsyncDeadlineStream(stream)
                except (core.ConnectError, core.ConnectTimeout) as exc:
                    failure = exc

            raise failure or core.ConnectError(f"{host} has no address")

    class AsyncDeadlineStream(core.AsyncNetworkStream):  # type: ignore[misc,name-defined]  # see above
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def read(
            self,
            max_bytes: int,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        ) -> bytes:
            _noted_read()
            return no_alert(await self._stream.read(max_bytes, left(timeout, core.ReadTimeout)))

        async def write(
            self,
            buffer: bytes,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        ) -> None:
            _noted_write()
            for part in _parts(buffer):
                await self._stream.write(part, left(timeout, core.WriteTimeout))

        async def aclose(self) -> None:
            await self._stream.aclose()

        async def start_tls(
            self,
            ssl_context: Any,
            server_hostname: Any = None,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        ) -> Any:
            rest = left(timeout, core.ConnectTimeout)
            stream = await self._stream.start_tls(ssl_context, server_hostname, rest)
            return AsyncDeadlineStream(stream)

        def get_extra_info(self, info: str) -> Any:
            return self._stream.get_extra_info(info)

    return AsyncDeadlineBackend()


def _parts(buffer: bytes) -> Iterator[bytes]:
    if len(buffer) <= _WRITE:
        yield buffer
        return

    for start in range(0, len(buffer), _WRITE):
        yield buffer[start : start + _WRITE]


def _resolve(core: ModuleType, host: str, port: int, timeout: float | None) -> list[str]:
    """
    The addresses of *host*, in time.

    `getaddrinfo` can't be interrupted: a thread of its own is left behind
    when it hangs.
    """
    try:
        return _looking_up(host, port).result(left(timeout, core.ConnectTimeout))
    except TimeoutError:
        raise core.ConnectTimeout("name resolution") from None
    except OSError as exc:
        # From inside the handler: httpcore drops the cause, not the context.
        raise core.ConnectError(str(exc)) from exc


async def _resolve_async(
    core: ModuleType, host: str, port: int, seconds: float | None
) -> list[str]:
    """
    The same for an event loop, whose own executor would be waited for at its
    end.
    """
    try:
        async with asyncio.timeout(left(seconds, core.ConnectTimeout)):
            return await asyncio.wrap_future(_looking_up(host, port))
    except TimeoutError:
        raise core.ConnectTimeout("name resolution") from None
    except OSError as exc:
        raise core.ConnectError(str(exc)) from exc


def _looking_up(host: str, port: int) -> "Future[list[str]]":
    answer: Future[list[str]] = Future()

    try:
        answer.set_result([str(ip_address(host))])
    except ValueError:
        threading.Thread(target=_look_up, args=(host, port, answer), daemon=True).start()

    return answer


def _look_up(host: str, port: int, answer: "Future[list[str]]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    except (OSError, UnicodeError):
        _settle(answer, None)
    else:
        _settle(answer, addresses)


def _settle(answer: "Future[list[str]]", addresses: list[str] | None) -> None:
    # Who asked may have given up, and cancelled it.
    if not answer.set_running_or_notify_cancel():
        return
    if addresses is None:
        answer.set_exception(socket.gaierror(socket.EAI_NONAME, "no such host"))
    else:
        answer.set_result(addresses)
