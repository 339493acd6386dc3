"""
Adoption of a date's staged sales: something else delivered them.
"""

from ._sale_matching import Comparison


_ADOPT = """
INSERT INTO delivered (
    location, business_date, id, sold_second, version, digest, total, key, delivered_at, sold_at,
    revision, voided
)
SELECT ?1, ?2, id, sold_second, version, digest, total, '', ?3, sold_at, 0, 0 FROM staged
WHERE twin IS NULL ORDER BY position
ON CONFLICT (location, business_date, id, sold_second) DO UPDATE SET
    version = excluded.version, digest = excluded.digest, total = excluded.total, key = '',
    delivered_at = excluded.delivered_at, sold_at = excluded.sold_at, voided = 0
WHERE delivered.voided <> 0
"""

# Delivered in another version than the host returns: the back office may have
# been corrected since, by a store that is no more.
_CHANGED_TWINS = """
SELECT id, twin, sold_second, version, digest, total, sold_at FROM (
    SELECT *, row_number() OVER (PARTITION BY id, twin ORDER BY position) AS place,
        max(same) OVER (PARTITION BY id, twin) AS any_same
    FROM staged WHERE twin IS NOT NULL
) AS t WHERE place = 1 AND any_same = ?3
"""
# What was taken back under the second that a sale has now is replaced by it.
_ADOPT_OVER = f"""
DELETE FROM delivered WHERE location = ?1 AND business_date = ?2 AND EXISTS (
    SELECT 1 FROM ({_CHANGED_TWINS}) AS s WHERE s.id = delivered.id
        AND s.sold_second = delivered.sold_second AND s.twin <> s.sold_second
)
"""  # noqa: S608  # constants
_ADOPT_CHANGED = f"""
UPDATE delivered AS d SET sold_second = s.sold_second, version = s.version,
    digest = s.digest, total = s.total, key = '', delivered_at = ?4, sold_at = s.sold_at
FROM ({_CHANGED_TWINS}) AS s
WHERE d.location = ?1 AND d.business_date = ?2 AND d.id = s.id AND d.sold_second = s.twin
    AND d.voided = 0
"""  # noqa: S608  # constants

# Set aside before; the back office has it by now, and must not get it from a
# replay once more.
_ADOPT_SET_ASIDE = """
DELETE FROM quarantined_transactions
WHERE location = ?1 AND business_date = ?2 AND EXISTS (
    SELECT 1 FROM staged AS s WHERE s.id = quarantined_transactions.id
        AND quarantined_transactions.sold_second
            IN (s.sold_second, substr(s.sold_second, 1, 19), '')
)
"""

# Delivered, and no longer returned: it may have been taken back since.  It is not
# taken back again, nor sent again if the host returns it once more.
_ADOPT_MISSING = """
UPDATE delivered AS d SET key = '' WHERE location = ?1 AND business_date = ?2 AND voided = 0
AND NOT EXISTS (SELECT 1 FROM staged AS s WHERE s.id = d.id AND s.twin = d.sold_second)
"""


def adopt(comparison: Comparison, now: str) -> int:
    """
    Take what is staged for delivered at *now*, whatever was known of it; returns
    how many were not known before, or not like this.
    """
    session, day = comparison.session, comparison.day
    session.execute(_ADOPT_SET_ASIDE, day)
    comparison.match()
    session.execute(_ADOPT_MISSING, day)
    changed = adopt_changed(comparison, now)

    return changed + session.execute(_ADOPT, (*day, now)).rowcount


def adopt_changed(comparison: Comparison, now: str, *, same: int = 0) -> int:
    """
    Take what is staged otherwise than it was delivered for delivered like this.

    Args:
        same: Of those whose `same` is this.
    """
    session, scope = comparison.session, (*comparison.day, same)
    session.execute(_ADOPT_OVER, scope)

    return session.execute(_ADOPT_CHANGED, (*scope, now)).rowcount
