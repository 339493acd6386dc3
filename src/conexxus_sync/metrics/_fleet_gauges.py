"""
What Prometheus reads of a whole fleet, without a label for each store.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time

import attrs
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ._families import Family


STORES = Family("conexxus_fleet_stores", "gauge", "Stores, by their state.", ("state",))
ALERTS = Family(
    "conexxus_fleet_alert_stores",
    "gauge",
    "Stores of which an alert holds; one back office that is down counts once for each.",
    ("alert",),
)
OLDEST = Family(
    "conexxus_fleet_business_date_oldest_overdue_timestamp_seconds",
    "gauge",
    "Midnight UTC of the oldest business date whose sales are late; absent if none is.",
)
WAITING = Family("conexxus_fleet_runs_due", "gauge", "Runs that are due and have not begun.")
LAG = Family(
    "conexxus_fleet_longest_due_seconds", "gauge", "For how long the first of them has been due."
)
AT_WORK = Family("conexxus_fleet_runs_at_work", "gauge", "Runs at work, in all processes.")

FLEET_FAMILIES = (STORES, ALERTS, OLDEST, WAITING, LAG, AT_WORK)


@attrs.frozen(kw_only=True)
class FleetFigures:
    """
    How a fleet is, in numbers.

    Attributes:
        stores: How many are in which state.
        alerts: Of how many stores each alert holds, by its name.
        oldest_overdue: The oldest business date whose sales are late.
        due: How many runs are due and have not begun.
        longest_due_s: For how long the first of them has been due, in seconds.
        at_work: How many runs go on.
    """

    stores: Mapping[str, int]
    alerts: Mapping[str, int]
    oldest_overdue: date | None = None
    due: int = 0
    longest_due_s: float = 0.0
    at_work: int = 0


class FleetGauges(Collector):
    """
    The figures, as a collector of a registry.

    Args:
        read: Makes them at each scrape; None if they can't be read.
    """

    def __init__(self, read: Callable[[], FleetFigures | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """
        Read all of them.
        """
        if (figures := self._read()) is None:
            return

        yield _family(STORES, {(name,): it for name, it in figures.stores.items()})
        yield _family(ALERTS, {(name,): it for name, it in figures.alerts.items()})
        if figures.oldest_overdue is not None:
            midnight = datetime.combine(figures.oldest_overdue, time(), UTC)
            yield _family(OLDEST, {(): midnight.timestamp()})
        yield _family(WAITING, {(): figures.due})
        yield _family(LAG, {(): figures.longest_due_s})
        yield _family(AT_WORK, {(): figures.at_work})


def _family(family: Family, values: Mapping[tuple[str, ...], float]) -> Metric:
    found = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        found.add_metric(labels, value)

    return found
