"""
`BackOffices`: one pool of connections per back office, one rate per credential.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from conexxus_client import (
    AttemptDetails,
    CallDetails,
    ConexxusClient,
    ConexxusError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
)
from conexxus_client.instrumentation import Hook
from conexxus_client.transports import open_transport

from ._back_office_breaker import BackOfficeBreaker
from ._fleet_options import FleetOptions
from ._store_settings import StoreSettings
from ._token_bucket import TokenBucket


# Where 429 does not say for how long.
PAUSE_S = 30.0


class FleetRetries(RetryPolicy):
    """
    Not after a time-out: it has cost a worker for long already, and the location
    has its next run in half a minute.
    """

    def retries_after(self, error: Exception) -> bool:
        """
        Is *error* of a kind that may go away by itself, soon?
        """
        return not isinstance(error, RequestTimeoutError) and super().retries_after(error)


@attrs.define(eq=False)
class BackOffices:
    """
    The back offices of a fleet, each by the address and the way to it.

    Attributes:
        hooks: Makes the hooks of a store's client.
    """

    options: FleetOptions
    hooks: Callable[[StoreSettings], Iterable[Hook]] = lambda _: ()
    monotonic: Callable[[], float] = time.monotonic
    _transports: dict[Any, Any] = attrs.field(factory=dict, init=False)
    _buckets: dict[str, TokenBucket] = attrs.field(factory=dict, init=False)
    _breakers: dict[str, BackOfficeBreaker] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def client(self, store: StoreSettings) -> ConexxusClient:
        """
        A client with the key of *store*, on connections that it shares.
        """

        def note(details: AttemptDetails | CallDetails) -> None:
            if isinstance(details, AttemptDetails):
                self.note(store, details.error)

        config = store.client

        return ConexxusClient(
            config,
            transport=self._transport(store),
            retry_policy=FleetRetries(retries=config.retries, delay=config.retry_delay_ms / 1000),
            profile=store.profile,
            hooks=[note, *self.hooks(store)],
        )

    def note(self, store: StoreSettings, error: ConexxusError | None) -> None:
        """
        A request of *store* ended.
        """
        self.breaker(store).note(error)
        if isinstance(error, RateLimitError):
            pause_s = PAUSE_S if error.retry_after is None else error.retry_after
            with self._lock:
                self._bucket(store).pause(self.monotonic(), pause_s)

    def breaker(self, store: StoreSettings) -> BackOfficeBreaker:
        """
        How many runs go on at a time at the back office of *store*.
        """
        return self._breakers.setdefault(
            store.origin, BackOfficeBreaker(self.options.per_back_office)
        )

    def has_room(self, store: StoreSettings, at_work: Mapping[str, int]) -> bool:
        """
        May one more run go on at the back office of *store*?

        Args:
            at_work: How many there are at each, by its origin.
        """
        return at_work.get(store.origin, 0) < self.breaker(store).limit

    def may_begin(self, store: StoreSettings) -> bool:
        """
        May a run with the key of *store* begin now?  If so, it counts.
        """
        with self._lock:
            return self._bucket(store).take(self.monotonic())

    def wait_s(self, store: StoreSettings) -> float:
        """
        In how many seconds a run with the key of *store* may begin.
        """
        with self._lock:
            return self._bucket(store).wait_s(self.monotonic())

    def close(self) -> None:
        """
        Close the connections that are idle, and the others after their use.
        """
        for transport in self._transports.values():
            transport.close()

    def _bucket(self, store: StoreSettings) -> TokenBucket:
        key = f"{store.origin} {store.credential}"
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(self.options.rate, self.options.burst)

        return self._buckets[key]

    def _transport(self, store: StoreSettings) -> Any:
        config = store.client
        files = (config.ca_file, config.client_cert_file, config.client_key_file)
        key = (config.origin, files, config.proxy_url, config.http_backend)

        with self._lock:
            if key not in self._transports:
                most = max(config.max_connections, self.options.workers)
                self._transports[key] = open_transport(attrs.evolve(config, max_connections=most))

            return self._transports[key]
