"""
Staging of a date's transactions: comparison with what was delivered, in SQL.

They wait in a temporary table, on disk if there are many, so that a day of
any size costs the memory of one batch.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import count, islice

import attrs

from conexxus_sync.model.frozen_sales import SECOND, FrozenTransaction
from conexxus_sync.model.sale_digests import COMPARABLE, compared_part
from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy, SaleKey
from conexxus_sync.model.sum_checks import Mismatch

from ._correction_numbers import next_number, number_revisions
from ._database import Repository, Row, text
from ._sale_adoption import adopt, adopt_changed
from ._sale_matching import HOLD_EVERY, OPEN_MEMBERS, Comparison, repeats_ids
from ._sales_dates import SalesDates


_TABLE = """
CREATE TEMP TABLE staged (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, sold_second TEXT NOT NULL,
    digest BLOB NOT NULL, compared BLOB NOT NULL, version TEXT NOT NULL, total TEXT NOT NULL,
    raw BLOB NOT NULL, sold_at TEXT NOT NULL, fault TEXT, mismatched INTEGER NOT NULL,
    shows_card INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 0,
    twin TEXT, same INTEGER NOT NULL DEFAULT 0
)
"""

_COLUMNS = (
    "position, id, digest, version, total, raw, sold_at, fault, mismatched, shows_card,"
    " revision, twin, sold_second"
)

# Delivered, but the host no longer returns it; unless a correction of it waits.
_MISSING = """
SELECT id, sold_second FROM known AS k WHERE waits = 0 AND NOT EXISTS (
    SELECT 1 FROM staged AS s WHERE s.id = k.id AND s.twin = k.sold_second
)
"""

# It waits there, even if it changed.
_DROP_WAITING = """
DELETE FROM staged AS s WHERE EXISTS (
    SELECT 1 FROM known AS k WHERE k.id = s.id AND k.sold_second = s.twin AND k.waits > 0
)
"""

_CHANGED = """
SELECT id, twin, compared, is_told_too FROM (
    SELECT s.id, s.twin, s.compared, EXISTS (
        SELECT 1 FROM staged AS o WHERE o.id = s.id AND o.twin = s.twin AND o.same = 1
    ) AS is_told_too,
    row_number() OVER (PARTITION BY s.id, s.twin ORDER BY s.compared DESC) AS place
    FROM staged AS s WHERE s.twin IS NOT NULL AND s.same = 0
) AS c WHERE place = 1 ORDER BY id, twin
"""

# As it was when an operator accepted it: to be taken for delivered like this.
_ACCEPTED = 2
_MARK_ACCEPTED = f"""
UPDATE staged AS s SET same = {_ACCEPTED}
WHERE same = 0 AND twin IS NOT NULL AND fault IS NULL AND EXISTS (
    SELECT 1 FROM discrepancies AS d WHERE d.location = ?1 AND d.business_date = ?2
        AND d.id = s.id AND d.sold_second = s.twin AND d.kind = '{DiscrepancyKind.CHANGED}'
        AND d.digest = s.compared AND d.accepted_at IS NOT NULL
) AND NOT EXISTS (SELECT 1 FROM staged AS o WHERE o.id = s.id AND o.twin = s.twin AND o.same = 1)
"""  # noqa: S608  # constants

# Of several copies of a delivered sale, the delivered version stays if it is among them.
_DROP_OTHER_COPIES = """
DELETE FROM staged WHERE position IN (
    SELECT position FROM (
        SELECT position, row_number() OVER (
            PARTITION BY id, twin ORDER BY fault IS NOT NULL, same DESC, position
        ) AS place
        FROM staged WHERE twin IS NOT NULL
    ) AS s WHERE place > 1
)
"""
_DROP_FAULTY_COPIES = "DELETE FROM staged WHERE twin IS NOT NULL AND fault IS NOT NULL"

_FAULT_DIFFERENT = """
UPDATE staged SET fault = 'Duplicate transaction id with different data'
WHERE fault IS NULL AND twin IS NULL AND (id, sold_second) IN (
    SELECT id, sold_second FROM staged GROUP BY id, sold_second HAVING count(*) > 1
)
"""

# To a server that recognises transactions by their id alone, it is a repetition.
_FAULT_SAME_ID = """
UPDATE staged AS s SET fault = 'Transaction id was used by another sale of this business date'
WHERE fault IS NULL AND twin IS NULL AND revision = 0 AND (
    id IN (SELECT id FROM known)
    OR id IN (SELECT id FROM delivered WHERE location = ?1 AND business_date = ?2)
    OR position > (SELECT min(position) FROM staged AS o WHERE o.id = s.id AND o.fault IS NULL)
)
"""

_FAULT_CORRECTION = """
UPDATE staged AS s SET fault = 'Transaction id was used by a correction of another sale'
WHERE fault IS NULL AND twin IS NULL AND revision = 0 AND EXISTS (
    SELECT 1 FROM batch_transactions AS t INDEXED BY corrections_by_id
    WHERE t.location = ?1 AND t.id = s.id AND t.revision > 0
)
"""

_OPEN_ELSEWHERE = "CREATE TEMP TABLE open_elsewhere (id TEXT, sold_second TEXT)"
_FILL_ELSEWHERE = f"""
INSERT INTO open_elsewhere (id, sold_second)
SELECT DISTINCT t.origin, substr(t.sold_at, 1, 19) || t.register
FROM {OPEN_MEMBERS} AND b.location = ?1 AND b.business_date <> ?2
"""  # noqa: S608  # constants

# Its place is on another date, where it is, or is about to be, delivered.  Left
# alone, SQLite would read all that was ever delivered, for each of them.
_ELSEWHERE = """
s.fault IS NULL AND s.twin IS NULL AND (
    EXISTS (
        SELECT 1 FROM delivered AS d INDEXED BY delivered_by_id
        WHERE d.location = ?1 AND d.id = s.id AND d.business_date <> ?2 {delivered}
    ) OR EXISTS (SELECT 1 FROM open_elsewhere AS d WHERE d.id = s.id {waiting})
)
"""
# What was delivered without a register may say it since.
_SAME_PLACE = "d.sold_second IN (s.sold_second, substr(s.sold_second, 1, 19))"
_SAME_ID = _ELSEWHERE.format(delivered="", waiting="")
_SAME_SALE = _ELSEWHERE.format(
    delivered=f"AND {_SAME_PLACE} AND d.voided = 0", waiting=f"AND {_SAME_PLACE}"
)

# A server that recognises transactions by their id alone would pass it over.
_FAULT_ELSEWHERE = f"""
UPDATE staged AS s SET fault = 'Transaction id was used on another business date' WHERE {_SAME_ID}
"""  # noqa: S608  # constants

_TOLD_TWICE = f"SELECT id, sold_second, compared FROM staged AS s WHERE {_SAME_SALE}"  # noqa: S608  # constants
_DROP_TOLD_TWICE = f"DELETE FROM staged AS s WHERE {_SAME_SALE}"  # noqa: S608  # constants

_FRESH = f"""
SELECT {_COLUMNS} FROM staged WHERE fault IS NULL AND twin IS NULL ORDER BY position
"""  # noqa: S608  # constants

# Those with one id go apart from each other: a refusal names an id.
_FRESH_APART = f"""
SELECT {_COLUMNS} FROM staged WHERE fault IS NULL AND twin IS NULL
ORDER BY row_number() OVER (PARTITION BY id ORDER BY position), position
"""  # noqa: S608  # constants

_INDEX_ELSEWHERE = "CREATE INDEX temp.elsewhere_by_id ON open_elsewhere (id)"
_FILL = """
INSERT INTO staged (position, id, sold_second, digest, compared, version, total, raw, sold_at,
    fault, mismatched, shows_card)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UNSETTLED = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM staged WHERE same = 0)
    OR EXISTS (SELECT 1 FROM known WHERE waits <> 0)
