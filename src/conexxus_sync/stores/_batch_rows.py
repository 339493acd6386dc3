"""
Converts one batch to rows and back.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction, idempotency_key
from conexxus_sync.model.sales import Batch, BatchState

from ._database import Row, Session, moments, texts


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


def next_freeze(session: Session, draft: BatchDraft) -> int:
    """
    The number of a freeze that comes after all others of its date.
    """
    day = (draft.frozen.location_id, draft.frozen.date.isoformat())

    return int(session.execute(_NEXT_FREEZE, day).fetchone()[0])


def insert(session: Session, draft: BatchDraft, number: int, now: datetime) -> str:
    """
    Store one batch under a key that no batch before it had.

    Args:
        number: Of the freeze it is part of.

    Returns:
        Its key.
    """
    location_id, day, digest = draft.frozen.location_id, draft.frozen.date, draft.digest
    generation = session.execute(_GENERATION, (location_id, day.isoformat(), digest)).fetchone()[0]
    key = idempotency_key(
        location_id=location_id, business_date=day, digest=digest, generation=generation
    )
    session.execute(
        _INSERT,
        (
            *(location_id, key, day.isoformat(), number, draft.members[0].position),
            BatchState.UNKNOWN if draft.unknown_since else BatchState.PENDING,
            *(len(draft.members), sum(bool(member.mismatched) for member in draft.members)),
            *(str(draft.total), digest, *texts(now, draft.unknown_since)),
            *(draft.parent, int(draft.released), draft.frozen.body),
        ),
    )
    session.executemany(
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
