"""
Sales: each one delivered exactly once in effect, on its own business date.

Start with `SalesPush`.
"""

from ._adoption import Adoption
from ._backlog import PushProgress
from ._batching import BatchLimits
from ._clock_check import ClockDoubt
from ._delivery_outcome import Judgement, Ruling, judge, why_parked
from ._due_dates import DueDates, Floor, HeldDates
from ._engine import SalesPush
from ._ledger import Agenda
from ._outbox_operator import OutboxOperator
from ._reconciliation import Reconciliation, reconcile
from ._status import LATE_AFTER, SalesOutlook, has_sales


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
