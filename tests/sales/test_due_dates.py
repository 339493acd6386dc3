"""
Facts about a scheduler that asks what is due next, in odd zones and long
absences.
"""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

import pytest


DAY = timedelta(days=1)


def run_until(till, end):
    """
    Wake when something is due, push, and write down which date was asked
    when, until *end*.
    """
    asked = defaultdict(list)
    engine = till.engine()

    while (moment := engine.next_due(till.clock.now())) < end:
        till.clock.advance_to(max(moment, till.clock.now()))
        till.orders.asked.clear()
        engine.push()
        for day in till.orders.asked:
            asked[day].append(till.clock.now())

    till.clock.advance_to(end)

    return asked


@pytest.mark.fault("C02", "The oddest nights of the zones", "one push and one tail for each date")
@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Africa/Cairo", date(2024, 10, 31)),
        ("America/Santiago", date(2024, 4, 6)),
        ("Asia/Beirut", date(2024, 10, 26)),
        ("America/Nuuk", date(2024, 10, 26)),
        ("Australia/Lord_Howe", date(2024, 4, 6)),
        ("America/New_York", date(2026, 3, 7)),
        ("America/New_York", date(2026, 10, 31)),
        ("Pacific/Apia", date(2011, 12, 29)),
    ],
)
def test_odd_nights(till, zoned, zone, night):
    """
    Each date is asked at its push and at its tail, once, and then once a
    day: whatever the clock does that night, and never before its time.
    """
    till.config = zoned(zone)
    calendar = till.engine().ledger.calendar
    till.clock.set(calendar.push_moment(night - 2 * DAY) - timedelta(hours=1))

    asked = run_until(till, calendar.tail_moment(night + 2 * DAY) + timedelta(hours=1))

    assert sorted(asked) == [night + k * DAY for k in range(-2, 3)]
    for day, moments in asked.items():
        expected = sorted({m for m in calendar.due_moments(day) if m < till.clock.now()})
        assert moments == expected


def test_slow_scheduler(till, zoned):
    """
    A computer that sleeps through due moments visits once for all of them.
    """
    till.config = zoned("Europe/Berlin")
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    till.push(since=date(2026, 1, 2))
    till.orders.add(till.sale("t1"))

    till.wait(days=9)
    runs = till.engine().push()

    assert [run.business_date for run in runs] == [date(2026, 1, 2)]
    assert till.orders.asked == [date(2026, 1, 2) + k * DAY for k in range(9)]


def test_midnight_sales(till, zoned):
    """
    23:45 belongs to the day, so does 00:10 where the day closes at 02:00;
    a refund the next morning for yesterday is yesterday's.
    """
    till.config = zoned("America/New_York", day_closes_at=time(2))
    till.clock.set(datetime(2026, 1, 2, 17, tzinfo=UTC))
    day = date(2026, 1, 2)
    sold = {
        "23:20": datetime(2026, 1, 3, 4, 20, tzinfo=UTC),
        "23:45": datetime(2026, 1, 3, 4, 45, tzinfo=UTC),
        "00:10": datetime(2026, 1, 3, 5, 10, tzinfo=UTC),
        "refund": datetime(2026, 1, 3, 14, 0, tzinfo=UTC),
    }

    for name, moment in sold.items():
        run_until(till, moment)
        assert till.engine().ledger.calendar.business_date(moment) == day or name == "refund"
        till.orders.add(till.sale(name, timestamp=moment), day=day)
    run_until(till, datetime(2026, 1, 5, tzinfo=UTC))

    assert till.office.effective_batches == [{"23:20"}, {"23:45", "00:10"}, {"refund"}]
    assert till.office.ledger.dates() == [day]
