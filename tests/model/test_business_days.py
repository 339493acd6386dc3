"""
Facts about single business days, each to the second.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.model.calendar import StoreCalendar, Watermark, plain_date


SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = date(2026, 1, 2)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def calendar(zone="UTC", **settings):
    return StoreCalendar(timezone=ZoneInfo(zone), **settings)


@pytest.mark.parametrize(
    ("zone", "closes", "day", "first", "last"),
    [
        ("UTC", time(0), DAY, utc(2026, 1, 2), utc(2026, 1, 2, 21)),
        ("UTC", time(2, 30, 15), DAY, utc(2026, 1, 2, 2, 30, 15), utc(2026, 1, 2, 23, 30, 15)),
        ("America/New_York", time(0), DAY, utc(2026, 1, 2, 5), utc(2026, 1, 3, 2)),
        ("UTC", time(0), date.max, utc(9999, 12, 31, 23, 59, 59, 999999), None),
        ("UTC", time(0), date.min, utc(9999, 12, 31, 23, 59, 59, 999999), None),
    ],
)
def test_core_hours(zone, closes, day, first, last):
    """
    From the close of the day before to three hours before its own; at an end
    of the calendar there are none.
    """
    assert calendar(zone, day_closes_at=closes).core_hours(day) == (first, last or first)


@pytest.mark.parametrize(
    ("push_at", "moment"),
    [
        (time(12), utc(2026, 1, 2, 12)),
        (time(11, 59), utc(2026, 1, 3, 11, 59)),
        (time(23, 30), utc(2026, 1, 2, 23, 30)),
        (time(0), utc(2026, 1, 3)),
    ],
)
def test_push(push_at, moment):
    """
    From noon on, it is on the date itself.
    """
    assert calendar(push_at=push_at).push_moment(DAY) == moment


@pytest.mark.parametrize(
    ("settings", "moments"),
    [
        # The tail, then each evening.
        (
            {"lookback_days": 2},
            [
                utc(2026, 1, 2, 23, 30),
                utc(2026, 1, 3, 0, 15),
                utc(2026, 1, 3, 23, 30),
                utc(2026, 1, 4, 23, 30),
            ],
        ),
        ({"lookback_days": 0}, [utc(2026, 1, 2, 23, 30), utc(2026, 1, 3, 0, 15)]),
        # The push finds the tail, too.
        (
            {"lookback_days": 1, "push_at": time(0, 15)},
            [utc(2026, 1, 3, 0, 15), utc(2026, 1, 4, 0, 15)],
        ),
        # The tail comes after the next evening, which finds nothing more.
        (
            {"lookback_days": 2, "day_closes_at": time(11), "tail_after": timedelta(hours=13)},
            [utc(2026, 1, 2, 23, 30), utc(2026, 1, 4), utc(2026, 1, 4, 23, 30)],
        ),
        (
            {"lookback_days": 1, "tail_after": timedelta(hours=23, minutes=30)},
            [utc(2026, 1, 2, 23, 30), utc(2026, 1, 3, 23, 30)],
        ),
    ],
)
def test_moments(settings, moments):
    assert list(calendar(**settings).due_moments(DAY)) == moments


@pytest.mark.parametrize(
    ("visited", "upcoming"),
    [
        (None, utc(2026, 1, 2, 23, 30)),
        (utc(2026, 1, 2, 23, 29, 59), utc(2026, 1, 2, 23, 30)),
        (utc(2026, 1, 2, 23, 30), utc(2026, 1, 3, 0, 15)),
        (utc(2026, 1, 3, 0, 15), utc(2026, 1, 3, 23, 30)),
        (utc(2026, 1, 3, 23, 30), None),
    ],
)
def test_next_due(visited, upcoming):
    """
    The first moment after the last visit; none once it is over.
    """
    days = calendar(lookback_days=1)

    assert days.next_due(DAY, visited) == upcoming
    if upcoming is None:
        assert not days.is_due(DAY, visited, utc(2027, 1, 1))
    else:
        assert days.is_due(DAY, visited, upcoming)
        assert not days.is_due(DAY, visited, upcoming - SECOND)


@pytest.mark.parametrize(
    ("zone", "closes", "moment", "day"),
    [
        ("UTC", time(0), utc(2026, 1, 2, 23, 59, 59), DAY),
        ("UTC", time(2, 30, 15), utc(2026, 1, 3, 2, 30, 14), DAY),
        ("UTC", time(2, 30, 15), utc(2026, 1, 3, 2, 30, 15), date(2026, 1, 3)),
        ("America/New_York", time(0), utc(2026, 1, 3, 4, 59), DAY),
    ],
)
def test_date_of_a_moment(zone, closes, moment, day):
    assert calendar(zone, day_closes_at=closes).business_date(moment) == day


def test_first_date():
    """
    Today's, unless its push time has passed.
    """
    assert calendar().first_date(utc(2026, 1, 2, 23, 29, 59)) == DAY
    assert calendar().first_date(utc(2026, 1, 2, 23, 30)) == date(2026, 1, 3)


def test_rules():
    """
    All that decides, but the days to look back.
    """
    assert calendar("Europe/Berlin", lookback_days=1).rules == (
        "Europe/Berlin 23:30:00 00:00:00 0:15:00"
    )


@pytest.mark.parametrize(
    ("zone", "day", "closes", "moment"),
    [
        # Skipped: the first instant after the gap. Shown twice: the later one.
        ("Europe/Berlin", date(2026, 3, 28), time(2, 30), utc(2026, 3, 29, 1)),
        ("Europe/Berlin", date(2026, 10, 24), time(2, 30), utc(2026, 10, 25, 1, 30)),
        ("America/Santiago", date(2026, 9, 5), time(0), utc(2026, 9, 6, 4)),
        ("Australia/Lord_Howe", date(2026, 10, 3), time(2, 15), utc(2026, 10, 3, 15, 30)),
        # A date that never was.
        ("Pacific/Apia", date(2011, 12, 29), time(0), utc(2011, 12, 30, 10)),
    ],
)
def test_odd_closes(zone, day, closes, moment):
    assert calendar(zone, day_closes_at=closes).close_moment(day) == moment


MARK = Watermark(
    first=date(2026, 1, 5),
    before=date(2026, 1, 9),
    as_of=utc(2026, 1, 12),
    rules=calendar().rules,
    lookback=7,
)


@pytest.mark.parametrize(
    ("start", "days", "now", "found"),
    [
        (date(2026, 1, 5), calendar(), utc(2026, 1, 12), date(2026, 1, 9)),
        (date(2026, 1, 6), calendar(), utc(2026, 1, 13), date(2026, 1, 9)),
        (date(2026, 1, 10), calendar(), utc(2026, 1, 13), date(2026, 1, 10)),
        (date(2026, 1, 6), calendar(lookback_days=6), utc(2026, 1, 13), date(2026, 1, 9)),
        # Of what was before, by a clock that was set back, or by others.
        (date(2026, 1, 4), calendar(), utc(2026, 1, 13), date(2026, 1, 4)),
        (date(2026, 1, 6), calendar(), utc(2026, 1, 12) - SECOND, date(2026, 1, 6)),
        (date(2026, 1, 6), calendar(push_at=time(23)), utc(2026, 1, 13), date(2026, 1, 6)),
        (date(2026, 1, 6), calendar(lookback_days=8), utc(2026, 1, 13), date(2026, 1, 6)),
    ],
)
def test_watermark(start, days, now, found):
    """
    What is over by these rules, and by an earlier clock, is passed over.
    """
    assert MARK.skip(start, days, now) == found


@pytest.mark.parametrize("value", [utc(2026, 1, 2), "2026-01-02", None])
def test_no_business_date(value):
    with pytest.raises(ValueError, match="a business date") as caught:
        plain_date(value)

    assert str(caught.value) == (
        "a business date is a date without a time, like date(2026, 1, 2), not a value of type "
        f"{type(value).__name__}: `StoreCalendar.business_date(moment)` says which one a moment "
        "belongs to"
    )


def test_plain_date():
    class Friday(date):
        pass

    found = plain_date(Friday(2026, 1, 2))

    assert (found, type(found)) == (DAY, date)
