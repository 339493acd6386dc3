"""
Reads a batch and its members from their rows.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import Batch, BatchState

from ._database import Row, Session, moments


COLUMNS = (
    "location, business_date, key, freeze_number, first, state, transactions, total, attempts,"
    " frozen_at, sent_at, unknown_since, settled_at, parked, answer, forced, mismatched,"
    " sent_boot, sent_uptime, sent_server, parent, unknown_pushes, released"
)
BODY = "SELECT body FROM batches WHERE location = ? AND key = ?"
MEMBERS = """
SELECT position, id, digest, version, total, size, sold_at, origin, revision, voids, register
FROM batch_transactions WHERE location = ? AND key = ? ORDER BY position
"""

_ORIGINS = "SELECT origin FROM batch_transactions WHERE location = ? AND key = ?"


def read_batch(row: Row) -> Batch:
    """
    Read a row of `COLUMNS`.
    """
    sent_at, unknown_since, settled_at, sent_server = moments(*row[10:13], row[19])

    return Batch(
        location_id=row[0],
        business_date=date.fromisoformat(row[1]),
        key=row[2],
        freeze=row[3],
        first=row[4],
        state=BatchState(row[5]),
        transactions=row[6],
        total=Decimal(row[7]),
        attempts=row[8],
        frozen_at=datetime.fromisoformat(row[9]),
        sent_at=sent_at,
        unknown_since=unknown_since,
        settled_at=settled_at,
        parked=row[13],
        answer=row[14],
        forced=bool(row[15]),
        mismatched=row[16],
        sent_boot=row[17],
        sent_uptime=row[18],
        sent_server=sent_server,
        parent=row[20],
        unknown_pushes=row[21],
        released=bool(row[22]),
    )


def origins(session: Session, batch: Batch) -> set[str]:
    """
    What the host calls the transactions of *batch*.
    """
    return {row[0] for row in session.execute(_ORIGINS, (batch.location_id, batch.key)).fetchall()}


def split_body(body: bytes, rows: Iterable[Row]) -> Iterator[FrozenTransaction]:
    """
    Cut the transactions out of *body*, byte for byte.

    Decoding and encoding them again might lose a digit that is equal for us,
    but not for a comparison of texts.

    Args:
        rows: Those of `MEMBERS`.
    """
    opening = b',"transactions":['
    start = body.index(opening) + len(opening)

    for row in rows:
        position, name, digest, version, total, size, sold_at, origin, revision = row[:9]
        raw = body[start : start + size]
        start += size + len(b",")
        yield FrozenTransaction(
            position=position,
            id=name,
            digest=digest,
            version=version,
            total=Decimal(total),
            raw=raw,
            sold_at=sold_at,
            origin=origin,
            revision=revision,
            voids=bool(row[9]),
            register=row[10],
        )
