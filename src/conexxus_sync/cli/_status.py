"""
`conexxus status`.
"""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from conexxus_sync._codec import health_to_json
from conexxus_sync._health import SalesHealth, ServiceHealth
from conexxus_sync.service import ConexxusService

from ._engines import service_of
from ._exit_codes import ExitCode
from ._screen import say, say_json
from ._session import Given
from ._words import counted, moment


SENTENCES = {
    "unhealthy": "something needs attention.",
    "disabled": "switched off, because it is not configured.",
}


def status(*, session: Given) -> ExitCode:
    """
    Say how catalogue and sales are, and what needs attention.

    It asks only the SDK's own state: it works without the back office, and
    while a run is in progress.

    ```
    conexxus status
    conexxus status --json | jq .sales
    ```
    """
    with service_of(session) as service:
        if session.json:
            say_json(_document(service))
        else:
            say(status_lines(service))

    return ExitCode.SUCCESS


def status_lines(service: ConexxusService) -> Iterator[str]:
    """
    The state of *service* in sentences.
    """
    health, zone = service.health(), service.config.timezone
    location = service.config.location_id
    counts = service.store.catalog.counts(location)

    well = "working, with something to look at." if health.alerts else "all is well."
    yield f"Location {location}: {SENTENCES.get(health.status, well)}"
    yield f"  Catalogue: {counted(counts.present, 'item')}. {_last_pull(health, zone)}"
    yield f"  Sales: {_last_push(health.sales, zone)}"
    yield from (f"  ! {alert}" for alert in health.alerts)


def _last_pull(health: ServiceHealth, zone: ZoneInfo | None) -> str:
    if health.last_sync_time is None:
        return "It was never pulled: `conexxus pull`."

    return f"Last pull {moment(health.last_sync_time, zone)}, {health.last_sync_status}."


def _last_push(sales: SalesHealth, zone: ZoneInfo | None) -> str:
    if sales.last_push_time is None:
        return "none was pushed yet."

    return f"last push {moment(sales.last_push_time, zone)}, {sales.last_push_status}."


def _document(service: ConexxusService) -> dict[str, Any]:
    location = service.config.location_id
    counts = service.store.catalog.counts(location)

    return {
        "locationId": location,
        **health_to_json(service.health()),
        "items": counts.present,
        "quarantined": counts.quarantined,
    }
