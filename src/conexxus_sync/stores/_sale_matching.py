"""
Matching of a date's staged sales with the delivered and waiting ones that they are.

A sale is found by its id, its second and its register.  What is left over under an id, on both
sides, is matched in order of time: that is a sale whose timestamp changed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

import attrs

from conexxus_sync.model.sale_digests import COMPARABLE, is_unchanged

from ._database import Row, Session


HOLD_EVERY = 1_000

Day = tuple[str, str]

_TABLE = """
CREATE TEMP TABLE known (
    id TEXT NOT NULL, sold_second TEXT NOT NULL, waits INTEGER NOT NULL,
    digest BLOB, version TEXT, PRIMARY KEY (id, sold_second)
) WITHOUT ROWID
"""

# Left alone, SQLite would begin with all that was ever frozen.
OPEN_MEMBERS = """
batches AS b INDEXED BY batches_open CROSS JOIN batch_transactions AS t
WHERE b.state IN ('pending', 'sending', 'unknown') AND t.location = b.location AND t.key = b.key
"""

# What waits in quarantine or in a batch, by the host's ids; then what was
# delivered, unless something about it waits.
_FILL_QUARANTINED = """
INSERT INTO known (id, sold_second, waits, digest, version)
SELECT id, sold_second, CASE WHEN dismissed_at IS NULL THEN 1 ELSE 2 END, NULL, NULL
FROM quarantined_transactions
WHERE location = ?1 AND business_date = ?2
"""
_FILL_OPEN = f"""
INSERT INTO known (id, sold_second, waits, digest, version)
SELECT t.origin, substr(t.sold_at, 1, 19) || t.register, 1, NULL, NULL
FROM {OPEN_MEMBERS} AND b.location = ?1 AND b.business_date = ?2
ON CONFLICT (id, sold_second) DO NOTHING
"""  # noqa: S608  # constants
_FILL_DELIVERED = """
INSERT INTO known (id, sold_second, waits, digest, version)
SELECT id, sold_second, 0, digest, version FROM delivered
WHERE location = ?1 AND business_date = ?2 AND voided = 0
    AND id NOT IN (SELECT id FROM known WHERE sold_second = '')
ON CONFLICT (id, sold_second) DO NOTHING
"""

# Of equal ones the first that may be sent stays: it is one sale that the host
# returned twice.
_DROP_EQUAL = """
DELETE FROM staged WHERE position IN (
    SELECT position FROM (
        SELECT position, row_number() OVER (
            PARTITION BY id, sold_second, compared ORDER BY fault IS NOT NULL, position
        ) AS place
        FROM staged
    ) AS s WHERE place > 1
)
"""

# What was set aside before seconds were remembered has all of its id; what is
# dismissed is so whether a register is said since or not.
_MATCH_SECOND = """
UPDATE staged AS s SET twin = k.sold_second, same = CASE
    WHEN k.waits = 0 AND s.fault IS NULL AND k.digest = s.digest THEN 1 ELSE 0
END FROM known AS k
WHERE k.id = s.id AND (
    k.sold_second IN (s.sold_second, '')
    OR (k.waits = 2 AND k.sold_second = substr(s.sold_second, 1, 19))
)
"""

_LEFT_OVER = """
CREATE TEMP TABLE left_over AS
SELECT id, sold_second, row_number() OVER (PARTITION BY id ORDER BY sold_second) AS place
FROM known AS k WHERE waits < 2 AND id IN (SELECT id FROM staged WHERE twin IS NULL)
    AND NOT EXISTS (SELECT 1 FROM staged AS s WHERE s.id = k.id AND s.twin = k.sold_second)
