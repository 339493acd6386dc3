"""
Sales: each one delivered exactly once in effect, on its own business date.

Start with `SalesPush`.
"""

from ._dates import DueDates, Floor, HeldDates
from ._drafts import BatchLimits
from ._judge import Judgement, Ruling, judge, why_parked
from ._push import PushProgress, SalesPush
from ._trust import ClockDoubt


__all__ = [
    "BatchLimits",
    "ClockDoubt",
    "DueDates",
    "Floor",
    "HeldDates",
    "Judgement",
    "PushProgress",
    "Ruling",
    "SalesPush",
    "judge",
    "why_parked",
]
