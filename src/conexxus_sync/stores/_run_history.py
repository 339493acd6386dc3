"""
History of runs.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import attrs

from conexxus_sync.model.run_json import dump_run, load_run
from conexxus_sync.model.runs import RunKind, SyncRun

from ._database import Database


# Instead of a kind.
_REPLAY = "replay"
_UNLISTED = "unlisted"

# Straight down an index; with `OR` and `<=` it took a sort of all there are.
_LATEST = (
    "SELECT number, document FROM runs WHERE location = ? AND kind = ? AND planned = ?"
    " ORDER BY number DESC LIMIT ?"
)


# Down the same index: those that failed are passed over without being read.
_LATEST_GOOD = (
    "SELECT document FROM runs WHERE location = ? AND kind = ? AND planned = 0"
    " AND status IN ('success', 'partial') ORDER BY number DESC LIMIT 1"
)


@attrs.define
class SqliteRuns:
    """
    Rows of `runs`: columns to find them by, and the run as a document.
    """

    store: Database

    def save(self, connection: sqlite3.Connection, run: SyncRun, *, listed: bool = True) -> None:
        """
        Record *run* in the transaction open on *connection*, or correct it.

        Args:
            listed: Whether it is part of the history; if not, who has its id
                finds it, and nobody else.
        """
        kind = _REPLAY if run.replayed else run.kind.value

        connection.execute(
            "INSERT INTO runs (location, id, kind, business_date, status, planned, started_at,"
            " ended_at, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (location, id) DO UPDATE SET status = excluded.status,"
            " ended_at = excluded.ended_at, document = excluded.document",
            (
                *(run.location_id, run.id, kind if listed else _UNLISTED),
                None if run.business_date is None else run.business_date.isoformat(),
                None if run.status is None else run.status.value,
                *(run.planned, _text(run.start_time), _text(run.end_time), dump_run(run)),
            ),
        )

    def get(self, run_id: str) -> SyncRun | None:
        """
        The run with this id.
        """
        with self.store.reading() as connection:
            row = connection.execute("SELECT document FROM runs WHERE id = ?", (run_id,)).fetchone()

        return None if row is None else next(_readable([row[0]]), None)

    def latest(self, location_id: str, kind: RunKind, *, failed: bool = True) -> SyncRun | None:
        """
        The last one that ended; a planned one does not count.

        Args:
            failed: Whether one that failed counts, too.
        """
        if failed:
            return next(iter(self.history(location_id, kind, 1)), None)

        with self.store.reading() as connection:
            rows = connection.execute(_LATEST_GOOD, (location_id, kind)).fetchall()

        return next(_readable(row[0] for row in rows), None)

    def history(
        self,
        location_id: str,
        kind: RunKind | None = None,
        limit: int = 20,
        *,
        planned: bool = False,
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
            rows = self._newest(location_id, kinds, 1 + planned, asked)
            runs = list(_readable(row[1] for row in rows))
            # Where some can't be read, older ones take their places.
            if len(runs) >= limit or len(rows) < asked:
                return runs[:limit]
            asked *= 4

    def _newest(
        self, location_id: str, kinds: Sequence[str], plans: int, limit: int
    ) -> list[tuple[int, str]]:
        with self.store.reading() as connection:
            newest = heapq.merge(
                *(
                    connection.execute(_LATEST, (location_id, kind, number, limit))
                    for kind in kinds
                    for number in range(plans)
                ),
                reverse=True,
            )
            # To its end: a merge that is left in the middle outlives its database.
            return list(newest)[:limit]

    def any_between(
        self, connection: sqlite3.Connection, location_id: str, first: datetime, last: datetime
    ) -> bool:
        """
        Did a run start between these moments?
        """
        row = connection.execute(
            "SELECT 1 FROM runs WHERE location = ? AND started_at BETWEEN ? AND ?"
            " ORDER BY number DESC LIMIT 1",
            (location_id, _text(first), _text(last)),
        ).fetchone()

        return row is not None

    def purge(self, connection: sqlite3.Connection, location_id: str, before: datetime) -> None:
        """
        Forget those that started before this moment.
        """
        connection.execute(
            "DELETE FROM runs WHERE location = ? AND started_at < ?", (location_id, _text(before))
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _readable(documents: Iterable[str]) -> Iterator[SyncRun]:
    """
    The runs, without those that can't be read.

    Raises:
        JSONDecodeError: One is no JSON: then the store is damaged.
    """
    for document in documents:
        try:
            run = load_run(document)
        except json.JSONDecodeError:
            raise
        except Exception:  # noqa: BLE001, S112  # a value in it is none; the others count
            continue
        yield run
