"""
`Fleet`: pulls and pushes for many locations in one process.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_client.instrumentation import Hook
from conexxus_sync.errors import RunInProgressError
from conexxus_sync.model.runs import RunKind
from conexxus_sync.protocols import AnyCatalogStorage, AnyOrderSource, Clock, MetricsCollector
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.runtime.host_exceptions import ends_process
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.service import ConexxusService
from conexxus_sync.stores import LocationStore, SyncStore, open_store
from conexxus_sync.stores._lease_table import LeaseState

from ._agenda import Agenda, FleetLoad
from ._back_offices import BackOffices
from ._catalogue_hold import CatalogueHold, is_held
from ._executor_choice import new_executor
from ._fleet_file import read_fleet_file
from ._fleet_notices import FleetNotices
from ._fleet_options import FleetOptions, with_connections
from ._fleet_status import StoreStatus, fleet_status
from ._location import Location
from ._shared_hosts import HostObjects
from ._store_settings import StoreSettings, WrongStore, fleet_problems
from ._work_item import Executor, WorkItem


if TYPE_CHECKING:
    from dbos import DBOS

# How often the store is asked what is due.
ROUND_S = 5.0

# A fleet that starts has all locations to look at; what is due does not wait
# for the last of them.
LOOK_S = 1.0

# For a token of a credential; a pause after 429 takes longer.
LONGEST_TOKEN_S = 1.0

# How soon a stop is noticed.
SLICE_S = 0.5

_log = safe_logger(__name__)


class Fleet:
    """
    Runs what is due of many locations: one query, a bounded pool of workers, no
    thread and no timer per location.

    Several processes may run one fleet on one PostgreSQL: a lease in the store
    keeps a second run of one location and kind out.

    Args:
        stores: The settings of each; all have one store of the SDK.
        options: How much of the machine, and of each back office, it uses.
        wrong: Stores whose settings are wrong; they are reported and not run.
        catalog: Where the catalogues' changes go, instead of what the settings
            name; called with each location, from several threads.
        orders: Likewise, where sales come from.
        collectors: Who watches the runs.
        hooks: Makes the hooks of a store's client.
        clock: Where moments come from, if not from the system.
        executor: Makes what runs the items, of a function that runs one, instead
            of what the options name.
        dbos: The host's own DBOS, launched, instead of one that the executor `dbos`
            launches.

    Raises:
        ConfigurationError: There is no store, two have one location, or the
            executor is not installed.
        StoreError: The executor does not start.
    """

    def __init__(
        self,
        stores: Iterable[StoreSettings],
        *,
        options: FleetOptions | None = None,
        wrong: Iterable[WrongStore] = (),
        catalog: AnyCatalogStorage | None = None,
        orders: AnyOrderSource | None = None,
        collectors: Iterable[MetricsCollector] = (),
        hooks: Callable[[StoreSettings], Iterable[Hook]] = lambda _: (),
        clock: Clock | None = None,
        executor: Callable[[Callable[[WorkItem], None]], Executor] | None = None,
        dbos: "DBOS | None" = None,
    ) -> None:
        self.options: FleetOptions = options or FleetOptions()
        self.wrong: tuple[WrongStore, ...] = tuple(wrong)
        stores = tuple(stores)
        if problems := list(fleet_problems(stores, self.options.name)):
            raise ConfigurationError(problems)

        self.clock: Clock = clock or SystemClock()
        self.store: SyncStore = open_store(with_connections(stores[0].sync.store, self.options))
        self._wake = threading.Event()
        self.offices: BackOffices = BackOffices(self.options, hooks)
        hosts, observers = HostObjects(orders, catalog), tuple(collectors)
        self.locations: Mapping[str, Location] = {
            it.location_id: Location(
                it,
                store=self.store,
                clock=self.clock,
                collectors=observers,
                offices=self.offices,
                hosts=hosts,
            )
            for it in stores
        }
        self.own: LocationStore = self.store.at(self.options.name)
        self.notices: FleetNotices = FleetNotices(stores[0], self.own, self.clock, self.status)
        self._hold: CatalogueHold | None = None
        self._agenda = Agenda(self, {name: it.kinds for name, it in self.locations.items()})
        self.executor: Executor = (
            executor(self.perform)
            if executor
            else new_executor(
                self.options,
                self.perform,
                store=self.store,
                clock=self.clock,
                on_free=self._wake.set,
                dbos=dbos,
            )
        )

    @classmethod
    def from_config(
        cls,
        path: Path | str,
        *,
        environ: Mapping[str, str] | None = None,
        catalog: AnyCatalogStorage | None = None,
        orders: AnyOrderSource | None = None,
        collectors: Iterable[MetricsCollector] = (),
        hooks: Callable[[StoreSettings], Iterable[Hook]] = lambda _: (),
        clock: Clock | None = None,
        dbos: "DBOS | None" = None,
    ) -> Self:
        """
        Make a fleet of a file; see `docs/how-to/run-a-fleet.md`.

        Args:
            environ: Instead of the process's own environment.

        Raises:
            ConfigurationError: The file can't be read, or no store in it can start.
        """
        file = read_fleet_file(path, environ)

        return cls(
            file.startable(),
            options=file.options,
            wrong=file.wrong,
            catalog=catalog,
            orders=orders,
            collectors=collectors,
            hooks=hooks,
            clock=clock,
            dbos=dbos,
        )

    def run_forever(self, stop: threading.Event) -> None:
        """
        Do what is due until *stop* is set; nothing that goes wrong ends it.
        """
        for it in self.wrong:
            _log.error("Conexxus store %s does not start: %s", it.name, "; ".join(it.problems))

        next_round = time.monotonic()

        with self.notices.in_background() as look:
            while not stop.is_set():
                self._wake.clear()
                if time.monotonic() >= next_round:
                    look()
                    is_complete = self._refresh()
                    next_round = time.monotonic() + (ROUND_S if is_complete else 0.0)
                wait_s = self._dispatch_safely()
                self._wait(stop, min(wait_s, max(next_round - time.monotonic(), 0.0)))

            self.executor.close()

    def run_once(self) -> None:
        """
        Do all that is due now, and return when it is done.

        A credential that the back office has paused is not waited for.

        Raises:
            StoreError: The store can't be used.
        """
        most, next_round = self.executor.capacity(), time.monotonic()

        while True:
            self._wake.clear()
            is_idle = self.executor.capacity() >= most
            if is_idle or time.monotonic() >= next_round:
                self.executor.reconcile()
                self._hold = CatalogueHold.of(self.own)
                self._agenda.refresh(self.clock.now())
                next_round = time.monotonic() + ROUND_S
            count, wait_s = self._dispatch()
            if is_idle and not count and (wait_s > LONGEST_TOKEN_S or not any(self._startable())):
                return
            self._wake.wait(0.0 if count else min(wait_s, SLICE_S))

    def perform(self, item: WorkItem) -> None:
        """
        Make one run, if it is due still.  What goes wrong is logged, and counts
        for the location's circuit breaker.
        """
        location = self.locations.get(item.location_id)
        if location is None:
            _log.warning("Conexxus store %s is not in this fleet", item.location_id)
            return

        try:
            # As it is now, not as of the last round.
            if is_held(item, location.settings, CatalogueHold.of(self.own), self.clock.now()):
                return
            good, problem = location.run(item.kind), None
        except RunInProgressError as exc:
            _log.info("%s", exc)
            return
        except ConexxusError as exc:
            good, problem = False, str(exc)
            location.note(problem)
        except BaseException as exc:
            if ends_process(exc):
                raise
            good, problem = False, type(exc).__name__
            _log.exception("Conexxus %s of %s failed", item.kind, item.location_id)
        finally:
            self._agenda.ended(item)

        location.problem = problem
        location.breaker = location.breaker.after(failed=not good, now=self.clock.now())

    def lease_states(self, now: datetime) -> list[LeaseState]:
        """
        The leases of all locations in the store, by one query.

        Raises:
            StoreError: The store can't be used.
        """
        return self.store.lease_states(now)

    def next_start(self, location_id: str, kind: RunKind, now: datetime) -> datetime | None:
        """
        When the next run begins; None if it can't be read now, which is logged.
        """
        location = self.locations[location_id]

        try:
            return location.next_start(kind, now)
        except ConexxusError as exc:
            location.note(str(exc))
            return None

    def now(self) -> datetime:
        """
        The moment, by the fleet's clock.
        """
        return self.clock.now()

    def status(self) -> list[StoreStatus]:
        """
        How each store is, worst first, by what the SDK's own state holds.

        Raises:
            StoreError: The store can't be used.
        """
        stores = [it.settings for it in self.locations.values()]
        hold = CatalogueHold.of(self.own)
        return fleet_status(self.store, stores, self.wrong, self.clock.now(), hold)

    def load(self) -> FleetLoad:
        """
        How much is due and at work, as of the last look at the store.
        """
        return self._agenda.load(self.clock.now())

    def service(self, location_id: str) -> ConexxusService | None:
        """
        The service of one location, for its page; None if there is no such one.

        It shares the fleet's store and connections: never close it.

        Raises:
            ConfigurationError: The host's storage or order source can't be used.
        """
        location = self.locations.get(location_id)
        return None if location is None else location.service()

    def close(self) -> None:
        """
        Stop what runs, and give back connections.
        """
        self.executor.close()
        self.offices.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _refresh(self) -> bool:
        ends_at = time.monotonic() + LOOK_S

        try:
            self.executor.reconcile()
            with self.own.keep_open():
                self._hold = CatalogueHold.of(self.own)
                return self._agenda.refresh(
                    self.clock.now(), is_enough=lambda: time.monotonic() >= ends_at
                )
        except ConexxusError as exc:
            _log.error("Conexxus can't read what is due, and tries again: %s", exc)
            return True

    def _startable(self) -> Iterator[WorkItem]:
        """
        What is due of locations whose circuit is closed, and that no hold keeps.
        """
        now = self.clock.now()

        for item in self._agenda.each_due(now):
            location = self.locations[item.location_id]
            if not (
                location.breaker.is_open(now) or is_held(item, location.settings, self._hold, now)
            ):
                yield item

    def _dispatch_safely(self) -> float:
        """
        In how many seconds there may be more to hand out.
        """
        try:
            return self._dispatch()[1]
        except ConexxusError as exc:
            _log.error("Conexxus can't hand out what is due, and tries again: %s", exc)
            return ROUND_S

    def _dispatch(self) -> tuple[int, float]:
        """
        Hand out what is due, as much as is taken.

        Returns:
            How many items, and in how many seconds there may be more.
        """
        count, wait_s, at_work = 0, ROUND_S, self._at_work()
        free: int | None = None  # asked for where something is due: it may take a query

        for item in self._startable():
            free = self.executor.capacity() if free is None else free
            if count >= free:
                break
            store = self.locations[item.location_id].settings
            if not self.offices.has_room(store, at_work):
                continue
            if self.offices.may_begin(store):
                self._agenda.submitted(item, self.clock.now())
                self.executor.submit(item)
                at_work[store.origin] += 1
                count += 1
            else:
                wait_s = min(wait_s, self.offices.wait_s(store))

        return count, wait_s

    def _at_work(self) -> Counter[str]:
        """
        How many runs go on at each back office, by its origin.
        """
        found = (self.locations.get(name) for name, _ in self._agenda.at_work())

        return Counter(it.settings.origin for it in found if it is not None)

    def _wait(self, stop: threading.Event, seconds: float) -> None:
        ends_at = time.monotonic() + seconds

        while not stop.is_set() and (left := ends_at - time.monotonic()) > 0:
            if self._wake.wait(min(left, SLICE_S)):
                return
