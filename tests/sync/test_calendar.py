"""
Facts about business days, whatever the wall clock does.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conexxus_sync.calendar import StoreCalendar


ODD_ZONES = [
    "Africa/Cairo",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
]
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

zones = st.sampled_from(ODD_ZONES)
dates = st.dates(date(2008, 1, 1), date(2037, 12, 31))
times = st.times().map(lambda t: t.replace(second=0, microsecond=0))
calendars = st.builds(
    lambda zone, push_at, closes: StoreCalendar(
        timezone=ZoneInfo(zone), push_at=push_at, day_closes_at=closes
    ),
    zones,
    st.just(time(23, 30)) | times,
    st.just(time(0)) | times.filter(lambda t: t < time(12)),
)


def wall(calendar, moment):
    return moment.astimezone(calendar.timezone).replace(tzinfo=None)


def shown_push_time(calendar, day):
    return datetime.combine(day if calendar.push_at >= time(12) else day + DAY, calendar.push_at)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_new_york_evening():
    """
    An evening in New York belongs to the store's day, not to UTC's.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("America/New_York"))

    assert date(2026, 1, 2) == calendar.business_date(utc(2026, 1, 3, 4, 30))
    assert utc(2026, 1, 3, 4, 30) == calendar.push_moment(date(2026, 1, 2))
    assert utc(2026, 1, 3, 5, 15) == calendar.tail_moment(date(2026, 1, 2))


def test_after_midnight():
    """
    Hours before the close count as the day before.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("UTC"), day_closes_at=time(2))

    assert date(2026, 1, 2) == calendar.business_date(utc(2026, 1, 3, 1, 59, 59))
    assert date(2026, 1, 3) == calendar.business_date(utc(2026, 1, 3, 2))
    assert utc(2026, 1, 3, 2, 15) == calendar.tail_moment(date(2026, 1, 2))


def test_morning_push():
    """
    A push before noon is made on the next calendar day; if the day has
    closed by then, it finds the tail too.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("UTC"), push_at=time(3), lookback_days=1)

    assert [utc(2026, 1, 3, 3), utc(2026, 1, 4, 3)] == list(calendar.due_moments(date(2026, 1, 2)))


def test_due_moments():
    """
    A date is due at its push, at its tail, and once a day for a week.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("UTC"))

    assert [
        utc(2026, 1, 2, 23, 30),
        utc(2026, 1, 3, 0, 15),
        *(utc(2026, 1, day, 23, 30) for day in range(3, 10)),
    ] == list(calendar.due_moments(date(2026, 1, 2)))


@pytest.mark.parametrize(
    ("zone", "day", "push"),
    [
        # Shown twice: the later one.
        ("Africa/Cairo", date(2024, 10, 31), utc(2024, 10, 31, 21, 30)),
        ("America/Santiago", date(2024, 4, 6), utc(2024, 4, 7, 3, 30)),
        ("Asia/Beirut", date(2024, 10, 26), utc(2024, 10, 26, 21, 30)),
        # The whole day is skipped: the first instant after the gap.
        ("Pacific/Apia", date(2011, 12, 30), utc(2011, 12, 30, 10)),
        ("Pacific/Apia", date(2011, 12, 29), utc(2011, 12, 30, 9, 30)),
        ("America/New_York", date(2026, 11, 1), utc(2026, 11, 2, 4, 30)),
    ],
)
def test_odd_nights(zone, day, push):
    """
    Where 23:30 is shown twice, or never, there still is one push.
    """
    assert push == StoreCalendar(timezone=ZoneInfo(zone)).push_moment(day)


def test_skipped_close():
    """
    A close that the clock skips happens at the first instant after the gap.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("America/New_York"), day_closes_at=time(2, 30))

    assert utc(2026, 3, 8, 7) == calendar.close_moment(date(2026, 3, 7))
    assert date(2026, 3, 8) == calendar.business_date(utc(2026, 3, 8, 7, 30))


