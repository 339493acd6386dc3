"""
Calls one collector in a thread, with a bounded wait.
"""

from collections.abc import Callable
from functools import partial
from threading import Thread

import attrs

from conexxus_sync.model.runs import SyncRun
from conexxus_sync.protocols import MetricsCollector
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.runtime.threads import has_ended, start_thread


# A collector that hangs may itself be at the log.
_PATIENCE_WITH_THE_LOG_S = 0.25

_log = safe_logger(__name__)


@attrs.define(eq=False)
class Observer:
    """
    Tells a collector of runs, each time in a thread of its own.

    Nothing but a thread can be left behind when it hangs, and of the threads
    of a parent process a fork takes none along.  So there is one for each
    call, which costs a small part of the disk flush that each run has anyway,
    and none in between.

    Attributes:
        missed: What it was not told while it hung.
    """

    collector: MetricsCollector
    missed: int = attrs.field(default=0, init=False)
    _hanging: Thread | None = attrs.field(default=None, init=False)

    def run_started(self, run: SyncRun, *, within_s: float) -> None:
        self._tell(lambda: self.collector.run_started(run), run, within_s)

    def run_finished(self, run: SyncRun, *, within_s: float) -> None:
        self._tell(lambda: self.collector.run_finished(run), run, within_s)

    def _tell(self, call: Callable[[], None], run: SyncRun, within_s: float) -> None:
        """
        Make *call* and wait for it, but no longer than *within_s*.
        """
        if self._still_hangs():
            self.missed += 1
            return

        thread = start_thread(partial(_attempt, call, run), name=f"conexxus-collector-{run.id}")

        if not has_ended(thread, within_s=within_s):
            self._hanging = thread
            _say(
                "The collector %s does not come back; until it does, it is told nothing",
                self._name,
            )

    def _still_hangs(self) -> bool:
        if self._hanging is None:
            return False
        if self._hanging.is_alive():
            return True

        self._hanging = None
        _say("The collector %s is back; events missed so far: %d", self._name, self.missed)

        return False

    @property
    def _name(self) -> str:
        return type(self.collector).__name__


def _attempt(call: Callable[[], None], run: SyncRun) -> None:
    try:
        call()
    except BaseException:  # noqa: BLE001  # a collector may raise whatever it likes
        _log.exception("A collector failed on run %s", run.id)


def _say(message: str, *args: object) -> None:
    """
    Warn, unless it is the log that hangs.
    """
    has_ended(
        start_thread(partial(_log.warning, message, *args), name="conexxus-warning"),
        within_s=_PATIENCE_WITH_THE_LOG_S,
    )
