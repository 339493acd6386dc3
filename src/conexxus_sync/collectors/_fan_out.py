"""
One collector that calls all the others, each with a bounded wait.
"""

import time
from collections.abc import Iterable
from functools import partial

import attrs

from conexxus_sync.model.runs import SyncRun
from conexxus_sync.protocols import MetricsCollector
from conexxus_sync.runtime.host_methods import called
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.runtime.threads import JobThread


# How long a run waits for all collectors together; a run that is asked to
# stop has five seconds.
PATIENCE_S = 2.0

# Behind one that hangs, the others have at least that long.
LEAST_PATIENCE_S = 0.25

# A collector that hangs may itself be at the log.
_PATIENCE_WITH_THE_LOG_S = 0.25

_log = safe_logger(__name__)


def _tuple(collectors: Iterable[MetricsCollector]) -> tuple[MetricsCollector, ...]:
    return tuple(collectors)


@attrs.define(eq=False)
class _Hanging:
    """
    A call that did not return in time, and how many events came since.
    """

    thread: JobThread
    missed: int = 0


@attrs.frozen
class FanOut:
    """
    Notifies every collector, one after the other.

    What one raises is logged and goes no further.  One that hangs is abandoned
    after two seconds, and notified of nothing until it returns.

    Each call has a thread of its own: in a common one, a collector that hangs
    would keep the runs from all the others, of which some are the SDK's own.
    """

    collectors: tuple[MetricsCollector, ...] = attrs.field(default=(), converter=_tuple)
    _hanging: dict[int, _Hanging] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    def run_started(self, run: SyncRun) -> None:
        self._notify("run_started", run)

    def run_finished(self, run: SyncRun) -> None:
        self._notify("run_finished", run)

    def _notify(self, event: str, run: SyncRun) -> None:
        ends_at = time.monotonic() + PATIENCE_S

        for place, collector in enumerate(self.collectors):
            if self._still_hangs(place):
                continue

            thread = JobThread(f"collector-{run.id}")
            thread.start(partial(_attempt, event, collector, run))

            if not thread.join(within_s=max(ends_at - time.monotonic(), LEAST_PATIENCE_S)):
                self._hanging[place] = _Hanging(thread)
                _warn(
                    "The collector %s does not come back; until it does, it gets no events",
                    type(collector).__name__,
                )

    def _still_hangs(self, place: int) -> bool:
        hanging = self._hanging.get(place)

        if hanging is None:
            return False
        if hanging.thread.is_running:
            hanging.missed += 1
            return True

        self._hanging.pop(place, None)
        _warn(
            "The collector %s is back; events missed so far: %d",
            type(self.collectors[place]).__name__,
            hanging.missed,
        )

        return False


def _attempt(event: str, collector: MetricsCollector, run: SyncRun) -> None:
    try:
        called(collector, event, run)
    except BaseException:  # noqa: BLE001  # a collector may raise whatever it likes
        _log.exception("A collector failed on run %s", run.id)


def _warn(message: str, *args: object) -> None:
    """
    Warn, unless it is the log that hangs.
    """
    thread = JobThread("warning")
    thread.start(partial(_log.warning, message, *args))
    thread.join(within_s=_PATIENCE_WITH_THE_LOG_S)
