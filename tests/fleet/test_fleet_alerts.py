"""
What is wrong with the stores of a fleet, by its causes.
"""

from datetime import date

from conexxus_sync.fleet import StoreState, StoreStatus, fleet_alerts
from conexxus_sync.model.alerts import AlertName


DATABASES = ("sqlite",)
DAY = date(2026, 1, 2)
DOWN = "Conexxus API request timeout after 30000ms"
DENIED = "Conexxus API authentication failed. Check API key."
LIMITED = "Conexxus API rate limit exceeded. Try again later."


def status(name, state, *, office="https://north.example", **more):
    return StoreStatus(
        location_id=name, state=state, back_office=office, credential="KEY_1", **more
    )


def alerts(*statuses):
    return [(it.name, it.message, len(it.locations)) for it in fleet_alerts(statuses)]


def test_back_office_that_is_down():
    """
    One that is down for hundreds of stores is one alert, whether they are late or
    failing, and however their runs ended.
    """
    late = [status(f"l{n}", StoreState.LATE, error=DOWN, oldest_undelivered=DAY) for n in range(12)]
    refused = "batch 1 was not delivered: Conexxus API connection refused. Check API URL."
    failing = [status(f"f{n}", StoreState.FAILING, error=refused) for n in range(10)]
    other = status("o", StoreState.FAILING, error=DOWN, office="https://south.example")

    assert alerts(*late, *failing, other) == [
        (
            AlertName.API_DOWN,
            f"back office https://north.example is down for 22 stores: {DOWN}",
            22,
        ),
        (AlertName.API_DOWN, f"back office https://south.example is down for 1 store: {DOWN}", 1),
    ]


def test_keys_and_limits():
    """
    A key that is refused is named, without what it is; so is a limit.
    """
    denied = [status(f"d{n}", StoreState.FAILING, error=DENIED) for n in range(3)]
    limited = status("l", StoreState.FAILING, error=LIMITED)
    office = "back office https://north.example"

    assert alerts(*denied, limited) == [
        (AlertName.API_DOWN, f"{office} refuses the key KEY_1 for 3 stores: {DENIED}", 3),
        (AlertName.API_DOWN, f"{office} is at its limit for 1 store: {LIMITED}", 1),
    ]


def test_gravest_first():
    """
    Late sales come before batches that wait, and these before wrong settings.
    """
    found = alerts(
        StoreStatus(location_id="w", state=StoreState.WRONG, reason="timezone is wrong"),
        status("p", StoreState.PARKED, parked=2),
        status("late", StoreState.LATE, oldest_undelivered=DAY),
        status("f", StoreState.FAILING, error="The catalogue was refused"),
        status("g", StoreState.GOOD),
        status("n", StoreState.NEW),
    )

    assert found == [
        (AlertName.DATE_OVERDUE, f"sales of 1 store are late, the oldest of {DAY}", 1),
        (AlertName.SALES_PARKED, "batches of 1 store need a decision", 1),
        (AlertName.MISCONFIGURED, "the settings of 1 store are wrong: timezone is wrong", 1),
        (AlertName.SYNC_FAILED, "the last run of 1 store failed: The catalogue was refused", 1),
    ]
