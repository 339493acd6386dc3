"""
The alerts: names, severities, and the value that health, page and notices share.

Pure decisions over what is known.  The same names are used by health, page,
terminal, metrics, Prometheus rules, webhook and runbooks.
"""

from collections.abc import Iterable
from enum import StrEnum

import attrs

from .formatting import sentence


class Severity(StrEnum):
    """
    How soon somebody should look.

    `CRITICAL`: now, sales or prices are at stake.  `WARNING`: today.
    `INFO`: worth knowing, nothing is wrong.
    """

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertName(StrEnum):
    """
    Every alert of a service, gravest first; the name of its runbook, too.

    Prometheus adds `ConexxusDown`, for a service that does not answer.
    """

    STORE_UNUSABLE = "ConexxusStoreUnusable"
    DATE_OVERDUE = "ConexxusBusinessDateOverdue"
    ORDERS_HANG = "ConexxusOrderSourceHangs"
    SALES_PARKED = "ConexxusSalesParked"
    DELIVERY_UNKNOWN = "ConexxusDeliveryUnknown"
    PUSH_FAILED = "ConexxusPushFailed"
    CLOCK_DOUBTED = "ConexxusClockDoubted"
    MISCONFIGURED = "ConexxusMisconfigured"
    API_DOWN = "ConexxusApiDown"
    CATALOG_REFUSED = "ConexxusCatalogRefused"
    SYNC_FAILED = "ConexxusSyncFailed"
    SYNC_STALE = "ConexxusSyncStale"
    REMOVALS_WAIT = "ConexxusRemovalsWait"
    ERROR_RATE = "ConexxusHighErrorRate"
    CHANGES_REFUSED = "ConexxusSalesChangesRefused"
    DISCREPANCY = "ConexxusSalesDiscrepancy"
    BOOKS_DIFFER = "ConexxusBooksDiffer"
    SALES_HELD = "ConexxusSalesHeld"
    SALES_SILENT = "ConexxusSalesSilent"
    SALES_SET_ASIDE = "ConexxusSalesSetAside"
    ITEMS_SET_ASIDE = "ConexxusItemsSetAside"
    CHANGES_PENDING = "ConexxusChangesPending"
    NOT_CONFIGURED = "ConexxusNotConfigured"


SEVERITIES = {
    AlertName.STORE_UNUSABLE: Severity.CRITICAL,
    AlertName.DATE_OVERDUE: Severity.CRITICAL,
    AlertName.ORDERS_HANG: Severity.CRITICAL,
    AlertName.SALES_PARKED: Severity.CRITICAL,
    AlertName.DELIVERY_UNKNOWN: Severity.CRITICAL,
    AlertName.PUSH_FAILED: Severity.CRITICAL,
    AlertName.CLOCK_DOUBTED: Severity.CRITICAL,
    AlertName.MISCONFIGURED: Severity.CRITICAL,
    AlertName.API_DOWN: Severity.CRITICAL,
    AlertName.CATALOG_REFUSED: Severity.WARNING,
    AlertName.SYNC_FAILED: Severity.WARNING,
    AlertName.SYNC_STALE: Severity.WARNING,
    AlertName.REMOVALS_WAIT: Severity.WARNING,
    AlertName.ERROR_RATE: Severity.WARNING,
    AlertName.CHANGES_REFUSED: Severity.WARNING,
    AlertName.DISCREPANCY: Severity.WARNING,
    AlertName.BOOKS_DIFFER: Severity.WARNING,
    AlertName.SALES_HELD: Severity.WARNING,
    AlertName.SALES_SILENT: Severity.WARNING,
    AlertName.SALES_SET_ASIDE: Severity.WARNING,
    AlertName.ITEMS_SET_ASIDE: Severity.INFO,
    AlertName.CHANGES_PENDING: Severity.INFO,
    AlertName.NOT_CONFIGURED: Severity.INFO,
}


@attrs.frozen(kw_only=True)
class Alert:
    """
    One thing that somebody should look at, as it is now.

    Attributes:
        message: One sentence: what is wrong.
        advice: One sentence: what to do about it; empty if the message says it.
        caused_by: The alert of which this one is a consequence; None if it
            stands for itself.
        about: Which of several, where one name can hold more than once: as for
            the back offices of a fleet.
    """

    name: AlertName
    message: str
    advice: str = ""
    caused_by: AlertName | None = None
    about: str = ""

    @property
    def severity(self) -> Severity:
        """
        How soon somebody should look.
        """
        return SEVERITIES[self.name]

    @property
    def about_sales(self) -> bool:
        """
        Is it about sales, rather than about the catalogue or the whole?
        """
        return self.name in _ABOUT_SALES

    def __str__(self) -> str:
        return f"{sentence(self.message)} {self.advice}" if self.advice else self.message


@attrs.frozen
class AlertGroup:
    """
    An alert, and the alerts that are its consequences.
    """

    cause: Alert
    effects: tuple[Alert, ...] = ()

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> "list[AlertGroup]":
        """
        *alerts* under their causes, in the order in which they come.
        """
        alerts = tuple(alerts)
        names = {alert.name for alert in alerts}
        effects = [alert for alert in alerts if alert.caused_by in names]
        # An effect may be graver than its cause, and so decides its place.
        order = [*dict.fromkeys(name for it in alerts for name in (it.caused_by, it.name) if name)]
        causes = sorted(
            (alert for alert in alerts if alert not in effects),
            key=lambda alert: order.index(alert.name),
        )

        return [
            cls(cause, tuple(effect for effect in effects if effect.caused_by is cause.name))
            for cause in causes
        ]


_ABOUT_SALES = frozenset(
    {
        AlertName.DATE_OVERDUE,
        AlertName.ORDERS_HANG,
        AlertName.SALES_PARKED,
        AlertName.DELIVERY_UNKNOWN,
        AlertName.PUSH_FAILED,
        AlertName.CLOCK_DOUBTED,
        AlertName.MISCONFIGURED,
        AlertName.CHANGES_REFUSED,
        AlertName.DISCREPANCY,
        AlertName.BOOKS_DIFFER,
        AlertName.SALES_HELD,
        AlertName.SALES_SILENT,
        AlertName.SALES_SET_ASIDE,
    }
)
