"""
The scheduler: pulls at their interval, due pushes, orderly shutdown.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import RunInProgressError
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.runtime.clock import SettableClock
from conexxus_sync.runtime.host_exceptions import ends_process
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.runtime.threads import JobThread
from conexxus_sync.sales import HangingSource, SalesPush
from conexxus_sync.stores import LocationStore

from ._background_runs import BackgroundRun, BackgroundRuns


# The longest pause: a laptop that slept, or a clock that was set, gives no
# signal.
LONGEST_WAIT_S = 60.0

# A pull or push that takes longer than this is overtaken by the other one.
PATIENCE_S = 5.0

# Service managers allow five seconds between SIGTERM and SIGKILL.
SHUTDOWN_S = 4.0

_log = safe_logger(__name__)


class Schedulable(Protocol):
    """
    Something that pulls and pushes for one location.
    """

    @property
    def missing(self) -> tuple[str, ...]: ...

    @property
    def config(self) -> SyncConfig: ...

    @property
    def store(self) -> LocationStore: ...

    @property
    def sales(self) -> SalesPush | None: ...

    @property
    def is_stopping(self) -> bool: ...

    def sync_inventory(self) -> SyncRun: ...


@attrs.define
class Scheduler:
    """
    Runs what is due.

    Attributes:
        after_push: Called after each push that was due.
    """

    service: Schedulable
    clock: SettableClock
    triggered: BackgroundRuns
    after_push: Callable[[datetime], None]
    _clock_problem: bool = attrs.field(default=False, init=False)
    _retry_at: datetime | None = attrs.field(default=None, init=False)
    _upcoming: dict[str, str] = attrs.field(factory=dict, init=False)

    def run_due(self, now: datetime) -> list[SyncRun]:
        """
        Do whatever is due at *now*, once; what runs elsewhere is left alone.

        Raises:
            ValueError: *now* is naive.
        """
        if now.utcoffset() is None:
            msg = f"run_due needs an aware moment, like datetime.now(UTC), got {now!r}"
            raise ValueError(msg)

        service = self.service

        if service.missing:
            _log.warning("Conexxus is disabled, runs are skipped: %s", "; ".join(service.missing))
            return []

        with self.clock.set_to(now):
            return [*self._pull(now), *self._push(now)]

    def run_forever(
        self, stop: threading.Event, *, after_round: Callable[[], object] = lambda: None
    ) -> None:
        """
        Do what is due until *stop* is set; nothing that goes wrong ends it.

        Pulls and pushes take place in a thread each, in turn as a rule; but
        where the host hangs in one, the other goes on without it.  When all
        shall end, runs that were triggered are stopped, too; what hangs then
        is left behind.
        """
        jobs = [_Job("pull", self._pull), _Job("push", self._push)]

        if self.service.missing:
            self.run_due(self.clock.now())
            stop.wait()

        while not stop.is_set():
            now = self.clock.now()
            for job in jobs:
                job.start(now, self.clock)
                job.thread.join(within_s=PATIENCE_S, stop=stop.is_set)
            remaining = (self._next_pull(now) - self.clock.now()).total_seconds()
            if not stop.is_set():
                self._announce(now)
                self._look_at_source()
                after_round()
                stop.wait(min(max(remaining, 1.0), LONGEST_WAIT_S))

        shut_down(self.triggered, [job.thread for job in jobs])

    def _announce(self, now: datetime) -> None:
        """
        Log when the next runs begin, each time that this has changed.
        """
        sales, zone = self.service.sales, self.service.config.timezone
        moments = {"next_pull": self._next_pull(now)}

        # What the store refuses here, the next round reports.
        with suppress(ConexxusError):
            if sales is not None:
                moments["next_push"] = sales.next_due(now)
        upcoming = {
            name: f"{moment.astimezone(zone or UTC):%Y-%m-%d %H:%M %Z}"
            for name, moment in moments.items()
            if moment > now
        }
        if upcoming and upcoming != self._upcoming:
            _log.info("Conexxus waits for the next run", extra=upcoming)
        self._upcoming = upcoming

    def _look_at_source(self) -> HangingSource | None:
        """
        The order source that hangs, for the log, whichever run called it.
        """
        return None if self.service.sales is None else self.service.sales.hanging_source

    def _pull(self, now: datetime) -> Iterator[SyncRun]:
        service = self.service

        with _unless_in_progress():
            with service.store.read() as state:
                latest = state.runs.latest(RunKind.INVENTORY)
            if self._pull_schedule.is_due(latest, now):
                latest = service.sync_inventory()
                yield latest
            self._retry_at = None if latest is None else latest.not_before or latest.retry_at

    def _next_pull(self, now: datetime) -> datetime:
        slot, again = self._pull_schedule.next_slot(now), self._retry_at

        return slot if again is None or again <= now else min(slot, again)

    @property
    def _pull_schedule(self) -> PullSchedule:
        config = self.service.config

        return PullSchedule(config.location_id, config.sync_every)

    def _push(self, now: datetime) -> Iterator[SyncRun]:
        sales = self.service.sales

        with _unless_in_progress():
            if sales is None or self.service.is_stopping:
                return
            clock_problem = sales.clock_problem(now)
            if clock_problem is not None and not self._clock_problem:
                _log.warning("Conexxus sales: %s", clock_problem)
            self._clock_problem = clock_problem is not None
            if clock_problem is None and sales.next_due(now) <= now:
                yield from sales.push(automatic=True)
                self.after_push(now)


@attrs.define(eq=False)
class _Job:
    """
    One kind of run, in a thread of its own: it calls the host, and the host
    may hang.
    """

    name: str
    work: Callable[[datetime], Iterator[SyncRun]]
    thread: JobThread = attrs.field(init=False)
    _complaint: str | None = attrs.field(default=None, init=False)

    @thread.default
    def _new_thread(self) -> JobThread:
        return JobThread(self.name)

    def start(self, now: datetime, clock: SettableClock) -> None:
        """
        Do what is due at *now*, unless something is still at work.
        """
        if not self.thread.start(lambda: self._attempt(now, clock)):
            _log.info("Conexxus %s: the one begun before is still at work", self.name)

    def _attempt(self, now: datetime, clock: SettableClock) -> None:
        """
        Nothing that goes wrong ends the scheduler.
        """
        complaint: str | None = None

        try:
            with clock.set_to(now):
                for _ in self.work(now):
                    pass
        except ConfigurationError as exc:
            # It does not mend itself while we run: once is enough.
            complaint = str(exc)
            if complaint != self._complaint:
                _log.error("Conexxus runs are not possible as configured: %s", exc)
        except ConexxusError as exc:
            _log.error("Conexxus runs failed, and are tried again: %s", exc)
        except BaseException as exc:
            # Where no thread was to be had, this may be the main one.
            if ends_process(exc):
                raise
            _log.exception("Conexxus runs failed, and are tried again")

        self._complaint = complaint


def shut_down(triggered: BackgroundRuns, jobs: Iterable[JobThread] = ()) -> None:
    """
    Wait for what is at work, together no longer than a stop may take.
    """
    ends_at = time.monotonic() + SHUTDOWN_S
    leaving: list[BackgroundRun | JobThread] = [*triggered.stop(ends_at), *jobs]

    for one in leaving:
        if not one.join(within_s=max(ends_at - time.monotonic(), 0.0)):
            _log.warning("Conexxus stops, but its %s hangs and is left behind", one.name)


@contextmanager
def _unless_in_progress() -> Iterator[None]:
    try:
        yield
    except RunInProgressError as exc:
        _log.info("%s", exc)
