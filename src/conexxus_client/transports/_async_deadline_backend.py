"""
The network backend of `_deadline_backend` for an event loop.

Apart from it, because asyncio takes as long to import as the rest of a transport.
"""

import asyncio
from types import ModuleType
from typing import Any

from ._deadline_backend import (
    checked,
    count_read,
    count_write,
    start_lookup,
    time_left,
    write_chunks,
)


def async_backend(httpcore: ModuleType) -> Any:
    """
    A deadline-aware backend for *httpcore*, which is httpcore or httpcore2.
    """

    class AsyncDeadlineBackend(httpcore.AsyncNetworkBackend):  # type: ignore[misc,name-defined]  # the family is known at run time only
        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> Any:
            addresses = await _resolve_async(httpcore, host, port, timeout)
            failure: Exception | None = None

            for number, address in enumerate(addresses):
                share = time_left(timeout, httpcore.ConnectTimeout)
                share = share and share / (len(addresses) - number)
                try:
                    stream = await httpcore.AnyIOBackend().connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                    return AsyncDeadlineStream(stream)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                    failure = exc

            raise failure or httpcore.ConnectError(f"{host} has no address")

    class AsyncDeadlineStream(httpcore.AsyncNetworkStream):  # type: ignore[misc,name-defined]  # see above
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def read(
            self,
            max_bytes: int,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        ) -> bytes:
            count_read()
            return checked(
                await self._stream.read(max_bytes, time_left(timeout, httpcore.ReadTimeout))
            )

        async def write(
            self,
            buffer: bytes,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        ) -> None:
            count_write()
            for part in write_chunks(buffer):
                await self._stream.write(part, time_left(timeout, httpcore.WriteTimeout))

        async def aclose(self) -> None:
            await self._stream.aclose()

        async def start_tls(
            self,
            ssl_context: Any,
            server_hostname: Any = None,
            timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        ) -> Any:
            remaining_s = time_left(timeout, httpcore.ConnectTimeout)
            stream = await self._stream.start_tls(ssl_context, server_hostname, remaining_s)
            return AsyncDeadlineStream(stream)

        def get_extra_info(self, info: str) -> Any:
            return self._stream.get_extra_info(info)

    return AsyncDeadlineBackend()


async def _resolve_async(
    httpcore: ModuleType, host: str, port: int, seconds: float | None
) -> list[str]:
    """
    The addresses of *host*, in time; the loop's own executor would be waited
    for at its end.
    """
    try:
        async with asyncio.timeout(time_left(seconds, httpcore.ConnectTimeout)):
            return await asyncio.wrap_future(start_lookup(host, port))
    except TimeoutError:
        raise httpcore.ConnectTimeout("name resolution") from None
    except OSError as exc:
        raise httpcore.ConnectError(str(exc)) from exc
