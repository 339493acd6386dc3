"""
When the next pull is due, and who does what is due.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import attrs

from conexxus_sync.errors import RunInProgressError
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.runtime.clock import SettableClock
from conexxus_sync.runtime.safe_logging import safe_logger

from ._background_runs import TriggeredRun, TriggeredRuns
from ._job_thread import Lane
from ._jobs import Schedulable


# We look at least this often: a laptop that slept, or a clock that was set,
# tells nobody.
LONGEST_WAIT_S = 60.0

# A run begins a little after the moment at which it was found due.
A_LITTLE = timedelta(minutes=5)

# A pull or push that takes longer than this is overtaken by the other one.
PATIENCE_S = 5.0

# Whoever is told to stop has five seconds.
LEAVE_AFTER_S = 4.0

_log = safe_logger(__name__)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@attrs.frozen
class PullSchedule:
    """
    Once an hour, at a minute and second that the location's name decides: a
    thousand stores do not call at the same moment.
    """

    location_id: str
    interval: timedelta = timedelta(hours=1)

    def is_due(self, latest: SyncRun | None, now: datetime) -> bool:
        """
        Has nothing been pulled since the current slot began?
        """
        # A run in the future is a clock that was set back: it counts for nothing.
        return latest is None or not self.slot(now) <= latest.start_time <= now + A_LITTLE

    def slot(self, now: datetime) -> datetime:
        """
        The last moment at which a pull fell due.
        """
        return now - (now - _EPOCH - self._offset) % self.interval

    def next_slot(self, now: datetime) -> datetime:
        """
        The next moment at which a pull falls due.
        """
        return self.slot(now) + self.interval

    @property
    def _offset(self) -> timedelta:
        digest = blake2b(self.location_id.encode(), digest_size=8).digest()
        return self.interval * (int.from_bytes(digest) / 2**64)


@attrs.define
class Scheduler:
    """
    Runs what is due.
    """

    service: Schedulable
    clock: SettableClock
    triggered: TriggeredRuns
    _doubted: bool = attrs.field(default=False, init=False)

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
        self, stop: threading.Event, *, after_round: Callable[[], None] = lambda: None
    ) -> None:
        """
        Do what is due until *stop* is set; nothing that goes wrong ends it.

        Pulls and pushes take place in a thread each, in turn as a rule; but
        where the host hangs in one, the other goes on without it.  When all
        shall end, runs that were triggered are told so, too; what hangs then
        is left behind.
        """
        schedule = PullSchedule(self.service.config.location_id)
        lanes = (Lane("pull", self._at(self._pull)), Lane("push", self._at(self._push)))

        if self.service.missing:
            self.run_due(self.clock.now())
            stop.wait()

        while not stop.is_set():
            now = self.clock.now()
            for lane in lanes:
                lane.begin(now)
                lane.wait(stop.is_set, within_s=PATIENCE_S)
            left = (schedule.next_slot(now) - self.clock.now()).total_seconds()
            if not stop.is_set():
                after_round()
                stop.wait(min(max(left, 1.0), LONGEST_WAIT_S))

        take_leave(self.triggered, lanes)

    def _at(self, job: Callable[[datetime], Iterator[SyncRun]]) -> Callable[[datetime], None]:
        """
        Does *job* at the moment that it is given, whatever time it is.
        """

        def work(now: datetime) -> None:
            with self.clock.set_to(now):
                for _ in job(now):
                    pass

        return work

    def _pull(self, now: datetime) -> Iterator[SyncRun]:
        service, location_id = self.service, self.service.config.location_id

        with _unless_in_progress():
            latest = service.store.runs.latest(location_id, RunKind.INVENTORY)
            if PullSchedule(location_id).is_due(latest, now):
                yield service.sync_inventory()

    def _push(self, now: datetime) -> Iterator[SyncRun]:
        sales = self.service.sales

        with _unless_in_progress():
            if sales is None or self.service.is_stopping:
                return
            doubt = sales.clock_doubt(now)
            if doubt is not None and not self._doubted:
                _log.warning("Conexxus sales: %s", doubt)
            self._doubted = doubt is not None
            if doubt is None and sales.next_due(now) <= now:
                yield from sales.push(automatic=True)


def take_leave(triggered: TriggeredRuns, lanes: Iterable[Lane] = ()) -> None:
    """
    Wait for what is at work, together no longer than a stop may take.
    """
    ends_at = time.monotonic() + LEAVE_AFTER_S
    leaving: list[TriggeredRun | Lane] = [*triggered.stop(ends_at), *lanes]

    for one in leaving:
        if not one.leave(within_s=max(ends_at - time.monotonic(), 0.0)):
            _log.warning("Conexxus stops, but its %s hangs and is left behind", one.name)


@contextmanager
def _unless_in_progress() -> Iterator[None]:
    try:
        yield
    except RunInProgressError as exc:
        _log.info("%s", exc)
