"""
History of runs.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.run_json import dump_run, load_run
from conexxus_sync.model.runs import RunKind, SyncRun

from ._database import Repository, text, texts


# A clock that is wrong is noticed, and set, within a day.
PROVEN_AFTER = timedelta(days=1)

# A shop may be closed for so long, and a clock ahead by no more than that
# forgets little too early.
PROVEN_FOR = timedelta(days=30)

# Instead of a kind.
_REPLAY = "replay"
_UNLISTED = "unlisted"

_SAVE = """
INSERT INTO runs (location, id, kind, business_date, status, planned, started_at, ended_at,
    document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (location, id) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at,
    document = excluded.document
"""
_GET = "SELECT document FROM runs WHERE location = ? AND id = ?"

# Straight down an index; with `OR` and `<=` it took a sort of all there are.
_LATEST = """
SELECT number, document FROM runs WHERE location = ? AND kind = ? AND planned = ?
ORDER BY number DESC LIMIT ?
"""
# Down the same index: those that failed are passed over without being read.
_LATEST_GOOD = """
SELECT document FROM runs WHERE location = ? AND kind = ? AND planned = 0
    AND status IN ('success', 'partial')
ORDER BY number DESC LIMIT 1
"""
_BETWEEN = """
SELECT 1 FROM runs WHERE location = ? AND started_at BETWEEN ? AND ?
ORDER BY number DESC LIMIT 1
"""
_PURGE = "DELETE FROM runs WHERE location = ? AND started_at < ?"


@attrs.frozen
class RunHistory(Repository):
    """
    Rows of `runs`: columns to find them by, and the run as a document.
    """

    def save(self, run: SyncRun, *, listed: bool = True) -> None:
        """
        Record *run*, or correct it.

        Args:
            listed: Whether it is part of the history; if not, it is found
                only by its id.
        """
        kind = _REPLAY if run.replayed else run.kind.value

        self.session.execute(
            _SAVE,
            (
                *(run.location_id, run.id, kind if listed else _UNLISTED),
                None if run.business_date is None else run.business_date.isoformat(),
                None if run.status is None else run.status.value,
                *(int(run.planned), *texts(run.start_time, run.end_time)),
                dump_run(run),
            ),
        )

    def get(self, run_id: str) -> SyncRun | None:
        """
        The run with this id.
        """
        return next(_readable(self.session.execute(_GET, (self.location, run_id)).fetchall()), None)

    def latest(self, kind: RunKind, *, failed: bool = True) -> SyncRun | None:
        """
        The last one that ended; a planned one does not count.

        Args:
            failed: Whether one that failed counts, too.
        """
        if failed:
            return next(iter(self.history(kind, 1)), None)

        return next(
            _readable(self.session.execute(_LATEST_GOOD, (self.location, kind)).fetchall()), None
        )

    def history(
        self, kind: RunKind | None = None, limit: int = 20, *, planned: bool = False
    ) -> list[SyncRun]:
        """
        The last that ended, latest first.

        Args:
            kind: Then, those that replayed one item don't count.
            planned: Whether those that only planned count, too.
        """
        kinds = [*RunKind, _REPLAY] if kind is None else [kind]
        asked = limit

        while True:
            rows = self._newest(kinds, 1 + planned, asked)
            runs = list(_readable(row[1:] for row in rows))
            # Where some can't be read, older ones take their places.
            if len(runs) >= limit or len(rows) < asked:
                return runs[:limit]
            asked *= 4

    def _newest(self, kinds: Sequence[str], plans: int, limit: int) -> list[tuple[int, str]]:
        newest = heapq.merge(
            *(
                self.session.execute(_LATEST, (self.location, kind, number, limit)).fetchall()
                for kind in kinds
                for number in range(plans)
            ),
            reverse=True,
        )

        return list(newest)[:limit]

    def is_safe_to_purge(self, now: datetime) -> bool:
        """
        Has the clock that shows *now* gone on for a day, by the recorded runs?

        By one that has just jumped ahead by years, everything is old.
        """
        between = texts(now - PROVEN_FOR, now - PROVEN_AFTER)

        return self.session.execute(_BETWEEN, (self.location, *between)).fetchone() is not None

    def purge(self, before: datetime) -> None:
        """
        Forget those that started before this moment.
        """
        self.session.execute(_PURGE, (self.location, text(before)))


def _readable(rows: Iterable[Sequence[str]]) -> Iterator[SyncRun]:
    """
    The runs, without those that can't be read.

    Raises:
        JSONDecodeError: One is no JSON: then the store is damaged.
    """
    for (document,) in rows:
        try:
            run = load_run(document)
        except json.JSONDecodeError:
            raise
        except Exception:  # noqa: BLE001, S112  # a value in it is none; the others count
            continue
        yield run
