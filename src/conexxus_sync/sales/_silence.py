"""
Unusual silence: no sales for longer than there ever was between two days with sales.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import attrs


# As many days with sales show what is usual.
REMEMBERED_DAYS = 60

# A shop may be closed over a weekend.
SHORTEST = timedelta(days=3)

# A shop that has not had a sale yet may still be about to open.
BEFORE_THE_FIRST = timedelta(days=7)


@attrs.frozen(kw_only=True)
class Silence:
    """
    For how long there were no sales.

    Attributes:
        since: The last business date with sales; if there was none, the first
            date that was looked at.
        usual: The longest time between two days with sales so far; None if
            there were none yet.
    """

    since: date
    usual: timedelta | None

    def __str__(self) -> str:
        if self.usual is None:
            return f"No sales since the start, {self.since}, which is unusual."

        return (
            f"No sales since {self.since}, which is unusual: so far, there was a sale at least "
            f"every {max(self.usual.days, 1)} days."
        ).replace("every 1 days", "every day")


def find_silence(days: Sequence[date], *, start: date, today: date) -> Silence | None:
    """
    Is it unusual that there were no sales lately?

    Args:
        days: The last business dates with sales, latest first.
        start: The first date that was looked at.
        today: The business date that is not over yet.
    """
    past = [day for day in days if day <= today]

    if not past:
        return Silence(since=start, usual=None) if today - start > BEFORE_THE_FIRST else None

    last = past[0]
    gaps = (later - earlier for later, earlier in pairwise(past))
    usual = max(gaps, default=timedelta(days=1))
    without = today - last - timedelta(days=1)

    return Silence(since=last, usual=usual) if without >= max(2 * usual, SHORTEST) else None
