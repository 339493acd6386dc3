"""
The outbox: freezes, divides and settles batches of sales.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import attrs

from conexxus_client import exact_sum
from conexxus_sync.model.frozen_sales import BatchDraft, idempotency_key
from conexxus_sync.model.sales import Batch, BatchState, SendMoment

from ._batch_queries import OPEN, BatchReader
from ._batch_rows import COLUMNS, origins, read_batch
from ._database import NO_LIMIT, text, texts
from ._freeze_numbers import Freezes
from ._operator_actions import keys
from ._sales_dates import SalesDates


# What is voided is not forgotten: another correction of it has to have another
# name.
_DELIVERED = """
INSERT INTO delivered (
    location, business_date, id, sold_second, version, digest, total, key, delivered_at, sold_at,
    revision, voided
)
SELECT location, ?3, origin, substr(sold_at, 1, 19) || register, version, digest, total, key, ?4,
    sold_at, revision, voids
FROM batch_transactions
WHERE location = ?1 AND key = ?2 AND position >= ?6 AND position < ?7
    AND id NOT IN (SELECT key FROM json_each(?5))
ORDER BY position
ON CONFLICT (location, business_date, id, sold_second) DO UPDATE SET
    version = excluded.version, digest = excluded.digest, total = excluded.total,
    key = excluded.key, delivered_at = excluded.delivered_at, sold_at = excluded.sold_at,
    revision = excluded.revision, voided = excluded.voided
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
        AND sold_second = ?4 AND voided <> 0
)
"""

ADOPTED = "taken for delivered by something else"

_NEXT_FREEZE = """
SELECT coalesce(max(freeze_number), 0) + 1 FROM batches WHERE location = ? AND business_date = ?
"""
_GENERATION = """
SELECT count(*) FROM batches WHERE location = ? AND business_date = ? AND digest = ?
"""
_INSERT = """
INSERT INTO batches (location, key, business_date, freeze_number, first, state, transactions,
    mismatched, total, digest, frozen_at, unknown_since, parent, released, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_MEMBER = """
INSERT INTO batch_transactions (location, key, position, id, digest, total, size, sold_at, origin,
    revision, voids, version, register)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_OPEN_UNTIL = f"""
SELECT {COLUMNS} FROM batches WHERE location = ? AND business_date <= ? AND {OPEN}
ORDER BY business_date, freeze_number, first
"""  # noqa: S608  # constants
_RESOLVE = "UPDATE batches SET state = 'resolved' WHERE location = ? AND key = ?"
# Others that were not sent for longer have their turn before it.
_KEEP_TURN = """
UPDATE batches SET sent_at = (SELECT sent_at FROM batches WHERE location = ?1 AND key = ?2)
WHERE location = ?1 AND key = ?3
"""
_MARK_SENDING = """
UPDATE batches SET state = 'sending', attempts = attempts + 1, sent_at = ?, unknown_since = ?,
    forced = 0, released = 0
WHERE location = ? AND key = ?
"""
_NOTE_MOMENT = """
UPDATE batches SET sent_boot = ?, sent_uptime = ?, sent_server = ? WHERE location = ? AND key = ?
"""
_MARK_OPEN = """
UPDATE batches SET state = ?, unknown_since = ?, parked = ?, answer = ?,
    unknown_pushes = unknown_pushes + ?, released = ?
WHERE location = ? AND key = ?
"""
_CLOSE = """
UPDATE batches SET state = ?, answer = ?, parked = NULL, settled_at = ?
WHERE location = ? AND key = ?
"""
_DELIVERED_IDS = "SELECT id FROM delivered WHERE location = ? AND business_date = ?"
_CLEAR_DAY = "DELETE FROM delivered WHERE location = ? AND business_date = ?"
_CORRECTIONS = """
SELECT position, origin, substr(sold_at, 1, 19) || register, revision FROM batch_transactions
WHERE location = ?1 AND key = ?2 AND revision > 0 AND voids = 0
    AND id NOT IN (SELECT key FROM json_each(?3))
ORDER BY position
"""
_SENT = "SELECT id, origin, voids, total FROM batch_transactions WHERE location = ? AND key = ?"
_ADOPTED = """
UPDATE delivered SET key = '' WHERE location = ? AND business_date = ? AND key = ?
"""


@attrs.frozen
class Outbox(BatchReader):
    """
    Rows of `batches`, and what became of the transactions in them.
    """

    freezes: Freezes

    def freeze(self, drafts: Iterable[BatchDraft], now: datetime) -> bool:
        """
        Store *drafts*, to be delivered in this order; False if there are none.
        """
        number = 0

        for draft in drafts:
            if not number:
                day = (self.location, draft.frozen.date.isoformat())
                number = int(self.session.execute(_NEXT_FREEZE, day).fetchone()[0])
            self._insert(draft, number, now)

        if number:
            self.freezes.advance()

        return number > 0

    def divide(
        self, batch: Batch, parts: Sequence[BatchDraft], *, answer: str, now: datetime
    ) -> None:
        """
        Put *parts*, each a batch of its own, in the place of *batch*.
        """
        self._close(batch, BatchState.RESOLVED if parts else BatchState.REJECTED, answer, now)

        for draft in parts:
            self._insert(draft, batch.freeze, now)

        kept = {member.origin for draft in parts for member in draft.members}
        self._left(batch, origins(self.session, batch) - kept)

    def reopen(self, batch: Batch, draft: BatchDraft, now: datetime) -> None:
        """
        Put *draft*, which was set aside out of *batch*, in its place again.
        """
        self.session.execute(_RESOLVE, (self.location, batch.key))
        key = self._insert(draft, batch.freeze, now)
        self.session.execute(_KEEP_TURN, (self.location, batch.key, key))

    def _insert(self, draft: BatchDraft, number: int, now: datetime) -> str:
        """
        Store one batch under a key that no batch before it had; returns the key.

        Args:
            number: Of the freeze it is part of.
        """
        location_id, day, digest = self.location, draft.frozen.date, draft.digest
        scope = (location_id, day.isoformat(), digest)
        generation = self.session.execute(_GENERATION, scope).fetchone()[0]
        key = idempotency_key(
            location_id=location_id, business_date=day, digest=digest, generation=generation
        )
        self.session.execute(
            _INSERT,
            (
                *(location_id, key, day.isoformat(), number, draft.members[0].position),
                BatchState.UNKNOWN if draft.unknown_since else BatchState.PENDING,
                *(len(draft.members), sum(bool(member.mismatched) for member in draft.members)),
                *(str(draft.total), digest, *texts(now, draft.unknown_since)),
                *(draft.parent, int(draft.released), draft.frozen.body),
            ),
        )
        self.session.executemany(
            _INSERT_MEMBER,
            (
                (
                    *(location_id, key, m.position, m.id, m.digest, str(m.total), len(m.raw)),
                    *(m.sold_at, m.origin, m.revision, int(m.voids), m.version, m.register),
                )
                for m in draft.members
            ),
        )

        return key

    def mark_sending(
        self,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        now: datetime,
        moment: SendMoment | None = None,
    ) -> None:
        """
        Record that from now on the back office may have *batch*, whatever an operator
        said of it before.

        Args:
            unknown_since: Since when it may have it from an earlier attempt.
            moment: By all clocks, when the first request is sent that may arrive.
        """
        self.freezes.advance()
        row = (self.location, batch.key)
        server_time = None if moment is None else moment.server
        at, unknown, server = texts(now, unknown_since, server_time)
        self.session.execute(_MARK_SENDING, (at, unknown, *row))
        if moment is not None:
            self.session.execute(_NOTE_MOMENT, (moment.boot, moment.uptime, server, *row))

    def mark_open(
        self,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        parked: str | None = None,
        answer: str,
        counts: bool = False,
        released: bool = False,
    ) -> None:
        """
        Record that *batch* is still open.

        Args:
            unknown_since: None if it certainly never arrived.
            parked: Why it must not be repeated.
            counts: Whether this is one more push that did not learn its fate.
            released: Whether what an operator said of it is still true.
        """
        state = BatchState.PENDING if unknown_since is None else BatchState.UNKNOWN
        self.session.execute(
            _MARK_OPEN,
            (
                state,
                *texts(unknown_since),
                parked,
                answer,
                *(int(counts), int(released)),
                *(self.location, batch.key),
            ),
        )

    def mark_delivered(
        self,
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
        self._close(batch, BatchState.DELIVERED, answer, now)
        day = (batch.location_id, batch.business_date.isoformat())
        gone = set[str]()

        if replaces_day:
            gone = {row[0] for row in self.session.execute(_DELIVERED_IDS, day).fetchall()}
            self.session.execute(_CLEAR_DAY, day)

        rows = self.session.execute(_SENT, (self.location, batch.key)).fetchall()
        accepted = [row for row in rows if row[0] not in refused]
        there = {origin for _, origin, voids, _ in accepted if not voids}
        self._left(batch, gone.union(row[1] for row in rows) - there)
        self._deliver(batch, refused, now)

        return exact_sum(Decimal(row[3]) for row in accepted) if refused else batch.total

    def _deliver(self, batch: Batch, refused: Collection[str], now: datetime) -> None:
        """
        Enter the members of *batch* in order, but for those *refused*: what a
        correction replaces is settled when its turn comes.
        """
        day = batch.business_date.isoformat()
        besides, first = keys(refused), 0
        scope = (self.location, batch.key, day, text(now), besides)

        for position, *correction in self.session.execute(
            _CORRECTIONS, (self.location, batch.key, besides)
        ).fetchall():
            self.session.execute(_DELIVERED, (*scope, first, position))
            self.session.execute(_REPLACED, (batch.location_id, day, *correction))
            first = position

        self.session.execute(_DELIVERED, (*scope, first, NO_LIMIT))

    def adopt_open(self, last: date, *, replaces_day: bool, now: datetime) -> int:
        """
        Take the open batches up to the date *last* for delivered by something
        else; returns how many there were.
        """
        rows = self.session.execute(_OPEN_UNTIL, (self.location, last.isoformat())).fetchall()

        for batch in map(read_batch, rows):
            self.mark_delivered(batch, replaces_day=replaces_day, answer=ADOPTED, now=now)
            day = (batch.location_id, batch.business_date.isoformat())
            self.session.execute(_ADOPTED, (*day, batch.key))

        return len(rows)

    def _left(self, batch: Batch, ids: Collection[str]) -> None:
        """
        *ids*, by the host's names, are not on the date of *batch* any more.
        """
        if ids:
            dates = SalesDates(self.session, self.location)
            dates.clear_moved_visits(batch.business_date, ids)

    def _close(self, batch: Batch, state: BatchState, answer: str, now: datetime) -> None:
        self.session.execute(_CLOSE, (state, answer, text(now), self.location, batch.key))