"""
_INDEX_LEFT_OVER = "CREATE INDEX temp.left_over_by_id ON left_over (id, place)"
_PAIRS = "CREATE TEMP TABLE pairs (position INTEGER PRIMARY KEY, twin TEXT NOT NULL)"
_FILL_PAIRS = """
INSERT INTO pairs (position, twin) SELECT s.position, k.sold_second FROM (
    SELECT position, id, dense_rank() OVER (PARTITION BY id ORDER BY sold_second) AS place
    FROM staged WHERE twin IS NULL AND id IN (SELECT id FROM left_over)
) AS s CROSS JOIN left_over AS k WHERE k.id = s.id AND k.place = s.place
"""
_MATCH_LEFT_OVER = """
UPDATE staged AS s SET twin = (SELECT p.twin FROM pairs AS p WHERE p.position = s.position)
WHERE position IN (SELECT position FROM pairs)
"""

_MATCH_DIGEST = """
UPDATE staged AS s SET same = 1 FROM known AS k
WHERE k.id = s.id AND k.sold_second = s.twin AND k.waits = 0 AND s.fault IS NULL
    AND k.digest = s.digest
"""
_OTHER_DIGESTS = """
SELECT s.position, s.raw, k.version, k.digest FROM staged AS s
JOIN known AS k ON k.id = s.id AND k.sold_second = s.twin
WHERE k.waits = 0 AND s.same = 0 AND s.fault IS NULL
    AND (substr(s.sold_second, 1, 19) = substr(s.twin, 1, 19) OR ?1 <> 0) AND s.position > ?2
ORDER BY s.position LIMIT ?3
"""
_IS_SAME = "UPDATE staged SET same = 1 WHERE position = ?"
_INDEX_STAGED = "CREATE INDEX temp.staged_by_id ON staged (id, sold_second)"
_REPEATED = "SELECT 1 FROM staged GROUP BY id HAVING count(*) > 1 LIMIT 1"


@attrs.frozen(kw_only=True)
class Comparison:
    """
    What a comparison of one date works with.

    Attributes:
        day: Location and date.
        fields: Those whose change is one.
        hold: Called after three statements at most: a day may be so large that
            the lease has to be renewed meanwhile.  Not needed in a transaction,
            which keeps others from taking it.
    """

    session: Session
    day: Day
    fields: Collection[str] = COMPARABLE
    hold: Callable[[], None] = lambda: None

    def match(self) -> bool:
        """
        Find out which of the staged are known, and which of these are unchanged.

        Returns:
            Whether several were staged under one id; of equal ones, one stays.
        """
        session = self.session
        session.create_temporary(_TABLE)
        known = session.execute(_FILL_QUARANTINED, self.day).rowcount
        self.hold()
        known += session.execute(_FILL_OPEN, self.day).rowcount
        known += session.execute(_FILL_DELIVERED, self.day).rowcount
        session.execute(_INDEX_STAGED)
        self.hold()
        repeated = repeats_ids(session)
        if repeated:
            session.execute(_DROP_EQUAL)
            self.hold()
        if not known:
            return repeated

        session.execute(_MATCH_SECOND)
        self.hold()
        session.create_temporary(_LEFT_OVER, _INDEX_LEFT_OVER, _PAIRS)
        session.execute(_FILL_PAIRS)
        session.execute(_MATCH_LEFT_OVER)
        self.hold()

        at_any_time = int("timestamp" not in self.fields)
        if at_any_time:
            session.execute(_MATCH_DIGEST)

        # Made under another version, or with other fields that count.
        other = (at_any_time, -1, HOLD_EVERY)
        while rows := session.execute(_OTHER_DIGESTS, other).fetchall():
            other = (at_any_time, rows[-1][0], HOLD_EVERY)
            self.hold()
            session.executemany(_IS_SAME, list(self._unchanged(rows)))
        self.hold()

        return repeated

    def _unchanged(self, rows: Iterable[Row]) -> Iterator[tuple[int]]:
        for position, raw, version, digest in rows:
            if is_unchanged(bytes(raw), version, bytes(digest), self.fields):
                yield (position,)


def repeats_ids(session: Session) -> bool:
    """
    Are several of the staged sales under one id?
    """
    return session.execute(_REPEATED).fetchone() is not None
