"""
Facts about what is due, where it begins, and how far it is over: rules alone,
without a store.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.sales import DateVisit
from conexxus_sync.sales import DueDates
from conexxus_sync.sales._due_dates import HeldDates, StartDate
from conexxus_sync.sales._trickle_schedule import TrickleSchedule


DATABASES = ("sqlite",)
CALENDAR = StoreCalendar(timezone=ZoneInfo("UTC"), lookback_days=2)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
FIRST, BEGIN = date(2026, 1, 1), date(2026, 1, 5)


def day(number):
    return date(2026, 1, number)


def at(number, hour=12, minute=0):
    return datetime(2026, 1, number, hour, minute, tzinfo=UTC)


def ledger(start=BEGIN, *, visits=None, waiting=(), parked=(), **more):
    return DueDates(
        calendar=CALENDAR,
        start=start,
        visits={each: DateVisit(at=moment) for each, moment in (visits or {}).items()},
        waiting=frozenset(waiting),
        parked=frozenset(parked),
        **more,
    )


def trickle(first=FIRST, looked_at=None):
    return TrickleSchedule(calendar=CALENDAR, every=QUARTER, first=first, looked_at=looked_at)


# Pushed, and looked at for the last time.
OVER = {day(5): at(7, 23, 30), day(6): at(8, 23, 30)}


@pytest.mark.parametrize(
    ("asked", "start", "record", "held"),
    [
        # A fresh store begins where it is, or where it was asked to.
        ({}, day(5), day(5), None),
        ({"wanted": day(7)}, day(7), day(7), None),
        ({"wanted": day(5)}, day(5), day(5), None),
        ({"wanted": day(3), "honour_past": True}, day(3), day(3), None),
        ({"wanted": day(3)}, day(5), day(5), (day(3), day(5))),
        # One that began knows where.
        ({"recorded": day(4)}, day(4), None, None),
        ({"recorded": day(4), "wanted": day(6)}, day(6), None, None),
        ({"recorded": day(4), "wanted": day(3)}, day(4), None, (day(3), day(4))),
        ({"recorded": day(4), "wanted": day(3), "honour_past": True}, day(3), day(3), None),
        # Nothing that is closed is opened.
        ({"recorded": day(4), "open_from": day(6)}, day(6), None, None),
        ({"wanted": day(2), "open_from": day(3)}, day(5), day(5), (day(3), day(5))),
    ],
)
def test_start(asked, start, record, held):
    """
    The past is pushed where that was asked for, and held back elsewhere.
    """
    found = StartDate.decide(
        **{"recorded": None, "wanted": None, "first": day(5), "honour_past": False} | asked
    )

    assert found == StartDate(
        start=start,
        record=record,
        held=None if held is None else HeldDates(since=held[0], before=held[1]),
    )


def test_held_dates_say_what_to_do():
    assert str(HeldDates(since=day(3), before=day(5))) == (
        "sales from 2026-01-03 to before 2026-01-05 are held back, because this store has no "
        "record whether they were pushed: run `conexxus push --orders ORDERS --since 2026-01-03` "
        "to push them"
    )


@pytest.mark.parametrize(
    ("dates", "now", "due"),
    [
        (ledger(), at(5), []),
        (ledger(), at(5, 23, 30), [day(5)]),
        (ledger(), at(6), [day(5)]),
        (ledger(), at(6, 23, 30), [day(5), day(6)]),
        (ledger(visits={day(5): at(5, 23, 30)}), at(6, 0, 14), []),
        (ledger(visits={day(5): at(5, 23, 30)}), at(6, 0, 15), [day(5)]),
        # By a clock that was ahead.
        (ledger(visits={day(5): at(9)}), at(5, 23, 30), [day(5)]),
        (ledger(visits={day(5): at(5, 23, 40)}), at(5, 23, 40), []),
        # Nothing that waits is forgotten, however old it is.
        (ledger(visits=OVER, waiting=[day(5)], unsettled=day(7)), at(7), [day(5)]),
        (ledger(visits=OVER, waiting=[day(4)], unsettled=day(7)), at(7), [day(4)]),
        (ledger(visits=OVER, parked=[day(5)], unsettled=day(7)), at(9), [day(7), day(8)]),
        # Of a date in progress, it goes with the next look.
        (ledger(waiting=[day(5)]), at(5), [day(5)]),
        (ledger(waiting=[day(5)], trickle=trickle()), at(5), []),
        (ledger(waiting=[day(5)], trickle=trickle(first=day(5))), at(5), [day(5)]),
    ],
)
def test_due(dates, now, due):
    assert dates.due(now) == due


@pytest.mark.parametrize(
    ("dates", "now", "moment"),
    [
        (ledger(), at(5), at(5, 23, 30)),
        (ledger(start=day(8)), at(5), at(8, 23, 30)),
        (ledger(visits={day(5): at(5, 23, 30)}), at(5, 23, 45), at(6, 0, 15)),
        (ledger(visits=OVER), at(8, 23, 40), at(7, 23, 30)),
        (ledger(waiting=[day(5)]), at(5), at(5)),
        (ledger(trickle=trickle(looked_at=at(5))), at(5), at(5, 12, 15)),
        (
            ledger(waiting=[day(5)], trickle=trickle(looked_at=at(5))),
            at(5, 12, 1),
            at(5, 12, 15),
        ),
        # The date is in the future as long as nothing of today can be due.
        (ledger(visits={day(5): at(7, 23, 30)}, unsettled=day(9)), at(8), at(9, 23, 30)),
    ],
)
def test_next_due(dates, now, moment):
    assert dates.next_due(now) == moment


def test_looks():
    """
    At their moment, or at once; never where there is no push during the day.
    """
    dates = ledger(trickle=trickle(looked_at=at(5)))

    assert dates.looks(at(5, 12, 14), at_once=False) == []
    assert dates.looks(at(5, 12, 15), at_once=False) == [day(5)]
    assert dates.looks(at(5, 12, 1), at_once=True) == [day(5)]
    assert ledger().looks(at(5), at_once=True) == []


def test_moments():
    """
    The next look at each date, but for those that are over or closed.
    """
    dates = ledger(visits={day(5): at(8), day(6): at(7)})
    closed = DateVisit(closed="the books are closed")
    dates = DueDates(
        calendar=CALENDAR,
        start=day(4),
        visits={**dates.visits, day(4): closed},
        waiting=frozenset(),
    )

    assert dates.moments(at(8)) == {
        day(6): at(7, 23, 30),
        day(7): at(7, 23, 30),
        day(8): at(8, 23, 30),
    }


@pytest.mark.parametrize(
    ("dates", "now", "overdue"),
    [
        (ledger(), at(6, 0, 29), []),
        (ledger(), at(6, 0, 30), [day(5)]),
        (ledger(visits={day(5): at(5, 23, 30)}), at(6, 12), []),
        (ledger(visits={day(5): at(5, 23, 29)}), at(6, 12), [day(5)]),
        (ledger(visits={day(5): at(5, 23, 30)}, waiting=[day(5)]), at(6, 12), [day(5)]),
        (ledger(visits={day(5): at(5, 23, 30)}, parked=[day(5)]), at(6, 12), [day(5)]),
        # Though older ones are over; what is before the start is another's.
        (ledger(visits=OVER, parked=[day(4), day(5)], unsettled=day(7)), at(7), [day(5)]),
        (ledger(waiting=[day(6)], visits=OVER, unsettled=day(8)), at(8), [day(6)]),
    ],
)
def test_overdue(dates, now, overdue):
    """
    What was not pushed an hour ago, or not entirely.
    """
    assert dates.overdue(now, HOUR) == overdue


def test_needs_decision():
    """
    A date that was pushed, and of which only something parked is left.
    """
    visits = {day(5): at(5, 23, 30)}

    assert ledger(visits=visits, parked=[day(5)]).needs_decision(day(5), at(6))
    assert not ledger(visits=visits).needs_decision(day(5), at(6))
    assert not ledger(parked=[day(5)]).needs_decision(day(5), at(6))
    assert not ledger(visits=visits, parked=[day(5)], waiting=[day(5)]).needs_decision(
        day(5), at(6)
    )


def test_watermark():
    """
    Up to where no date is looked at any more, as of the last look at one.
    """
    dates = ledger(visits=OVER | {day(7): at(7, 23, 30)})

    assert ledger().watermark(at(9)) is None
    found = dates.watermark(at(9))
    assert (found.first, found.before, found.as_of) == (day(5), day(7), at(8, 23, 30))
    assert (found.rules, found.lookback) == (CALENDAR.rules, 2)
    assert ledger(visits=OVER, unsettled=day(6)).watermark(at(9)).before == day(7)
    assert ledger(visits=OVER, as_of=at(8, 23, 50)).watermark(at(9)).as_of == at(8, 23, 50)


def test_watermark_of_closed_dates():
    """
    They were not looked at, and are over as of now.
    """
    closed = DateVisit(closed="the books are closed")
    dates = DueDates(calendar=CALENDAR, start=day(5), visits={day(5): closed}, waiting=frozenset())

    found = dates.watermark(at(6))

    assert (found.before, found.as_of) == (day(6), at(6))


@pytest.mark.parametrize(
    ("schedule", "now", "dates", "look"),
    [
        (trickle(), at(5), [day(5)], at(5)),
        (trickle(looked_at=at(5)), at(5, 12, 1), [day(5)], at(5, 12, 15)),
        # By a clock that was ahead.
        (trickle(looked_at=at(5, 12, 1)), at(5), [day(5)], at(5)),
        (trickle(looked_at=at(5)), at(5), [day(5)], at(5, 12, 15)),
        # Pushed: the next date begins at the close.
        (trickle(), at(5, 23, 30), [], at(6, 0)),
        # The first date is pushed as a whole.
        (trickle(first=day(5)), at(5), [], at(6, 0)),
        (trickle(first=day(7)), at(5), [], at(8, 0)),
    ],
)
def test_looks_during_the_day(schedule, now, dates, look):
    assert schedule.dates(now) == dates
    assert schedule.next_look(now) == look


def test_two_dates_in_progress():
    """
    A push after midnight leaves yesterday in progress.
    """
    late = StoreCalendar(timezone=ZoneInfo("UTC"), push_at=datetime(2026, 1, 1, 3).time())
    schedule = TrickleSchedule(calendar=late, every=QUARTER, first=day(1), looked_at=None)

    assert schedule.dates(at(5, 1)) == [day(4), day(5)]
    assert schedule.dates(at(5, 3)) == [day(5)]
