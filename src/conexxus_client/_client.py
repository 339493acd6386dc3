"""
The synchronous client, and the base that it shares with the asynchronous one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import date as Date  # noqa: N812  # an argument is called `date`
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar

from ._calls._auth_flow import authorized, is_refused
from ._calls._call_core import CallCore, connection_check, connection_failure
from ._calls._cancellation import cancellation_scope
from ._calls._error_body import read_error_body
from ._calls._retries import Attempts, RetryPolicy
from ._calls._retry_wait import retry_hook
from ._calls._wire_types import Call, Limits, Response, Transport
from ._catalogue._catalog_stream import CatalogRead, valid_items
from ._catalogue._pagination import Pagination
from ._codec import DayTotals, FrozenBatch
from .config import ApiProfile, ClientConfig
from .instrumentation import Hook
from .models import ApiHealth, ConnectionCheck, InvalidItem, Item, PushReceipt, SalesBatch
from .transports import open_transport


T = TypeVar("T")


class _BaseClient:
    """
    What both clients have in common: everything but sending.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        profile: ApiProfile | None = None,
        retry_policy: RetryPolicy | None = None,
        hooks: Iterable[Hook] = (),
    ) -> None:
        self._core = CallCore(
            config=config,
            profile=profile or ApiProfile(),
            policy=retry_policy
            or RetryPolicy(retries=config.retries, delay=config.retry_delay_ms / 1000),
            hooks=tuple(hooks),
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """
        Make a client from the documented environment variables.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        return cls(ClientConfig.from_env(environ), profile=ApiProfile.from_env(environ))

    @property
    def config(self) -> ClientConfig:
        """
        The settings it was made with.
        """
        return self._core.config

    @property
    def profile(self) -> ApiProfile:
        """
        How the back office speaks.
        """
        return self._core.profile

    @property
    def server_time(self) -> datetime | None:
        """
        What the back office's clock shows now, by the `Date` of its last good
        answer to a health call or a push; None before the first.
        """
        return self._core.server_time

    def add_hook(self, hook: Hook) -> None:
        """
        Call *hook* after each attempt and each call from now on.
        """
        self._core.hooks = (*self._core.hooks, hook)

    def _pagination(
        self, etag: str | None, cursor: str | None, known: Mapping[bytes, int] | None
    ) -> Pagination:
        """
        The catalogue's pages, from *cursor* on.
        """
        return Pagination(self._core.endpoints, etag, cursor, known)


class ConexxusClient(_BaseClient):
    """
    Speaks to the back office.  Thread-safe; close it, or use it with `with`.

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
        transport: Transport | None = None,
        http_client: object = None,
        profile: ApiProfile | None = None,
        retry_policy: RetryPolicy | None = None,
        hooks: Iterable[Hook] = (),
    ) -> None:
        super().__init__(config, profile=profile, retry_policy=retry_policy, hooks=hooks)
        self._transport = transport or open_transport(config, http_client)

    def health(self) -> ApiHealth:
        """
        Ask how the back office is.

        Raises:
            ConexxusError: It can't be asked.
        """
        return self._send(self._core.endpoints.health())

    def test_connection(self) -> ConnectionCheck:
        """
        Find out whether everything is set up right.  Never raises.
        """
        try:
            return connection_check(self.health())
        except Exception as exc:  # noqa: BLE001  # it never raises, whatever a transport does
            return connection_failure(exc)

    def iter_items(
        self, *, on_invalid: Callable[[InvalidItem], None] | None = None
    ) -> Iterator[Item]:
        """
        Read the catalogue in constant memory.

        Items are provisional until the iterator is exhausted.

        Args:
            on_invalid: Gets what is no item; without it, that raises.

        Raises:
            ConexxusError: The catalogue can't be read to its end.
        """
        with self.open_catalog() as read:
            for elements in read.pages:
                yield from valid_items(elements, on_invalid)

    def fetch_items(self) -> list[Item]:
        """
        Read the whole catalogue, or raise.

        Raises:
            ConexxusError: It can't be read, or holds an invalid item.
        """
        return list(self.iter_items())

    @contextmanager
    def open_catalog(
        self,
        etag: str | None = None,
        cursor: str | None = None,
        *,
        known: Mapping[bytes, int] | None = None,
    ) -> Iterator[CatalogRead]:
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
        read = CatalogRead(self._core, self._pagination(etag, cursor, known), self._transport)

        try:
            read.open()
            yield read
        finally:
            read.close()

    def push_sales(
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

        return self._send(call)

    def day_totals(self, date: Date, *, location_id: str | None = None) -> DayTotals:
        """
        Read what a business date comes to in the back office's books.

        Args:
            location_id: By default, that of the settings.

        Raises:
            ConexxusError: They can't be had; a `NotFoundError` where the back
                office offers none.
        """
        return self._send(
            self._core.endpoints.day_totals(date, location_id or self.config.location_id)
        )

    def stopping(self, stop: Callable[[], bool]) -> AbstractContextManager[None]:
        """
        Let calls of this thread end early.

        Until the end of the block, they end soon once *stop* is true: no wait
        goes on, no attempt begins, no answer is waited for.  Each raises with
        what is known of its delivery.  Other threads, and later calls, notice
        nothing.  A connection that is being made, and an injected
        `http_client`, go on to their own time-outs.
        """
        return cancellation_scope(stop)

    def close(self) -> None:
        """
        Give back connections.  Closing twice is harmless.
        """
        self._core.closed = True
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, call: Call[T]) -> T:
        """
        Send *call*, with retries, and read its answer.
        """
        attempts = self._core.attempts(call)
        failures: list[Exception] = []
        # The first time, this takes a while, which counts.  It can't wait for a
        # failure, which may be that no file can be opened.
        import stamina

        with self._core.observe_call(call.name, call.request, attempts):
            try:
                return self._attempt(call, attempts)
            except Exception as exc:  # noqa: BLE001  # stamina asks the hook about it
                failures.append(exc)

            for attempt in stamina.retry_context(retry_hook(attempts), attempts=None, timeout=None):
                with attempt:
                    if failures:
                        raise failures.pop()
                    return self._attempt(call, attempts)

        raise AssertionError("unreachable")

    def _attempt(self, call: Call[T], attempts: Attempts) -> T:
        with self._core.observe_attempt(call.name, call.request, attempts):
            limits = self._core.limits(call.timeout_ms, attempts.deadline)
            response = self._exchange(call, limits)
            if is_refused(self._core, response.status):
                response = self._exchange(call, limits)
            attempts.status = response.status
            return call.read(response)

    def _exchange(self, call: Call[T], limits: Limits) -> Response:
        request = authorized(self._core, self._transport, call.request, limits)
        started = self._core.monotonic()

        with self._transport.open(request, limits) as reply:
            good = reply.status in call.success
            body = b"".join(reply.chunks()) if good else read_error_body(reply.chunks())

        return self._core.response(reply, body, started)