@settings(max_examples=150, deadline=None)
@given(calendar=calendars, day=dates)
def test_never_early(calendar, day):
    """
    From the push on, the wall clock never shows an earlier time than the
    push's; the instant before it did not show that time for the last time.
    """
    push = calendar.push_moment(day)
    due = shown_push_time(calendar, day)

    later = [wall(calendar, push + minutes * MINUTE) for minutes in range(0, 27 * 60, 15)]

    assert all(shown >= due for shown in later)
    assert wall(calendar, push - timedelta(seconds=1)) < due or wall(calendar, push) == due


@settings(max_examples=200, deadline=None)
@given(calendar=calendars, day=dates, before=st.integers(1, 27 * 3600))
def test_close_is_final(calendar, day, before):
    """
    No moment from the close on belongs to the date, and every moment of the
    date comes before its tail.
    """
    close = calendar.close_moment(day)

    assert calendar.business_date(close) > day
    assert calendar.business_date(close + timedelta(seconds=before)) > day
    assert calendar.tail_moment(day) == close + timedelta(minutes=15)


@settings(max_examples=80, deadline=None)
@given(calendar=calendars, first=dates, step=st.sampled_from([10, 15, 60, 240]))
def test_once(calendar, first, step):
    """
    A scheduler that wakes at any rhythm visits each date once at or after
    each of its due moments: push once, tail once, nothing twice.
    """
    days = [first + k * DAY for k in range(3)]
    visits = {day: [] for day in days}
    now = calendar.push_moment(first) - timedelta(hours=2)

    while now < calendar.push_moment(first) + 5 * DAY:
        for day in days:
            last = visits[day][-1] if visits[day] else None
            if calendar.is_due(day, last, now):
                visits[day].append(now)
        now += step * MINUTE

    for day in days:
        due = [moment for moment in calendar.due_moments(day) if moment < now - step * MINUTE]
        seen = visits[day]
        # Two due moments between two wakings are one visit.
        assert all(any(m <= v < m + step * MINUTE for v in seen) for m in due)
        assert len(seen) <= len(due) + 1
        assert seen[0] >= due[0]
        assert wall(calendar, seen[0]) >= shown_push_time(calendar, day)


@settings(max_examples=200, deadline=None)
@given(calendar=calendars, day=dates, visits=st.lists(st.integers(0, 14 * 24 * 60), max_size=6))
def test_next_due(calendar, day, visits):
    """
    What is due next agrees with what is due: the moment before it isn't, it
    itself is.
    """
    last = None
    for minutes in sorted(visits):
        last = calendar.push_moment(day) + minutes * MINUTE

    upcoming = calendar.next_due(day, last)

    if upcoming is None:
        assert not calendar.is_due(day, last, calendar.push_moment(day) + 400 * DAY)
    else:
        assert calendar.is_due(day, last, upcoming)
        assert not calendar.is_due(day, last, upcoming - timedelta(seconds=1))


def test_first_date():
    """
    A new store begins with today, or tomorrow if today's push has passed.
    """
    calendar = StoreCalendar(timezone=ZoneInfo("UTC"))

    assert date(2026, 1, 2) == calendar.first_date(utc(2026, 1, 2, 23, 29))
    assert date(2026, 1, 3) == calendar.first_date(utc(2026, 1, 2, 23, 30))


@pytest.mark.long
@pytest.mark.parametrize("share", range(24))
def test_every_zone(share):
    """
    In every zone, on every day of 18 years, the push is never early and
    pushes come in the order of their dates.
    """
    days = [date(2020, 1, 1) + k * DAY for k in range((date(2038, 1, 1) - date(2020, 1, 1)).days)]

    for zone in sorted(available_timezones())[share::24]:
        calendar = StoreCalendar(timezone=ZoneInfo(zone))
        previous = calendar.push_moment(date(2019, 12, 31))

        for day in days:
            push = calendar.push_moment(day)
            assert wall(calendar, push) >= shown_push_time(calendar, day)
            assert wall(calendar, push + 30 * MINUTE) >= shown_push_time(calendar, day)
            assert previous < push
            previous = push
