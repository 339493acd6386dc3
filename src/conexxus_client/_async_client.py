"""
The asynchronous client: the synchronous one's twin.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import date as Date  # noqa: N812  # an argument is called `date`
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from ._calls._auth_flow import authorized_async, is_refused
from ._calls._call_core import connection_check, connection_failure
from ._calls._error_body import read_error_body_async
from ._calls._retries import Attempts, RetryPolicy
from ._calls._wire_types import AsyncTransport, Call, Limits, Response
from ._catalogue._async_catalog_stream import AsyncCatalogRead
from ._catalogue._catalog_stream import valid_items
from ._client import _BaseClient
from ._codec import DayTotals, FrozenBatch
from .config import ApiProfile, ClientConfig
from .instrumentation import Hook
from .models import ApiHealth, ConnectionCheck, InvalidItem, Item, PushReceipt, SalesBatch
from .transports import open_async_transport


T = TypeVar("T")


class AsyncConexxusClient(_BaseClient):
    """
    Speaks to the back office, on one event loop.

    Close it, or use it with `async with`.

    Args:
        transport: How requests leave the process, if not over httpx.
        http_client: A client of httpx or httpx2 to send with; it keeps its
            own time-outs, and is not closed.
        profile: How this back office speaks.
        retry_policy: Instead of the one that *config* describes.
        hooks: Called after each attempt and each call.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        transport: AsyncTransport | None = None,
        http_client: object = None,
        profile: ApiProfile | None = None,
        retry_policy: RetryPolicy | None = None,
        hooks: Iterable[Hook] = (),
    ) -> None:
        super().__init__(config, profile=profile, retry_policy=retry_policy, hooks=hooks)
        self._transport = transport or open_async_transport(config, http_client)

    async def health(self) -> ApiHealth:
        """
        Ask how the back office is.

        Raises:
            ConexxusError: It can't be asked.
        """
        return await self._send(self._core.endpoints.health())

    async def test_connection(self) -> ConnectionCheck:
        """
        Find out whether everything is set up right.  Never raises.
        """
        try:
            return connection_check(await self.health())
        except Exception as exc:  # noqa: BLE001  # it never raises, whatever a transport does
            return connection_failure(exc)

    async def iter_items(
        self, *, on_invalid: Callable[[InvalidItem], None] | None = None
    ) -> AsyncGenerator[Item]:
        """
        Read the catalogue in constant memory.

        Items are provisional until the iterator is exhausted.  A caller that leaves it
        early closes it with `contextlib.aclosing`, as any async generator.

        Args:
            on_invalid: Gets what is no item; without it, that raises.

        Raises:
            ConexxusError: The catalogue can't be read to its end.
        """
        async with self.open_catalog() as read, aclosing(read.pages) as pages:
            async for elements in pages:
                for item in valid_items(elements, on_invalid):
                    yield item

    async def fetch_items(self) -> list[Item]:
        """
        Read the whole catalogue, or raise.

        Raises:
            ConexxusError: It can't be read, or holds an invalid item.
        """
        return [item async for item in self.iter_items()]

    @asynccontextmanager
    async def open_catalog(
        self,
        etag: str | None = None,
        cursor: str | None = None,
        *,
        known: Mapping[bytes, int] | None = None,
    ) -> AsyncIterator[AsyncCatalogRead]:
        """
        Begin to read the catalogue.

        Args:
            etag: Of the version at hand: if it is still the newest, there is
                nothing to read.
            cursor: Page to begin with.
            known: How many elements the window with this digest has: such
                windows are only counted.  Provisional, like `windows`.
                Pass `{}` if none is: without it, windows have no digests.

        Raises:
            ConexxusError: The first page can't be had.
        """
        read = AsyncCatalogRead(self._core, self._pagination(etag, cursor, known), self._transport)

        try:
            await read.open()
            yield read
        finally:
            await read.close()

    async def push_sales(
        self,
        batch: SalesBatch | FrozenBatch,
        *,
        idempotency_key: str,
        repeat_within: timedelta | None = None,
    ) -> PushReceipt:
        """
        Push a batch of sales; every attempt has the same bytes and key.

        Args:
            repeat_within: Where the back office recognises a batch by its
                key: for how long from now it does, if not for the profile's
                whole `key_ttl`, because the batch was sent before.  After
                that, the computer's sleep included, nothing that may have
                arrived is sent again.

        Raises:
            ConexxusError: Its `delivery` says whether the batch may have
                arrived all the same.
        """
        call = self._core.endpoints.push(
            batch, idempotency_key=idempotency_key, repeat_within=repeat_within
        )

        return await self._send(call)

    async def day_totals(self, date: Date, *, location_id: str | None = None) -> DayTotals:
        """
        Read what a business date comes to in the back office's books.

        Args:
            location_id: By default, that of the settings.

        Raises:
            ConexxusError: They can't be had; a `NotFoundError` where the back
                office offers none.
        """
        return await self._send(
            self._core.endpoints.day_totals(date, location_id or self.config.location_id)
        )

    async def aclose(self) -> None:
        """
        Give back connections.  Closing twice is harmless.
        """
        self._core.closed = True
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _send(self, call: Call[T]) -> T:
        """
        Send *call*, with retries, and read its answer.
        """
        attempts = self._core.attempts(call)
        failures: list[Exception] = []
        # As in the synchronous client.
        import stamina

        with self._core.observe_call(call.name, call.request, attempts):
            try:
                return await self._attempt(call, attempts)
            except Exception as exc:  # noqa: BLE001  # stamina asks the hook about it
                failures.append(exc)

            async for attempt in stamina.retry_context(
                attempts.wait_after, attempts=None, timeout=None
            ):
                with attempt:
                    if failures:
                        raise failures.pop()
                    return await self._attempt(call, attempts)

        raise AssertionError("unreachable")

    async def _attempt(self, call: Call[T], attempts: Attempts) -> T:
        with self._core.observe_attempt(call.name, call.request, attempts):
            limits = self._core.limits(call.timeout_ms, attempts.deadline)
            response = await self._exchange(call, limits)
            if is_refused(self._core, response.status):
                response = await self._exchange(call, limits)
            attempts.status = response.status
            return call.read(response)

    async def _exchange(self, call: Call[T], limits: Limits) -> Response:
        request = await authorized_async(self._core, self._transport, call.request, limits)
        started = self._core.monotonic()

        async with self._transport.open(request, limits) as reply:
            if reply.status in call.success:
                body = b"".join([chunk async for chunk in reply.chunks()])
            else:
                body = await read_error_body_async(reply.chunks())

        return self._core.response(reply, body, started)
