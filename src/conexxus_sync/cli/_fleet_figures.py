"""
The figures of a fleet for Prometheus.
"""

from collections import Counter

from conexxus_client import ConexxusError
from conexxus_sync.fleet import Fleet, StoreState, fleet_alerts
from conexxus_sync.metrics._fleet_gauges import FleetFigures


def fleet_figures(fleet: Fleet) -> FleetFigures | None:
    """
    How *fleet* is, in numbers; None if the store can't be read.
    """
    try:
        statuses = fleet.status()
    except ConexxusError:
        return None

    states = Counter(it.state for it in statuses)
    alerts = Counter[str]()
    for alert in fleet_alerts(statuses):
        alerts[alert.name] += len(alert.locations)
    load = fleet.load()

    return FleetFigures(
        stores={state: states[state] for state in StoreState},
        alerts=alerts,
        oldest_overdue=min(
            (it.oldest_undelivered for it in statuses if it.oldest_undelivered), default=None
        ),
        due=load.due,
        longest_due_s=load.longest_due.total_seconds(),
        at_work=load.at_work,
    )
