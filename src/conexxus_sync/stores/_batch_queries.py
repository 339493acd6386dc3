"""
Reads batches: the next to send, open dates, members, totals.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable
from datetime import date, datetime

import attrs

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import Batch, BatchState, DateTotals, SaleKey

from ._batch_rows import COLUMNS, MEMBER, read_batch, row_key, split_body
from ._database import Database, readable, text
from ._date_totals import date_totals


_OPEN = "state IN ('pending', 'sending', 'unknown')"


@attrs.define
class SqliteBatchReader:
    """
    Reads `batches`: for a push on its connection, for people on its own.
    """

    store: Database

    def next_batch(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        *,
        after: tuple[int, int],
        rested: bool = False,
        tried: Collection[str] = (),
    ) -> Batch | None:
        """
        The next one of the date to deliver; parked ones are passed over.

        Args:
            after: Freeze and first of the one before.
            rested: Whether the one that was sent the longest time ago goes
                first, instead of the one that was frozen first.
            tried: Keys of those that are passed over.
        """
        order = "coalesce(sent_at, ''), freeze, first" if rested else "freeze, first"
        query = (
            f"SELECT {COLUMNS} FROM batches WHERE location = ? AND business_date = ?"  # noqa: S608  # constants
            f" AND {_OPEN} AND parked IS NULL AND (freeze, first) > (?, ?)"
            f" AND key NOT IN (SELECT value FROM json_each(?)) ORDER BY {order} LIMIT ?"
        )
        scope = (location_id, business_date.isoformat(), *after, json.dumps(list(tried)))

        # All of them are read only where the first can't be.
        for limit in (1, -1):
            rows = connection.execute(query, (*scope, limit)).fetchall()
            found = next(readable(rows, read_batch), None)
            if found is not None or not rows:
                return found

        return None

    def open_dates(self, connection: sqlite3.Connection, location_id: str) -> list[date]:
        """
        Business dates with something to deliver, oldest first.
        """
        rows = connection.execute(
            f"SELECT DISTINCT business_date FROM batches WHERE location = ? AND {_OPEN}"  # noqa: S608  # constants
            " AND parked IS NULL ORDER BY business_date",
            (location_id,),
        )

        return list(readable(rows, lambda row: date.fromisoformat(row[0])))

    def attempted(self, connection: sqlite3.Connection, location_id: str) -> dict[date, datetime]:
        """
        When something that is still to be delivered was last sent, by date.
        """
        rows = connection.execute(
            f"SELECT business_date, max(sent_at) FROM batches WHERE location = ? AND {_OPEN}"  # noqa: S608  # constants
            " AND parked IS NULL AND sent_at IS NOT NULL GROUP BY business_date",
            (location_id,),
        )

        return dict(
            readable(rows, lambda row: (date.fromisoformat(row[0]), datetime.fromisoformat(row[1])))
        )

    def parked(self, location_id: str) -> list[Batch]:
        """
        Batches that wait for an operator, oldest date first.
        """
        return self._list(
            f"location = ? AND {_OPEN} AND parked IS NOT NULL"
            " ORDER BY business_date, freeze, first",
            (location_id,),
        )

    def date_totals(self, location_id: str, since: date) -> list[DateTotals]:
        """
        What each business date from *since* comes to, in order.
        """
        with self.store.reading() as connection:
            return list(date_totals(connection, location_id, since))

    def mismatched(self, location_id: str) -> int:
        """
        How many transactions have lines that do not add up to their total.
        """
        with self.store.reading() as connection:
            (count,) = connection.execute(
                "SELECT coalesce(sum(mismatched), 0) FROM batches WHERE location = ?"
                " AND state NOT IN ('resolved', 'rejected')",
                (location_id,),
            ).fetchone()

        return int(count)

    def body(self, connection: sqlite3.Connection, batch: Batch) -> bytes:
        """
        The bytes to send.
        """
        (body,) = connection.execute(
            "SELECT body FROM batches WHERE location = ? AND key = ?", row_key(batch)
        ).fetchone()

        return bytes(body)

    def ids(self, connection: sqlite3.Connection, batch: Batch) -> list[str]:
        """
        Ids of the transactions of *batch*, in order.
        """
        rows = connection.execute(
            "SELECT id FROM batch_transactions WHERE location = ? AND key = ? ORDER BY position",
            row_key(batch),
        )

        return [row[0] for row in rows]

    def members(self, connection: sqlite3.Connection, batch: Batch) -> list[FrozenTransaction]:
        """
        The transactions of *batch*, cut out of its bytes as they are.
        """
        rows = connection.execute(
            f"SELECT {MEMBER} FROM batch_transactions"  # noqa: S608  # constants
            " WHERE location = ? AND key = ? ORDER BY position",
            row_key(batch),
        ).fetchall()

        return list(split_body(self.body(connection, batch), rows))

    def effective(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        sales: Collection[SaleKey],
    ) -> list[FrozenTransaction]:
        """
        What the back office has of these *sales*, as it was sent; without
        those whose bytes are gone.
        """
        day, wanted = business_date.isoformat(), set(sales)
        rows = connection.execute(
            "SELECT id, sold_second, key, revision FROM delivered"
            " WHERE location = ? AND business_date = ? AND NOT voided",
            (location_id, day),
        )
        versions = {
            SaleKey(name, second): (key, revision)
            for name, second, key, revision in rows
            if (name, second) in wanted
        }
        batches = [
            read_batch(row)
            for key in dict.fromkeys(key for key, _ in versions.values())
            for row in connection.execute(
                f"SELECT {COLUMNS} FROM batches"  # noqa: S608  # constants
                " WHERE location = ? AND key = ? AND body IS NOT NULL",
                (location_id, key),
            ).fetchall()
        ]

        return [
            member
            for batch in batches
            for member in self.members(connection, batch)
            if versions.get(member.delivered_as) == (batch.key, member.revision)
        ]

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
            "SELECT id, sold_second FROM delivered"
            " WHERE location = ? AND business_date = ? AND NOT voided",
            (batch.location_id, batch.business_date.isoformat()),
        )
        delivered = {SaleKey(*row) for row in rows}

        return [member for member in members if member.delivered_as not in delivered]

    def open_batches(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> int:
        """
        How many batches of the date are not settled.
        """
        (count,) = connection.execute(
            "SELECT count(*) FROM batches WHERE location = ?"  # noqa: S608  # constants
            f" AND business_date = ? AND {_OPEN}",
            (location_id, business_date.isoformat()),
        ).fetchone()

        return int(count)

    def delivered_since(
        self, connection: sqlite3.Connection, location_id: str, moment: datetime
    ) -> bool:
        """
        Did the back office take a batch since then?
        """
        rows = connection.execute(
            "SELECT 1 FROM batches WHERE location = ? AND settled_at >= ?"
            " AND body IS NOT NULL AND state = 'delivered' LIMIT 1",
            (location_id, text(moment)),
        ).fetchall()

        return bool(rows)

    def released(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> dict[str, str]:
        """
        Transactions of the date that an operator said were not delivered, by
        the host's names, and the keys of their batches.
        """
        rows = connection.execute(
            "SELECT t.origin, b.key FROM batches AS b CROSS JOIN batch_transactions AS t"
            " WHERE t.location = b.location AND t.key = b.key"
            " AND b.location = ? AND b.business_date = ?"
            " AND b.state = 'resolved' AND b.released ORDER BY b.settled_at",
            (location_id, business_date.isoformat()),
        )

        return dict(rows)

    def has_unknown(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> bool:
        """
        Is the fate of a batch of the date unknown?
        """
        (found,) = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM batches WHERE location = ? AND business_date = ?"
            " AND state = 'unknown')",
            (location_id, business_date.isoformat()),
        ).fetchone()

        return bool(found)

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

        return list(readable(rows, read_batch))
