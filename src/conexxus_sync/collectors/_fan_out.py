"""
One collector that stands for many.
"""

import logging
from collections.abc import Callable, Iterable

import attrs

from conexxus_sync.protocols import MetricsCollector
from conexxus_sync.runs import SyncRun


_log = logging.getLogger(__name__)


def _tuple(collectors: Iterable[MetricsCollector]) -> tuple[MetricsCollector, ...]:
    return tuple(collectors)


@attrs.frozen
class FanOut:
    """
    Tells every collector; what one raises is logged and goes no further.
    """

    collectors: tuple[MetricsCollector, ...] = attrs.field(default=(), converter=_tuple)

    def run_started(self, run: SyncRun) -> None:
        for collector in self.collectors:
            _tell(collector.run_started, run)

    def run_finished(self, run: SyncRun) -> None:
        for collector in self.collectors:
            _tell(collector.run_finished, run)


def _tell(notify: Callable[[SyncRun], None], run: SyncRun) -> None:
    try:
        notify(run)
    except Exception:  # noqa: BLE001  # a collector may raise whatever it likes
        _log.exception("A collector failed on run %s", run.id)
