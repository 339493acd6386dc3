"""
The engine that pushes sales: each one exactly once in effect, on its own business date.

Start with `SalesPush`.
"""

from typing import TYPE_CHECKING, Any

from conexxus_client.lazy_names import lazy_names
from conexxus_sync._moved import renamed


if TYPE_CHECKING:
    from ._adoption import Adoption
    from ._backlog import PushProgress
    from ._batching import BatchLimits
    from ._clock_check import ClockProblem
    from ._date_reconciler import DateReconciler
    from ._delivery_outcome import DeliveryOutcome, Outcome, classify_answer, parking_reason
    from ._due_dates import DueDates, HeldDates, StartDate
    from ._engine import SalesPush
    from ._ledger import SalesLedger
    from ._outbox_operator import OutboxOperator
    from ._profile_check import ProfileCheck
    from ._reconciliation import Reconciliation, reconcile
    from ._silence import Silence
    from ._source_watch import HangingSource
    from ._status import LATE_AFTER, SalesStatus, has_sales

# Health and status need the schedule alone, not the engine.
_read, _names = lazy_names(
    __name__,
    {
        "_adoption": "Adoption",
        "_backlog": "PushProgress",
        "_batching": "BatchLimits",
        "_clock_check": "ClockProblem",
        "_date_reconciler": "DateReconciler",
        "_delivery_outcome": "DeliveryOutcome Outcome classify_answer parking_reason",
        "_due_dates": "DueDates HeldDates StartDate",
        "_engine": "SalesPush",
        "_ledger": "SalesLedger",
        "_outbox_operator": "OutboxOperator",
        "_profile_check": "ProfileCheck",
        "_reconciliation": "Reconciliation reconcile",
        "_silence": "Silence",
        "_source_watch": "HangingSource",
        "_status": "LATE_AFTER SalesStatus has_sales",
    },
)

__all__ = [
    "LATE_AFTER",
    "Adoption",
    "BatchLimits",
    "ClockProblem",
    "DateReconciler",
    "DeliveryOutcome",
    "DueDates",
    "HangingSource",
    "HeldDates",
    "OutboxOperator",
    "Outcome",
    "ProfileCheck",
    "PushProgress",
    "Reconciliation",
    "SalesLedger",
    "SalesPush",
    "SalesStatus",
    "Silence",
    "StartDate",
    "classify_answer",
    "has_sales",
    "parking_reason",
    "reconcile",
]


_RENAMED = {
    "Agenda": "SalesLedger",
    "ClockDoubt": "ClockProblem",
    "Floor": "StartDate",
    "Judgement": "DeliveryOutcome",
    "Ruling": "Outcome",
    "SalesOutlook": "SalesStatus",
    "judge": "classify_answer",
    "why_parked": "parking_reason",
}


def __getattr__(name: str) -> Any:
    return renamed(globals(), name, _RENAMED) if name in _RENAMED else _read(name)


def __dir__() -> list[str]:
    return _names()
