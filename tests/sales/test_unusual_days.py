"""
Facts about days that look odd: silence, times of another date, a late first
start, a clock that was ahead.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import forget

from conexxus_sync.config import SyncConfig
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import RunsAround
from conexxus_sync.sales import SalesStatus
from conexxus_sync.sales._clock_check import believable_last_run
from conexxus_sync.sales._silence import find_silence
from conexxus_sync.testing import sale


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)

SILENCE = pytest.mark.case(
    "C18",
    "the order source has no sales for ten days, though it returns",
    "an alert names the last date with sales, and says that the silence is unusual",
)
TIMES = pytest.mark.case(
    "C18",
    "the host's query asks for dates in UTC, so sales of an evening appear on the next date",
    "the run remarks how many sales were made at a time that belongs to another date",
)
LATE = pytest.mark.case(
    "C18",
    "the first start of a store is at 23:45, after the push time",
    "the alert about held sales names that day, with the command that pushes it",
)
AHEAD = pytest.mark.case(
    "C18",
    "the clock shows 2036 for two minutes and comes back",
    "pushes go on by themselves",
)


def status(till):
    now = till.clock.now()
    return SalesStatus.of(till.store, till.config, now, enabled=True, released=RELEASED)


def days(*numbers):
    return [date(2026, 1, 1) + timedelta(days=number) for number in numbers]


@SILENCE
def test_ten_days_without_sales(till):
    """
    After days with sales, ten without are named; a sale ends it.
    """
    for number in range(4):
        till.orders.add(till.sale(f"t{number}"), day=DAY + timedelta(days=number))
        till.engine().push()
        till.wait(days=1)
    assert status(till).silence is None

    for _ in range(10):
        till.engine().push()
        till.wait(days=1)

    last = max(till.orders.by_date)
    assert str(status(till).silence) == (
        f"No sales since {last}, which is unusual: so far, there was a sale at least every day."
    )
    today = till.clock.now().date()
    till.orders.add(till.sale("new"), day=today)
    till.push(today)
    assert status(till).silence is None


@SILENCE
@pytest.mark.parametrize(
    ("sold", "today", "is_silent"),
    [
        ([10, 9, 8], 13, False),
        ([10, 9, 8], 14, True),
        ([10], 14, True),
        # Closed on two days of each week.
        ([10, 7, 6, 5], 16, False),
        ([10, 7, 6, 5], 17, True),
        # A clock that was ahead delivered on a date that is yet to come.
        ([400, 10, 9], 13, False),
        ([], 7, False),
        ([], 8, True),
    ],
)
def test_what_is_unusual(sold, today, is_silent):
    """
    Twice as long as ever before, and three days at least; a shop that has
    not sold yet has a week.
    """
    found = find_silence(days(*sold), start=days(0)[0], today=days(today)[0])

    assert (found is not None) == is_silent


@SILENCE
def test_sales_that_wait_are_no_silence(till):
    """
    Where pushes fail, that is said, not silence.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.add(till.sale("t2"), day=DAY + timedelta(days=1))
    till.wait(days=12)

    assert status(till).overdue
    assert status(till).silence is None


@TIMES
def test_query_in_utc(new_till):
    """
    Sales between midnight and the change of the date in UTC are remarked,
    with how many, and the status of the run is as it was.
    """
    config = SyncConfig(location_id=LOCATION, timezone=ZoneInfo("America/New_York"))
    till = new_till(config=config)
    evening = datetime(2026, 1, 2, 2, tzinfo=UTC)
    till.orders.by_date[DAY] = [
        *(sale(f"e{n}", timestamp=evening + timedelta(minutes=n)) for n in range(5)),
        sale("noon", timestamp=datetime(2026, 1, 2, 17, tzinfo=UTC)),
    ]

    (run,) = till.push(DAY)

    assert run.status is RunStatus.SUCCESS
    (issue,) = run.errors
    assert issue.error == (
        "5 sales of 2026-01-02 were made at a time that belongs to 2026-01-01, like e0: does the "
        "order source ask for dates in UTC?"
    )
    assert till.push(DAY) == []


@TIMES
def test_business_date_of_the_till(new_till):
    """
    A sale that has a business date of its own is of that date, whatever its
    time; one after midnight belongs to the day that is not closed.
    """
    config = SyncConfig(location_id=LOCATION, timezone=ZoneInfo("UTC"), day_closes_at=time(4))
    till = new_till(config=config)
    night = datetime(2026, 1, 3, 1, 30, tzinfo=UTC)
    till.orders.by_date[DAY] = [
        sale("closed late", timestamp=night),
        sale("own", timestamp=night + timedelta(days=3), business_date=DAY),
    ]

    (run,) = till.push(DAY)

    assert run.errors == ()


