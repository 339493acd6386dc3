"""
Facts about the watermark: below it, business dates are not looked into again.
"""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import IS_SMALL

from conexxus_sync.model.calendar import StoreCalendar, Watermark
from conexxus_sync.sales import DueDates


DAY = date(2026, 1, 2)
NIGHT = timedelta(days=1)
MARK = Watermark(
    first=DAY,
    before=DAY + 9 * NIGHT,
    as_of=datetime(2026, 1, 18, tzinfo=UTC),
    rules=StoreCalendar(timezone=ZoneInfo("UTC")).rules,
    lookback=7,
)

# Most of them with the long proofs.
LATER = range(2, 8 if IS_SMALL else 12)
SEEDS = [*range(2), *(pytest.param(n, marks=pytest.mark.long) for n in LATER)]


def nights(till, count):
    """
    Push what is due, night by night.
    """
    for _ in range(count):
        till.push()
        till.wait(days=1)


def in_full(till, now):
    """
    The dates as they are without a watermark.
    """
    ledger = till.engine().ledger
    dates = ledger.dates(ledger.start_date(now), now)

    return dates, attrs.evolve(dates, visits=till.peek.sales_dates.visits(), unsettled=date.min)


def check(till):
    """
    The dates that are due and overdue do not depend on the watermark.
    """
    now = till.clock.now()
    marked, full = in_full(till, now)

    assert marked.due(now) == full.due(now)
    assert marked.next_due(now) == full.next_due(now)
    assert marked.moments(now) == full.moments(now)
    assert marked.overdue(now, timedelta(hours=1)) == full.overdue(now, timedelta(hours=1))


def test_years_of_dates(till):
    """
    However long the history is, a dozen visits are read, and the rest is
    below the watermark.
    """
    till.orders.add(till.sale("t1"))

    nights(till, 60)

    marked, full = in_full(till, till.clock.now())
    assert len(full.visits) >= 60
    assert len(marked.visits) <= 12
    check(till)


def test_date_that_is_due_again(till):
    """
    A date far below the watermark whose visit is cleared is due at once.
    """
    nights(till, 30)
    with till.store.write() as state:
        state.sales_dates.clear_visit(DAY + 3 * NIGHT)

    check(till)

    assert DAY + 3 * NIGHT in till.engine().due(till.clock.now())
    nights(till, 2)
    assert till.peek.sales_dates.watermark().before > DAY + 20 * NIGHT


def test_batch_that_waits(till):
    """
    A date far below the watermark with something to deliver is due.
    """
    till.orders.add(till.sale("t1"))
    nights(till, 30)
    with till.store.write() as state:
        (batch,) = state.outbox.batches()
        state.outbox.mark_open(batch, unknown_since=None, answer="", parked=None)

    check(till)

    assert till.engine().due(till.clock.now())[0] == DAY
    with till.store.write() as state:
        state.outbox.mark_open(batch, unknown_since=None, answer="", parked="why")
    check(till)


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, 9),
        ({"timezone": ZoneInfo("Asia/Tokyo")}, 0),
        ({"push_at": time(22)}, 0),
        ({"day_closes_at": time(2)}, 0),
        ({"tail_after": timedelta(hours=1)}, 0),
        ({"lookback_days": 3}, 9),
        ({"lookback_days": 8}, 0),
    ],
)
def test_other_rules(changes, days):
    """
    A watermark holds for the calendar that made it, and for one that looks
    back for fewer days.
    """
    calendar = attrs.evolve(StoreCalendar(timezone=ZoneInfo("UTC")), **changes)

    assert MARK.skip(DAY, calendar, MARK.as_of) == DAY + days * NIGHT


def test_other_bounds():
    """
    Nor does it hold for dates before its first, or by an earlier clock.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("UTC"))

    assert MARK.skip(DAY - NIGHT, calendar, MARK.as_of) == DAY - NIGHT
    assert MARK.skip(DAY, calendar, MARK.as_of - timedelta(seconds=1)) == DAY
    assert MARK.skip(DAY + 12 * NIGHT, calendar, MARK.as_of) == DAY + 12 * NIGHT


def test_nothing_is_over():
    """
    The first date that may be due again ends what is below the watermark.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("UTC"))
    now = datetime(2026, 2, 1, 12, tzinfo=UTC)

    dates = DueDates(calendar=calendar, start=DAY, visits={}, waiting=frozenset())

    assert dates.watermark(now) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_any_history(till, seed):
    """
    Whatever happens to visits, clock and settings, the same dates are due
    with the watermark as without.
    """
    chance = random.Random(seed)
    till.orders.by_date = {DAY + n * NIGHT: [till.sale(f"t{n}")] for n in range(0, 90, 3)}

    for _ in range(60):
        match chance.randrange(9):
            case 0:
                with till.store.write() as state:
                    state.sales_dates.clear_visit(DAY + chance.randrange(40) * NIGHT)
            case 1:
                till.clock.set(till.clock.now() - chance.randrange(12) * NIGHT)
            case 2:
                till.wait(days=chance.randrange(12))
            case 3:
                till.options = {"lookback_days": chance.randrange(10)}
            case 4:
                till.office.faults(chance.choice(["sales: 503", "sales: reset", "sales: 401"]))
            case 5:
                till.push(DAY + chance.randrange(40) * NIGHT)
            case 6:
                till.config = attrs.evolve(
                    till.config, timezone=ZoneInfo(chance.choice(["UTC", "Asia/Tokyo"]))
                )
            case _:
                till.push()
        till.wait(hours=chance.randrange(30))
        check(till)
