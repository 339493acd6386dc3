"""
Batches of sales in SQLite.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from conexxus_sync.outbox import Batch, BatchState, FrozenDraft, FrozenTransaction, exact_sum

from ._sqlite_batches import COLUMNS, batch_of, cut, insert
from ._sqlite_moments import optional_text, text
from ._sqlite_sales_dates import SqliteSalesDates
from ._sqlite_set_aside import SqliteSetAside
from ._sqlite_staging import SqliteStaging


if TYPE_CHECKING:
    from .sqlite import SqliteStore

_OPEN = "state IN ('pending', 'sending', 'unknown')"


@attrs.define
class SqliteOutbox:
    """
    Rows of `batches`, and what became of the transactions in them.

    What writes takes the connection of a transaction that is open already.

    Attributes:
        dates: When each business date was visited.
        staging: Where a day's transactions are compared.
        aside: What was set aside, and what the host contradicts.
    """

    store: "SqliteStore"
    dates: SqliteSalesDates = attrs.field(init=False)
    staging: SqliteStaging = attrs.field(init=False)
    aside: SqliteSetAside = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.dates = SqliteSalesDates(self.store)
        self.staging = SqliteStaging()
        self.aside = SqliteSetAside(self.store)

    def freeze(
        self, connection: sqlite3.Connection, drafts: Iterable[FrozenDraft], now: datetime
    ) -> None:
        """
        Store *drafts*, to be delivered in this order.
        """
        number: int | None = None

        for draft in drafts:
            if number is None:
                (number,) = connection.execute(
                    "SELECT coalesce(max(freeze), 0) + 1 FROM batches"
                    " WHERE location = ? AND business_date = ?",
                    (draft.frozen.location_id, draft.frozen.date.isoformat()),
                ).fetchone()
            insert(connection, draft, number, now)

    def divide(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        parts: Sequence[Sequence[FrozenTransaction]],
        *,
        answer: str,
        now: datetime,
    ) -> None:
        """
        Put *parts*, each a batch of its own, in the place of *batch*.
        """
        state = BatchState.RESOLVED if parts else BatchState.REJECTED
        self._close(connection, batch, state, answer, now)

        for members in parts:
            draft = FrozenDraft.of(batch.location_id, batch.business_date, members)
            insert(connection, draft, batch.freeze, now)

    def next_batch(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        *,
        after: tuple[int, int],
    ) -> Batch | None:
        """
        The next one of the date to deliver; parked ones are passed over.

        Args:
            after: Freeze and first of the one before.
        """
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM batches WHERE location = ? AND business_date = ?"  # noqa: S608  # constants
            f" AND {_OPEN} AND parked IS NULL AND (freeze, first) > (?, ?)"
            " ORDER BY freeze, first LIMIT 1",
            (location_id, business_date.isoformat(), *after),
        ).fetchall()

        return batch_of(rows[0]) if rows else None

    def open_dates(self, connection: sqlite3.Connection, location_id: str) -> list[date]:
        """
        Business dates with something to deliver, oldest first.
        """
        rows = connection.execute(
            f"SELECT DISTINCT business_date FROM batches WHERE location = ? AND {_OPEN}"  # noqa: S608  # constants
            " AND parked IS NULL ORDER BY business_date",
            (location_id,),
        )

        return [date.fromisoformat(day) for (day,) in rows]

    def body(self, connection: sqlite3.Connection, batch: Batch) -> bytes:
        """
        The bytes to send.
        """
        (body,) = connection.execute(
            "SELECT body FROM batches WHERE location = ? AND key = ?", _named(batch)
        ).fetchone()

        return bytes(body)

    def ids(self, connection: sqlite3.Connection, batch: Batch) -> list[str]:
        """
        Ids of the transactions of *batch*, in order.
        """
        rows = connection.execute(
            "SELECT id FROM batch_transactions WHERE location = ? AND key = ? ORDER BY position",
            _named(batch),
        )

        return [row[0] for row in rows]

    def members(self, connection: sqlite3.Connection, batch: Batch) -> list[FrozenTransaction]:
        """
        The transactions of *batch*, cut out of its bytes as they are.
        """
        rows = connection.execute(
            "SELECT position, id, digest, total, size FROM batch_transactions"
            " WHERE location = ? AND key = ? ORDER BY position",
            _named(batch),
        ).fetchall()

        return list(cut(self.body(connection, batch), rows))

    def undelivered(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        members: Iterable[FrozenTransaction],
    ) -> list[FrozenTransaction]:
        """
        Those of *members* that the back office does not have from before.
        """
        rows = connection.execute(
            "SELECT id FROM delivered WHERE location = ? AND business_date = ?",
            (batch.location_id, batch.business_date.isoformat()),
        )
        delivered = {row[0] for row in rows}

        return [member for member in members if member.id not in delivered]

    def mark_sending(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        now: datetime,
    ) -> None:
        """
        Record that from now on the back office may have *batch*.

        Args:
            unknown_since: Since when it may have it from an earlier attempt.
        """
        connection.execute(
            "UPDATE batches SET state = 'sending', attempts = attempts + 1, sent_at = ?,"
            " unknown_since = ? WHERE location = ? AND key = ?",
            (text(now), optional_text(unknown_since), *_named(batch)),
        )

    def mark_open(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        parked: str | None = None,
        answer: str,
    ) -> None:
        """
        Record that *batch* is still open.

        Args:
            unknown_since: None if it certainly never arrived.
            parked: Why it must not be repeated.
        """
        state = BatchState.PENDING if unknown_since is None else BatchState.UNKNOWN
        connection.execute(
            "UPDATE batches SET state = ?, unknown_since = ?, parked = ?, answer = ?"
            " WHERE location = ? AND key = ?",
            (state, optional_text(unknown_since), parked, answer, *_named(batch)),
        )

    def mark_delivered(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        *,
        refused: Collection[str] = (),
        whole_day: bool = False,
        answer: str,
        now: datetime,
    ) -> Decimal:
        """
        Record that the back office has the transactions of *batch*.

        Args:
            refused: Ids of those that it has not.
            whole_day: Whether the batch replaced all that it had of the date.

        Returns:
            Exact sum of the totals of what it has.
        """
        self._close(connection, batch, BatchState.DELIVERED, answer, now)
        day = (batch.location_id, batch.business_date.isoformat())

        if whole_day:
            connection.execute(
                "DELETE FROM delivered WHERE location = ? AND business_date = ?", day
            )

        rows = connection.execute(
            "SELECT id, digest, total FROM batch_transactions WHERE location = ? AND key = ?",
            _named(batch),
        ).fetchall()
        accepted = [row for row in rows if row[0] not in refused]
        connection.executemany(
            "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*day, *row, batch.key, text(now)) for row in accepted),
        )

        return exact_sum(Decimal(total) for _, _, total in accepted)

    def open_transactions(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        *,
        parked: bool = False,
    ) -> int:
        """
        How many transactions of the date wait to be delivered.

        Args:
            parked: Whether those that wait for an operator count, too.
        """
        (count,) = connection.execute(
            "SELECT coalesce(sum(transactions), 0) FROM batches WHERE location = ?"  # noqa: S608  # constants
            f" AND business_date = ? AND {_OPEN} AND (parked IS NULL OR ?)",
            (location_id, business_date.isoformat(), parked),
        ).fetchone()

        return int(count)

    def get(self, location_id: str, key: str) -> Batch | None:
        """
        The batch with this key.
        """
        found = self._list("location = ? AND key = ?", (location_id, key))
        return found[0] if found else None

    def batches(
        self, location_id: str, states: Collection[BatchState] = tuple(BatchState), limit: int = 100
    ) -> list[Batch]:
        """
        Batches in these *states*, latest date first.
        """
        marks = ", ".join("?" * len(states))
        return self._list(
            f"location = ? AND state IN ({marks})"
            f" ORDER BY business_date DESC, freeze DESC, first DESC LIMIT {limit:d}",
            (location_id, *states),
        )

    def counts(self, location_id: str) -> dict[BatchState, int]:
        """
        How many batches are in each state; of those without any, nothing.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM batches WHERE location = ? GROUP BY state",
                (location_id,),
            ).fetchall()

        return {BatchState(state): count for state, count in rows}

    def _list(self, where: str, values: Iterable[str]) -> list[Batch]:
        with self.store.reading() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM batches WHERE {where}",  # noqa: S608  # our own words
                tuple(values),
            ).fetchall()

        return [batch_of(row) for row in rows]

    def _close(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        state: BatchState,
        answer: str,
        now: datetime,
    ) -> None:
        connection.execute(
            "UPDATE batches SET state = ?, answer = ?, parked = NULL, settled_at = ?"
            " WHERE location = ? AND key = ?",
            (state, answer, text(now), *_named(batch)),
        )


def _named(batch: Batch) -> tuple[str, str]:
    return batch.location_id, batch.key
