"""
Runs kept in memory.
"""

from collections import deque

import attrs

from conexxus_sync.model.runs import SyncRun


@attrs.define
class InMemoryCollector:
    """
    The last runs that started and finished, for tests and small hosts.
    """

    started: deque[SyncRun] = attrs.field(factory=lambda: deque(maxlen=100))
    finished: deque[SyncRun] = attrs.field(factory=lambda: deque(maxlen=100))

    def run_started(self, run: SyncRun) -> None:
        self.started.append(run)

    def run_finished(self, run: SyncRun) -> None:
        self.finished.append(run)
