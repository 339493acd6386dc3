"""
Sales: each one delivered exactly once in effect, on its own business date.

Start with `SalesPush`.
"""

from ._adoption import Adoption
from ._agenda import Agenda
from ._dates import DueDates, Floor, HeldDates
from ._drafts import BatchLimits
from ._judge import Judgement, Ruling, judge, why_parked
from ._operator import OutboxOperator
from ._outlook import LATE_AFTER, SalesOutlook, has_sales
from ._push import SalesPush
from ._reconciliation import Reconciliation, reconcile
from ._round import PushProgress
from ._trust import ClockDoubt


__all__ = [
    "LATE_AFTER",
    "Adoption",
    "Agenda",
    "BatchLimits",
    "ClockDoubt",
    "DueDates",
    "Floor",
    "HeldDates",
    "Judgement",
    "OutboxOperator",
    "PushProgress",
    "Reconciliation",
    "Ruling",
    "SalesOutlook",
    "SalesPush",
    "has_sales",
    "judge",
    "reconcile",
    "why_parked",
]
