"""
The runs of this process that are in progress, and their progress.
"""

import threading

import attrs

from conexxus_sync.model.runs import RunKind, SyncRun


@attrs.define
class ActiveRuns:
    """
    A collector that records what has started and not ended.
    """

    _runs: dict[RunKind, SyncRun] = attrs.field(factory=dict, init=False)
    _expected: int | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def renew(self) -> None:
        """
        In a child process: the runs are the parent's.
        """
        self._runs, self._expected, self._lock = {}, None, threading.Lock()

    def run_started(self, run: SyncRun) -> None:
        with self._lock:
            self._runs[run.kind] = run
            if run.kind is RunKind.INVENTORY:
                self._expected = None

    def run_finished(self, run: SyncRun) -> None:
        with self._lock:
            self._runs.pop(run.kind, None)

    def report_progress(self, items: int, total: int | None) -> None:
        """
        So many items of the catalogue came, of so many if that is known.
        """
        with self._lock:
            run = self._runs.get(RunKind.INVENTORY)
            if run is not None:
                self._runs[run.kind] = attrs.evolve(run, items_processed=items)
                self._expected = total

    @property
    def expected(self) -> int | None:
        """
        How many items the pull at work will bring, if the back office said.
        """
        return self._expected

    def all(self) -> tuple[SyncRun, ...]:
        """
        The runs at work, with what they have processed so far.
        """
        with self._lock:
            return tuple(self._runs.values())

    def get(self, run_id: str) -> SyncRun | None:
        """
        The run with this id, if it is at work.
        """
        return next((run for run in self.all() if run.id == run_id), None)
