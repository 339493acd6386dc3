"""
One collector that calls all the others.
"""

import time
from collections.abc import Iterable, Iterator

import attrs

from conexxus_sync.model.runs import SyncRun
from conexxus_sync.protocols import MetricsCollector

from ._observer import Observer


# How long a run waits for all collectors together; a run that is told to
# stop has five seconds.
PATIENCE_S = 2.0

# Behind one that hangs, the others have at least that long.
LEAST_PATIENCE_S = 0.25


def _tuple(collectors: Iterable[MetricsCollector]) -> tuple[MetricsCollector, ...]:
    return tuple(collectors)


@attrs.frozen
class FanOut:
    """
    Tells every collector, one after the other.

    What one raises is logged and goes no further.  One that hangs is left
    behind after two seconds, and told nothing until it comes back.
    """

    collectors: tuple[MetricsCollector, ...] = attrs.field(default=(), converter=_tuple)
    _observers: tuple[Observer, ...] = attrs.field(init=False, eq=False, repr=False)

    @_observers.default
    def _one_for_each(self) -> tuple[Observer, ...]:
        return tuple(map(Observer, self.collectors))

    def run_started(self, run: SyncRun) -> None:
        for observer, seconds in self._in_turn():
            observer.run_started(run, within_s=seconds)

    def run_finished(self, run: SyncRun) -> None:
        for observer, seconds in self._in_turn():
            observer.run_finished(run, within_s=seconds)

    def _in_turn(self) -> Iterator[tuple[Observer, float]]:
        """
        The observers, each with how long to wait for it.
        """
        ends_at = time.monotonic() + PATIENCE_S

        for observer in self._observers:
            yield observer, max(ends_at - time.monotonic(), LEAST_PATIENCE_S)
