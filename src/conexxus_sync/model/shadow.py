"""
Shadow mode: what files and the back office differed in, and whether a store can be cut over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import attrs

from .formatting import counted


# Of a location, the catalogue that its files make has a mirror of its own.
SHADOW_MARK = "#shadow"

NEEDED = timedelta(days=7)
# A pull is due within a week at most, but a day without a look shows nothing.
LONGEST_GAP = timedelta(hours=24)


@attrs.frozen(kw_only=True)
class ShadowDifference:
    """
    One difference between files and back office.

    Attributes:
        kind: As of `conexxus compare`; `unusable` for a record of a file that was
            set aside.
        in_file: What differs, as it is there; likewise `in_catalogue`.
    """

    kind: str
    sku: str
    name: str | None = None
    in_file: str | None = None
    in_catalogue: str | None = None

    def __str__(self) -> str:
        sides = (("files", self.in_file), ("back office", self.in_catalogue))
        values = [f"{text} in the {side}" for side, text in sides if text is not None]
        named = f"{self.sku}, {self.name}" if self.name else self.sku

        return f"{self.kind.replace('_', ' ')}: {named}" + (
            f" ({', '.join(values)})" if values else ""
        )


@attrs.frozen(kw_only=True)
class ShadowLook:
    """
    What was found when files and back office were compared, after a pull.

    Attributes:
        differences: How many there are.
        examples: The first of them.
        problem: Why they could not be compared; None if they were.
    """

    at: datetime
    differences: int = 0
    examples: tuple[ShadowDifference, ...] = ()
    problem: str | None = None

    @property
    def agrees(self) -> bool:
        """
        Did files and back office say the same?
        """
        return self.problem is None and not self.differences

    def __str__(self) -> str:
        if self.problem is not None:
            return f"could not be compared: {self.problem}"
        if not self.differences:
            return "agree with the back office"

        return f"{counted(self.differences, 'difference')}, the first: {self.examples[0]}"


def cutover_obstacles(looks: Sequence[ShadowLook], now: datetime) -> list[str]:
    """
    Why a store can't be cut over yet, one sentence each; empty if it can.

    A look at files that could not be compared shows nothing, like one that was
    never made: it is no difference, and the next one has to come in time.

    Args:
        looks: All that are known, oldest first.
    """
    compared = [look for look in looks if look.problem is None]
    unread = [f"they {looks[-1]}"] if looks and looks[-1].problem is not None else []
    if not compared:
        never = "files and back office were never compared"

        return unread or [f"{never}: set CONEXXUS_SHADOW, and pull"]

    start, found = now - NEEDED, list[str]()
    week = [look for look in compared if look.at >= start]

    if compared[0].at > start:
        found.append(
            f"they are compared since {compared[0].at:%Y-%m-%d %H:%M} UTC only: "
            f"a week is over on {compared[0].at + NEEDED:%Y-%m-%d %H:%M} UTC"
        )

    found += _gaps(compared, week, now)
    if different := [look for look in week if look.differences]:
        last = different[-1]
        found.append(
            f"they differed in {counted(len(different), 'comparison')} of the last 7 days, "
            f"last on {last.at:%Y-%m-%d %H:%M} UTC: {last}"
        )

    return found + unread


def agreed_since(looks: Sequence[ShadowLook]) -> list[ShadowLook]:
    """
    The comparisons after the last one that found a difference.

    Args:
        looks: All that are known, oldest first.
    """
    compared = [look for look in looks if look.problem is None]
    different = [at for at, look in enumerate(compared, 1) if look.differences]

    return compared[different[-1] if different else 0 :]


def _gaps(looks: Sequence[ShadowLook], week: Sequence[ShadowLook], now: datetime) -> list[str]:
    moments = [look.at for look in looks[-len(week) - 1 :]] + [now]

    return [
        f"nothing was compared from {before:%Y-%m-%d %H:%M} to {after:%Y-%m-%d %H:%M} UTC"
        for before, after in pairwise(moments)
        if after - before > LONGEST_GAP
    ]
