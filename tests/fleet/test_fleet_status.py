"""
How the stores of a fleet are, worst first.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from conexxus_sync.fleet import StoreSettings, WrongStore, fleet_status
from conexxus_sync.fleet._fleet_status import StoreState, assess_fleet
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import DateVisit
from conexxus_sync.stores._lease_table import LeaseState
from conexxus_sync.stores._location_summaries import LastRun, LocationSummary


# What the store is asked in the words of both.
DATABASES = ("sqlite", "postgres")
DAY = date(2026, 1, 2)
HOUR, DAYS = timedelta(hours=1), timedelta(days=1)
# Half an hour after the push time.
LATE = datetime(2026, 1, 3, 0, 0, tzinfo=UTC)
GOOD = LastRun(status=RunStatus.SUCCESS, started_at=LATE - timedelta(hours=1))
# At the push time.
PUSHED_AT = datetime(2026, 1, 2, 23, 40, tzinfo=UTC)
VISITED = {DAY: DateVisit(at=PUSHED_AT)}
FAILED = LastRun(status=RunStatus.FAILED, started_at=LATE, error="503")


def store(name="a"):
    row = {"location": name, "api.url": "http://127.0.0.1:9", "api.key_env": "K", "timezone": "UTC"}
    return StoreSettings.of(row, environ={"K": "a-key-of-all"})


@pytest.mark.parametrize(
    ("summary", "state", "oldest"),
    [
        ({}, StoreState.NEW, None),
        ({"pull": GOOD}, StoreState.GOOD, None),
        ({"pull": FAILED}, StoreState.FAILING, None),
        ({"pull": GOOD, "push": FAILED}, StoreState.FAILING, None),
        ({"pull": GOOD, "since": DAY}, StoreState.LATE, DAY),
        ({"pull": GOOD, "since": DAY, "visits": VISITED}, StoreState.GOOD, None),
        # Looked at during the day; then not again.
        (
            {"pull": GOOD, "since": DAY, "visits": {DAY: DateVisit(at=PUSHED_AT - HOUR)}},
            StoreState.LATE,
            DAY,
        ),
        # What was sold on an earlier date could not be read, and that of a later one was pushed.
        ({"pull": GOOD, "since": DAY - DAYS, "visits": VISITED}, StoreState.LATE, DAY - DAYS),
        (
            {
                "pull": GOOD,
                "since": DAY - DAYS,
                "visits": {DAY - DAYS: DateVisit(closed="adopted"), **VISITED},
            },
            StoreState.GOOD,
            None,
        ),
        # The date of the batch is not over yet.
        (
            {
                "pull": GOOD,
                "since": DAY,
                "visits": VISITED,
                "oldest_open": DAY + timedelta(days=1),
                "open": 1,
            },
            StoreState.GOOD,
            None,
        ),
        (
            {"pull": GOOD, "since": DAY, "visits": VISITED, "oldest_open": DAY, "open": 1},
            StoreState.LATE,
            DAY,
        ),
        (
            {
                "pull": FAILED,
                "since": DAY,
                "visits": VISITED,
                "oldest_open": DAY,
                "parked": 1,
                "open": 1,
            },
            StoreState.PARKED,
            DAY,
        ),
    ],
)
def test_state(summary, state, oldest):
    """
    The state of one store, from what the SDK's own state holds.
    """
    (found,) = assess_fleet([store()], [], {"a": LocationSummary(**summary)}, [], LATE)

    assert (found.state, found.oldest_undelivered) == (state, oldest)
    assert (found.reason is None) == (state is StoreState.GOOD)


def test_a_minute_before_it_is_late():
    """
    A push has twenty minutes, and ten more.
    """
    summary = {"a": LocationSummary(pull=GOOD, since=DAY)}
    (found,) = assess_fleet([store()], [], summary, [], LATE - timedelta(minutes=1))

    assert found.state is StoreState.GOOD


def test_worst_first():
    """
    Wrong settings, then the oldest sales; what is at work is said.
    """
    summaries = {
        "b": LocationSummary(pull=GOOD),
        "c": LocationSummary(pull=GOOD, since=DAY),
        "d": LocationSummary(pull=GOOD, since=DAY - timedelta(days=3)),
    }
    lease = LeaseState(location_id="b", kind="inventory", epoch=3, run_id="a run")
    wrong = [WrongStore(name="w", problems=("one", "two"))]
    found = assess_fleet([store(it) for it in "bcd"], wrong, summaries, [lease], LATE)

    assert [it.location_id for it in found] == ["w", "d", "c", "b"]
    assert found[0].reason == "one; two"
    assert found[-1].running == ("inventory",)


def test_what_the_store_holds(new_fleet, new_front, clock):
    """
    Runs, visits and batches of all locations, by few queries.
    """
    clock.advance_to(datetime(2026, 1, 2, 10, tzinfo=UTC))
    _, good = new_front()
    _, failing = new_front(faults="ok*1; sales: 503@1.0")
    rows = [{"location": "good", "api.url": good}, {"location": "failing", "api.url": failing}]
    fleet = new_fleet(rows)
    fleet.run_once()
    clock.advance_to(LATE)
    fleet.run_once()
    stores = [it.settings for it in fleet.locations.values()]
    found = fleet_status(fleet.store, stores, [], clock.now())

    assert [(it.location_id, it.state, it.oldest_undelivered) for it in found] == [
        ("failing", StoreState.LATE, DAY),
        ("good", StoreState.GOOD, None),
    ]
    assert "503" in found[0].reason
    summary = fleet.store.location_summaries()["failing"]
    assert (summary.open, summary.parked, summary.oldest_open) == (1, 0, DAY)
    assert [*fleet.store.location_summaries()["good"].visits] == [DAY]
