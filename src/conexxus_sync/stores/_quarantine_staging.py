"""
Staging of what is wrong in a catalogue read, and its merge into the quarantine.
"""

from collections.abc import Sequence
from hashlib import blake2b

import attrs

from conexxus_sync.model.catalogue import RejectedElement

from ._database import Repository


ASIDE_TABLE = """
CREATE TEMP TABLE aside (
    number INTEGER PRIMARY KEY, sku TEXT, key TEXT, raw BLOB, reason TEXT, path TEXT,
    page INTEGER, detail TEXT
)
"""
_SET_ASIDE = (
    "INSERT INTO aside (sku, key, raw, reason, path, page, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INDEX_ASIDE = "CREATE INDEX temp.aside_by_key ON aside (key)"
# Of an element that is too large, the detail says more than what is kept of it.
_UNNAMED = """
SELECT raw, coalesce(detail, '') AS said FROM aside WHERE sku IS NULL ORDER BY raw, said
"""

_ALL_DIFFERENT = "SELECT count(*) = count(DISTINCT key) FROM aside"
_MERGE_QUARANTINE = """
INSERT INTO quarantine (location, kind, key, part, raw, reason, path, first_seen, last_seen,
    times_seen, run_id, page, detail)
SELECT ?1, 'item', key, {}, raw, reason, path, ?2, ?2, 1, ?3, page, detail FROM {}
ON CONFLICT (location, kind, key, part) DO UPDATE SET raw = excluded.raw,
    reason = excluded.reason, path = excluded.path, last_seen = excluded.last_seen,
    times_seen = quarantine.times_seen + 1, run_id = excluded.run_id, page = excluded.page,
    detail = excluded.detail
"""
_MERGE_DIFFERENT = _MERGE_QUARANTINE.format("0", "aside WHERE true ORDER BY key")
_MERGE_COPIES = _MERGE_QUARANTINE.format(
    "row_number() OVER (PARTITION BY key ORDER BY number) - 1",
    """(
    SELECT key, raw, reason, path, page, detail, number,
        row_number() OVER (PARTITION BY key, raw ORDER BY number) AS copy
    FROM aside
) AS a WHERE copy = 1""",
)
_CLEAR_QUARANTINE = """
DELETE FROM quarantine WHERE location = ? AND kind = 'item' AND run_id <> ?
"""
# Of a read that says what changed, the rest goes on to hold.
_CLEAR_CHANGED = f"""{_CLEAR_QUARANTINE} AND key IN (
    SELECT key FROM aside UNION SELECT sku FROM stage UNION SELECT sku FROM deleted
)
"""  # noqa: S608  # constants
_RELEASE = "DELETE FROM quarantine WHERE location = ? AND kind = 'item' AND key = ?"


@attrs.frozen
class QuarantineStaging(Repository):
    """
    A temporary table of elements, and rows of `quarantine`.
    """

    def add(self, rejects: Sequence[RejectedElement], page: int) -> None:
        """
        Stage what goes into quarantine.
        """
        rows = [(it.sku, _key(it), it.raw, it.reason, it.path, page, it.detail) for it in rejects]

        with self.session.filling():
            self.session.executemany(_SET_ASIDE, rows)

    def index(self) -> None:
        """
        All have been added.
        """
        self.session.execute(_INDEX_ASIDE)

    def unnamed(self) -> tuple[int, bytes]:
        """
        How many have no readable SKU, and a digest over these, in any order.
        """
        count, digest = 0, blake2b(digest_size=16)

        for raw, detail in self.session.stream(_UNNAMED):
            count += 1
            for part in (raw, detail.encode()):
                digest.update(len(part).to_bytes(8) + part)

        return count, digest.digest()

    def merge(self, run_id: str, moment: str, *, complete: bool) -> None:
        """
        What this read set aside is what the quarantine holds.

        Args:
            complete: Of all items; else, of those that it has.
        """
        self.session.execute(
            _MERGE_DIFFERENT if self.value(_ALL_DIFFERENT) else _MERGE_COPIES,
            (self.location, moment, run_id),
        )
        statement = _CLEAR_QUARANTINE if complete else _CLEAR_CHANGED
        self.session.execute(statement, (self.location, run_id))

    def release(self, key: str) -> None:
        """
        What was set aside under *key* is settled.
        """
        self.session.execute(_RELEASE, (self.location, key))


def _key(reject: RejectedElement) -> str:
    if reject.sku is not None:
        return reject.sku

    return f"#{blake2b(reject.raw, digest_size=8).hexdigest()}"
