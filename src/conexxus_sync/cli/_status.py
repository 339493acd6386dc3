"""
`conexxus status`.
"""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from conexxus_sync._codec import health_to_json
from conexxus_sync._health import SalesHealth, ServiceHealth
from conexxus_sync._known import StoreCounts
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
    while a run is in progress. Exit code 1 if that state can't be read.

    ```
    conexxus status
    conexxus status --json | jq .sales
    ```
    """
    with service_of(session) as service:
        health = service.health()

        if session.json:
            say_json(_document(service.config.location_id, health))
        else:
            say(status_lines(service, health))

    return ExitCode.FAILED if health.counts is None else ExitCode.SUCCESS


def status_lines(service: ConexxusService, health: ServiceHealth | None = None) -> Iterator[str]:
    """
    The state of *service* in sentences.
    """
    health, zone = health or service.health(), service.config.timezone

    yield f"Location {service.config.location_id}: {_in_short(health)}"

    if health.counts is not None:
        items = counted(health.counts.items, "item")
        yield f"  Catalogue: {items}. {_last_pull(health, zone)}"
        yield f"  Sales: {_last_push(health.sales, zone)}{_mismatched(health.counts)}"

    yield from (f"  ! {alert}" for alert in health.alerts)


def _in_short(health: ServiceHealth) -> str:
    if health.status in SENTENCES:
        return SENTENCES[health.status]
    if health.alerts:
        return "working, with something to look at."

    return "nothing was pulled yet." if health.last_sync_time is None else "all is well."


def _last_pull(health: ServiceHealth, zone: ZoneInfo | None) -> str:
    if health.last_sync_time is None:
        return "It was never pulled: `conexxus pull`."

    return f"Last pull {moment(health.last_sync_time, zone)}, {health.last_sync_status}."


def _last_push(sales: SalesHealth, zone: ZoneInfo | None) -> str:
    if sales.last_push_time is None:
        return "none was pushed yet."

    return f"last push {moment(sales.last_push_time, zone)}, {sales.last_push_status}."


def _mismatched(counts: StoreCounts) -> str:
    """
    Normal where prices come without their tax, so no alert.
    """
    if not counts.mismatched_sales:
        return ""

    return f" Lines do not add up to the total in {counted(counts.mismatched_sales, 'sale')}."


def _document(location_id: str, health: ServiceHealth) -> dict[str, Any]:
    """
    The health document, and how much there is of everything.
    """
    counts = health.counts or StoreCounts()

    return {
        "locationId": location_id,
        **health_to_json(health),
        "items": counts.items,
        "quarantined": counts.quarantined_items + counts.quarantined_sales,
        "quarantinedSales": counts.quarantined_sales,
        "unknownBatches": counts.unknown_batches,
        "discrepancies": counts.discrepancies,
        "mismatchedSales": counts.mismatched_sales,
    }
