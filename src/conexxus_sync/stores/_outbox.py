"""
The outbox: freezes, divides and settles batches of sales.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import attrs

from conexxus_client import exact_sum
from conexxus_sync.model.frozen_sales import BatchDraft
from conexxus_sync.model.sales import Batch, BatchState, SendMoment

from ._batch_queries import SqliteBatchReader
from ._batch_rows import COLUMNS, insert, next_freeze, origins, read_batch, row_key
from ._database import optional_text, text
from ._operator_actions import SqliteOperatorActions
from ._outbox_maintenance import SqliteOutboxMaintenance
from ._sales_dates import SqliteSalesDates
from ._sales_profiles import SqliteSalesProfiles
from ._sales_quarantine import SqliteSalesQuarantine
from ._sales_staging import SqliteStaging


_DELIVERED = """
INSERT OR REPLACE INTO delivered (
    location, business_date, id, sold_second, version, digest, total, key, delivered_at, sold_at,
    revision, voided
) VALUES (?1, ?2, ?3, substr(?4, 1, 19), ?5, ?6, ?7, ?8, ?9, ?4, ?10, ?11)
"""

# What was taken back under another timestamp: that with the number of the
# revision, or else the first, is replaced by it.
_REPLACED = """
UPDATE delivered SET voided = 2
WHERE location = ?1 AND business_date = ?2 AND id = ?3 AND sold_second = (
    SELECT sold_second FROM delivered
    WHERE location = ?1 AND business_date = ?2 AND id = ?3 AND voided = 1
    ORDER BY revision <> ?5, revision LIMIT 1
) AND NOT EXISTS (
    SELECT 1 FROM delivered WHERE location = ?1 AND business_date = ?2 AND id = ?3
        AND sold_second = substr(?4, 1, 19) AND voided
)
"""

ADOPTED = "taken for delivered by something else"

_OPEN_UNTIL = f"""
SELECT {COLUMNS} FROM batches
WHERE location = ? AND business_date <= ? AND state IN ('pending', 'sending', 'unknown')
ORDER BY business_date, freeze, first
"""  # noqa: S608  # constants


@attrs.define
class SqliteOutbox(SqliteBatchReader):
    """
    Rows of `batches`, and what became of the transactions in them.

    What writes takes the connection of a transaction that is open already.

    Attributes:
        dates: When each business date was visited.
        staging: Where a day's transactions are compared.
        quarantine: What was set aside, and what the host contradicts.
        maintenance: What people, and time, do to them.
        profiles: With which profile of the back office they are sent.
        actions: What operators did, when, and why.
    """

    dates: SqliteSalesDates = attrs.field(init=False)
    staging: SqliteStaging = attrs.field(init=False)
    quarantine: SqliteSalesQuarantine = attrs.field(init=False)
    maintenance: SqliteOutboxMaintenance = attrs.field(init=False)
    profiles: SqliteSalesProfiles = attrs.field(init=False)
    actions: SqliteOperatorActions = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.dates = SqliteSalesDates(self.store)
        self.staging = SqliteStaging()
        self.actions = SqliteOperatorActions()
        self.quarantine = SqliteSalesQuarantine(self.store)
        self.maintenance = SqliteOutboxMaintenance(self.store, self.dates, self.actions)
        self.profiles = SqliteSalesProfiles(self.store)

    def freeze(
        self, connection: sqlite3.Connection, drafts: Iterable[BatchDraft], now: datetime
    ) -> bool:
        """
        Store *drafts*, to be delivered in this order; False if there are none.
        """
        number, location_id = 0, None

        for draft in drafts:
            number = number or next_freeze(connection, draft)
            insert(connection, draft, number, now)
            location_id = draft.frozen.location_id

        if location_id is not None:
            self.store.freezes.advance(connection, location_id)

        return number > 0

    def divide(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        parts: Sequence[BatchDraft],
        *,
        answer: str,
        now: datetime,
    ) -> None:
        """
        Put *parts*, each a batch of its own, in the place of *batch*.
        """
        state = BatchState.RESOLVED if parts else BatchState.REJECTED
        self._close(connection, batch, state, answer, now)

        for draft in parts:
            insert(connection, draft, batch.freeze, now)

        kept = {member.origin for draft in parts for member in draft.members}
        self._left(connection, batch, origins(connection, batch) - kept)

    def reopen(
        self, connection: sqlite3.Connection, batch: Batch, draft: BatchDraft, now: datetime
    ) -> None:
        """
        Put *draft*, which was set aside out of *batch*, in its place again.
        """
        connection.execute(
            "UPDATE batches SET state = 'resolved' WHERE location = ? AND key = ?", row_key(batch)
        )
        key = insert(connection, draft, batch.freeze, now)
        # Others that were not sent for longer have their turn before it.
        connection.execute(
            "UPDATE batches SET sent_at = (SELECT sent_at FROM batches WHERE location = ?1"
            " AND key = ?2) WHERE location = ?1 AND key = ?3",
            (*row_key(batch), key),
        )

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
        self.store.freezes.advance(connection, batch.location_id)
        connection.execute(
            "UPDATE batches SET state = 'sending', attempts = attempts + 1, sent_at = ?,"
            " unknown_since = ?, forced = 0 WHERE location = ? AND key = ?",
            (text(now), optional_text(unknown_since), *row_key(batch)),
        )

    def note_moment(self, connection: sqlite3.Connection, batch: Batch, moment: SendMoment) -> None:
        """
        Record by all clocks when the first request leaves that may arrive.
        """
        connection.execute(
            "UPDATE batches SET sent_boot = ?, sent_uptime = ?, sent_server = ?"
            " WHERE location = ? AND key = ?",
            (moment.boot, moment.uptime, optional_text(moment.server), *row_key(batch)),
        )

    def mark_open(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        parked: str | None = None,
        answer: str,
        counts: bool = False,
    ) -> None:
        """
        Record that *batch* is still open.

        Args:
            unknown_since: None if it certainly never arrived.
            parked: Why it must not be repeated.
            counts: Whether this is one more push that did not learn its fate.
        """
        state = BatchState.PENDING if unknown_since is None else BatchState.UNKNOWN
        connection.execute(
            "UPDATE batches SET state = ?, unknown_since = ?, parked = ?, answer = ?,"
            " unknown_pushes = unknown_pushes + ? WHERE location = ? AND key = ?",
            (state, optional_text(unknown_since), parked, answer, counts, *row_key(batch)),
        )

    def mark_delivered(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        *,
        refused: Collection[str] = (),
        replaces_day: bool = False,
        answer: str,
        now: datetime,
    ) -> Decimal:
        """
        Record that the back office has the transactions of *batch*.

        Args:
            refused: Ids of those that it has not.
            replaces_day: Whether the batch replaced all that it had of the date.

        Returns:
            Exact sum of the totals of what it has.
        """
        self._close(connection, batch, BatchState.DELIVERED, answer, now)
        day = (batch.location_id, batch.business_date.isoformat())
        gone = set[str]()

        if replaces_day:
            before = connection.execute(
                "SELECT id FROM delivered WHERE location = ? AND business_date = ?", day
            )
            gone = {row[0] for row in before}
            connection.execute(
                "DELETE FROM delivered WHERE location = ? AND business_date = ?", day
            )

        rows = connection.execute(
            "SELECT id, digest, version, total, sold_at, origin, revision, voids"
            " FROM batch_transactions"
            " WHERE location = ? AND key = ? ORDER BY position",
            row_key(batch),
        ).fetchall()
        accepted = [row for row in rows if row[0] not in refused]
        there = {origin for *_, origin, _, voids in accepted if not voids}
        self._left(connection, batch, gone.union(row[5] for row in rows) - there)
        # What is voided is not forgotten: another correction of it has to
        # have another name.
        for _, digest, version, total, sold_at, origin, revision, voids in accepted:
            if revision and not voids:
                connection.execute(_REPLACED, (*day, origin, sold_at, revision))
            connection.execute(
                _DELIVERED,
                (
                    *(*day, origin, sold_at, version, digest, total, batch.key, text(now)),
                    *(revision, voids),
                ),
            )

        return exact_sum(Decimal(row[3]) for row in accepted)

    def adopt_open(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        last: date,
        *,
        replaces_day: bool,
        now: datetime,
    ) -> int:
        """
        Take the open batches up to the date *last* for delivered by something
        else; returns how many there were.
        """
        rows = connection.execute(_OPEN_UNTIL, (location_id, last.isoformat())).fetchall()

        for batch in map(read_batch, rows):
            self.mark_delivered(
                connection, batch, replaces_day=replaces_day, answer=ADOPTED, now=now
            )
            connection.execute(
                "UPDATE delivered SET key = '' WHERE location = ? AND business_date = ?"
                " AND key = ?",
                (location_id, batch.business_date.isoformat(), batch.key),
            )

        return len(rows)

    def _left(self, connection: sqlite3.Connection, batch: Batch, ids: Collection[str]) -> None:
        """
        *ids*, by the host's names, are not on the date of *batch* any more.
        """
        self.dates.clear_moved_visits(connection, batch.location_id, batch.business_date, ids)

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
            (state, answer, text(now), *row_key(batch)),
        )