"""
_DELIVERED_COUNT = "SELECT count(*) FROM known WHERE waits = 0"
_CORRECTED = "SELECT id, twin FROM staged WHERE fault IS NULL AND twin IS NOT NULL AND same = 0"
_WHOLE = f"SELECT {_COLUMNS} FROM staged WHERE fault IS NULL ORDER BY position"  # noqa: S608  # constants
_FAULTY = f"SELECT {_COLUMNS} FROM staged WHERE fault IS NOT NULL ORDER BY position"  # noqa: S608  # constants


@attrs.frozen
class SalesStaging(Repository):
    """
    A temporary table on the connection of one unit of work.
    """

    def fill(self, transactions: Iterable[FrozenTransaction], *, fields: Collection[str]) -> None:
        """
        Stage what the host returns for one date.

        Args:
            fields: Those whose change is one.
        """
        self.session.create_temporary(_TABLE)

        rows = (
            (
                *(t.position, t.id, t.sold_second),
                *(t.digest, compared_part(t.digest, fields), t.version),
                *(str(t.total), t.raw, t.sold_at, t.fault),
                *(int(t.mismatched), int(t.has_card_number)),
            )
            for t in transactions
        )

        # While the host is asked, no transaction is open: the lease may have
        # to be renewed.
        while some := list(islice(rows, HOLD_EVERY)):
            with self.session.filling():
                self.session.executemany(_FILL, some)

    def compare(
        self,
        business_date: date,
        *,
        ids_are_global: bool,
        fields: Collection[str],
        hold: Callable[[], None],
    ) -> list[FoundDiscrepancy]:
        """
        Compare what is staged with what is known, and drop what waits.

        Args:
            ids_are_global: Whether the same id on another date is the same
                transaction to the back office.
            fields: Those whose change is one.
            hold: Called again and again, to renew the lease.

        Returns:
            How the host contradicts what was delivered.
        """
        comparison = self._comparison(business_date, fields=fields, hold=hold)
        session = self.session
        repeated = comparison.match()
        missing = session.execute(_MISSING).fetchall()
        session.execute(_DROP_WAITING)
        changed = session.execute(_CHANGED).fetchall()
        hold()
        if changed:
            session.execute(_MARK_ACCEPTED, comparison.day)
            hold()
        if repeated and repeats_ids(session):
            session.execute(_DROP_OTHER_COPIES)
            session.execute(_FAULT_DIFFERENT)
            hold()
        session.execute(_DROP_FAULTY_COPIES)
        number_revisions(comparison)
        twice = self._place(comparison, ids_are_global=ids_are_global)

        return [
            *(_found(DiscrepancyKind.ELSEWHERE, *row) for row in twice),
            *(_found(DiscrepancyKind.CHANGED, *row) for row in changed),
            *(_found(DiscrepancyKind.MISSING, *row) for row in missing),
        ]

    def _place(self, comparison: Comparison, *, ids_are_global: bool) -> list[Row]:
        """
        Set aside or drop what was used, or is, elsewhere; returns the latter.
        """
        session, day = self.session, comparison.day
        session.create_temporary(_OPEN_ELSEWHERE)
        session.execute(_FILL_ELSEWHERE, day)
        session.execute(_INDEX_ELSEWHERE)

        if ids_are_global:
            session.execute(_FAULT_SAME_ID, day)
            comparison.hold()
            session.execute(_FAULT_CORRECTION, day[:1])
            session.execute(_FAULT_ELSEWHERE, day)
            comparison.hold()
            return []

        twice = session.execute(_TOLD_TWICE, day).fetchall()
        comparison.hold()
        if twice:
            session.execute(_DROP_TOLD_TWICE, day)
            comparison.hold()

        return twice

    def fresh(self) -> Iterator[FrozenTransaction]:
        """
        What was never delivered and may be sent, in the host's order and with
        new positions; of those with the same id, one after the others.
        """
        rows = self.session.stream(_FRESH_APART if repeats_ids(self.session) else _FRESH)

        return map(_transaction, rows, count())

    def delivered_count(self) -> int:
        """
        How many sales of the date were delivered, of which nothing waits.
        """
        return int(self.value(_DELIVERED_COUNT))

    def is_settled(self) -> bool:
        """
        Is all that is staged delivered as it is, and does nothing wait?
        """
        return self.session.execute(_UNSETTLED).fetchone() is None

    def corrected(self) -> set[SaleKey]:
        """
        What was delivered, and may be sent as the host returns it now.
        """
        return {SaleKey(*row) for row in self.session.execute(_CORRECTED).fetchall()}

    def next_revision(self, business_date: date, *, name: str, above: int = 0) -> int:
        """
        The number of the next correction of a sale that the host calls *name*.

        Args:
            above: A number that is taken.
        """
        return next_number(self._comparison(business_date), name=name, above=above)

    def whole(self) -> Iterator[FrozenTransaction]:
        """
        All that may be sent, delivered or not, in the host's order.
        """
        return map(_transaction, self.session.stream(_WHOLE))

    def faulty(self) -> Iterator[FrozenTransaction]:
        """
        What must not be sent, each with its fault; there may be any number.
        """
        return map(_transaction, self.session.stream(_FAULTY))

    def adopt(self, business_date: date, now: datetime) -> int:
        """
        Take what is staged for delivered by something else, whatever was known
        of it; returns how many were not known before, or not like this.
        """
        SalesDates(self.session, self.location).clear_fingerprint(business_date)

        return adopt(self._comparison(business_date), text(now))

    def adopt_accepted(self, business_date: date, now: datetime) -> None:
        """
        Take for delivered what is as it was when an operator accepted it.
        """
        adopt_changed(self._comparison(business_date), text(now), same=_ACCEPTED)

    def _comparison(
        self,
        business_date: date,
        *,
        fields: Collection[str] = COMPARABLE,
        hold: Callable[[], None] = lambda: None,
    ) -> Comparison:
        day = (self.location, business_date.isoformat())

        return Comparison(session=self.session, day=day, fields=fields, hold=hold)


def _found(
    kind: DiscrepancyKind,
    name: str,
    sold_second: str,
    digest: bytes | None = None,
    is_told_too: int = 0,
) -> FoundDiscrepancy:
    return FoundDiscrepancy(
        id=name,
        sold_second=sold_second,
        kind=kind,
        digest=None if digest is None else bytes(digest),
        is_told_too=bool(is_told_too),
    )


def _transaction(row: Row, position: int | None = None) -> FrozenTransaction:
    """
    Read a row of `_COLUMNS`.

    Args:
        position: Among others than those that are staged.
    """
    place, name, digest, version, total, raw, sold_at, fault, mismatched, card = row[:10]

    return FrozenTransaction(
        position=place if position is None else position,
        id=name,
        digest=digest,
        version=version,
        total=Decimal(total),
        raw=raw,
        sold_at=sold_at,
        fault=fault,
        mismatched=Mismatch(mismatched),
        has_card_number=bool(card),
        origin=name,
        revision=row[10],
        twin=row[11],
        register=row[12][SECOND:],
    )
