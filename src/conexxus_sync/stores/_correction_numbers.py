"""
Numbers of corrections: those of one id and business date, none of them used before.
"""

from itertools import count, groupby

from ._sale_matching import Comparison


# What was taken back, and what may be its correction, by id.
_TAKEN_BACK = """
SELECT id, sold_second, revision, voided FROM delivered
WHERE location = ?1 AND business_date = ?2 AND voided <> 0
    AND id IN (SELECT id FROM staged WHERE fault IS NULL AND twin IS NULL)
ORDER BY id, revision
"""
_CANDIDATES = """
SELECT position, sold_second FROM staged
WHERE id = ? AND fault IS NULL AND twin IS NULL ORDER BY sold_second, position
"""

_HIGHEST = """
SELECT coalesce(max(revision), 0) FROM delivered
WHERE location = ?1 AND business_date = ?2 AND id = ?3
"""

# Corrections of the sale itself are numbered by what became of them.
_IS_KNOWN = """
SELECT EXISTS (SELECT 1 FROM staged WHERE id = ?2)
    OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND id = ?2)
    OR EXISTS (SELECT 1 FROM batch_transactions WHERE location = ?1 AND origin = ?2)
    OR EXISTS (
        SELECT 1 FROM batch_transactions INDEXED BY corrections_by_id
        WHERE location = ?1 AND id = ?2 AND revision > 0 AND origin <> ?3
    )
"""

_SET_REVISION = "UPDATE staged SET revision = ? WHERE position = ?"

# What was taken back and not replaced yet, and what was replaced since.
_WITHOUT_REVISION, _REPLACED = 1, 2


def next_number(comparison: Comparison, *, name: str, above: int = 0) -> int:
    """
    The number of the next correction of the sale *name*: neither the void nor
    the revision of this number has an id that another sale has.

    Args:
        above: A number that is taken.
    """
    scope = (*comparison.day, name)
    (highest,) = comparison.session.execute(_HIGHEST, scope).fetchone()
    comparison.hold()
    numbers = count(max(int(highest), above) + 1)

    return next(number for number in numbers if _is_free(comparison, name, number))


def number_revisions(comparison: Comparison) -> None:
    """
    Give what was taken back, and is to be sent again, the number of its void.

    One id may have several: each goes with the one of its own second, or else
    the next in order of time.
    """
    session = comparison.session
    rows = session.execute(_TAKEN_BACK, comparison.day).fetchall()
    comparison.hold()

    for name, group in groupby(rows, key=lambda row: row[0]):
        voids = {second: (revision, voided) for _, second, revision, voided in group}
        loose = session.execute(_CANDIDATES, (name,)).fetchall()
        comparison.hold()
        own = [(position, *voids.pop(second)) for position, second in loose if second in voids]
        rest = [position for position, _ in loose if position not in {row[0] for row in own}]
        free = [void for void in voids.values() if void[1] == _WITHOUT_REVISION]
        pairs = [*own, *((place, *void) for place, void in zip(rest, free, strict=False))]
        _number(comparison, name, pairs)


def _number(comparison: Comparison, name: str, pairs: list[tuple[int, int, int]]) -> None:
    above = 0

    for position, revision, voided in pairs:
        number = revision
        if voided == _REPLACED or not _is_free(comparison, name, revision):
            number = above = next_number(comparison, name=name, above=above)
        comparison.session.execute(_SET_REVISION, (number, position))
        comparison.hold()


def _is_free(comparison: Comparison, name: str, number: int) -> bool:
    session, location = comparison.session, comparison.day[0]

    taken = any(
        session.execute(_IS_KNOWN, (location, f"{name}:{kind}:{number}", name)).fetchone()[0]
        for kind in ("void", "rev")
    )
    comparison.hold()

    return not taken