@LATE
def test_first_start_after_the_push_time(till):
    """
    The day is named until it is pushed, for a week at most.
    """
    till.clock.set(datetime(2026, 1, 2, 23, 45, tzinfo=UTC))
    till.orders.add(till.sale("t1"))
    assert status(till).held is not None

    till.engine().push()
    held = status(till).held

    assert (held.since, held.before) == (DAY, DAY + timedelta(days=1))
    assert f"`conexxus push --orders ORDERS --since {DAY}`" in str(held)
    assert till.effective() == []

    till.engine().push(since=held.since, honour_past=True)
    assert till.effective() == ["t1"]
    assert status(till).held is None


@LATE
@pytest.mark.parametrize("fault", ["", "sales: 503"])
def test_first_day_that_was_pushed_by_name(till, fault):
    """
    A day that was asked for by name is not held, whatever came of it.
    """
    till.clock.set(datetime(2026, 1, 2, 23, 45, tzinfo=UTC))
    till.orders.add(till.sale("t1"))
    till.office.faults(fault)

    till.engine().close_day(DAY)

    assert status(till).held is None


@LATE
def test_first_start_before_the_push_time(till):
    """
    A store that began in time holds nothing back; a late start is named for a week.
    """
    other = attrs.evolve(till)
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    till.engine().push()
    assert status(till).held is None

    forget(other.store)
    till.clock.set(datetime(2026, 1, 2, 23, 45, tzinfo=UTC))
    till.engine().push()
    till.wait(days=7)
    assert status(till).held is not None
    till.wait(days=1)
    assert status(till).held is None


@AHEAD
def test_two_minutes_in_2036(till):
    """
    The sales of that evening and of the following days are pushed without a command.
    """
    till.released = RELEASED
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    till.engine().push()
    till.orders.add(till.sale("t0"))
    till.push(DAY)

    till.clock.set(datetime(2036, 5, 1, 12, tzinfo=UTC))
    till.orders.add(till.sale("odd"), day=date(2036, 5, 1))
    till.engine().push(date(2036, 5, 1))
    till.wait(minutes=2)
    till.clock.set(datetime(2026, 1, 2, 12, 4, tzinfo=UTC))

    for number in range(3):
        day = DAY + timedelta(days=number)
        till.orders.add(till.sale(f"t{number + 1}"), day=day)
        till.clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC) + timedelta(days=number))
        till.engine().push()

    assert sorted(till.effective()) == ["odd", "t0", "t1", "t2", "t3"]


@AHEAD
def test_first_start_in_2036(till):
    """
    A store that began while the clock was ahead begins anew once it is back.
    """
    till.released = RELEASED
    till.clock.set(datetime(2036, 5, 1, 12, tzinfo=UTC))
    till.engine().push()
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    till.orders.add(till.sale("t1"))

    till.engine().push()
    till.clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    till.engine().push()

    assert till.effective() == ["t1"]


NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR, DAYS, YEARS = timedelta(hours=1), timedelta(days=1), timedelta(days=3650)


@AHEAD
@pytest.mark.parametrize(
    ("before", "first", "last", "is_ahead"),
    [
        (NOW - HOUR, NOW + YEARS, NOW + YEARS + HOUR / 30, True),
        (NOW - HOUR, NOW + 10 * DAYS, NOW + 10 * DAYS, True),
        # A clock that fell back: runs went on until then.
        (NOW - HOUR / 2, NOW + HOUR / 2, NOW + 9 * DAYS, False),
        (NOW - HOUR, NOW + HOUR, NOW + HOUR, False),
        (None, NOW + YEARS, NOW + YEARS, False),
        # It was ahead for days: that may as well be the truth.
        (NOW - HOUR, NOW + YEARS, NOW + YEARS + 3 * DAYS, False),
        # The machine was off for a month; what it shows now is nearer to after.
        (NOW - 20 * DAYS, NOW + 10 * DAYS, NOW + 10 * DAYS, False),
        # It has not gone on yet.
        (NOW, NOW + YEARS, NOW + YEARS, False),
    ],
)
def test_which_clock_is_believed(before, first, last, is_ahead):
    """
    A short stay in the future is passed over, a clock that fell back is not.
    """
    runs = RunsAround(before=before, first=first, last=last)

    assert believable_last_run(runs, NOW) == (before if is_ahead else last)
