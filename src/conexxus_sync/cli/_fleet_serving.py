"""
What a fleet answers over HTTP: its page, and its figures for Prometheus.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conexxus_client import ConexxusError
from conexxus_sync.fleet import Fleet, FleetFile, StoreState, fleet_alerts

from ._console import needing


if TYPE_CHECKING:
    from conexxus_sync.metrics._fleet_gauges import FleetFigures
    from conexxus_sync.metrics.prometheus import PrometheusMetrics


@contextmanager
def fleet_served(
    fleet: Fleet, found: FleetFile, serve: str, metrics: "PrometheusMetrics | None"
) -> Iterator[str]:
    """
    Answer at *serve*, HOST:PORT, until the end of the block.

    Yields:
        The base URL.

    Raises:
        ConfigurationError: There can be no answer there.
    """
    with needing("http"):
        from conexxus_sync.http import Access
        from conexxus_sync.http._server import address, serving
        from conexxus_sync.http.fleet_pages import create_fleet_app

    host, port = address(serve)
    # One process, one token: that of the defaults, or of the environment.
    config = found.startable()[0].sync
    access = Access.on(host, token=config.shim_token, hosts=config.shim_hosts)

    if metrics is not None:
        metrics.watch_fleet(lambda: fleet_figures(fleet))
    scrape = None if metrics is None else metrics.render

    with serving(create_fleet_app(fleet, access=access, metrics=scrape), host, port) as url:
        yield url


def fleet_figures(fleet: Fleet) -> "FleetFigures | None":
    """
    How *fleet* is, in numbers; None if the store can't be read.
    """
    from conexxus_sync.metrics._fleet_gauges import FleetFigures  # needs the extra `prometheus`

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
