"""
Facts about business days, whatever the wall clock does.
"""

import os
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.sales import DateVisit
from conexxus_sync.sales import DueDates


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


@given(calendar=calendars, day=dates)
def test_core_hours(calendar, day):
    """
    Each moment of the core hours belongs to the date, and they are most of it.
    """
    first, last = calendar.core_hours(day)
    moments = [first + minutes * MINUTE for minutes in range(0, 27 * 60, 15)]

    days = {calendar.business_date(moment) for moment in moments if moment < last}

    # There is a date that Samoa never had.
    assert days == {day} or (not days and calendar.timezone.key == "Pacific/Apia")


def test_core_hours_at_an_end_of_the_calendar():
    """
    The first date of all has none.
    """
    first, last = StoreCalendar(timezone=ZoneInfo("UTC")).core_hours(date.min)

    assert not first < last


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


@settings(max_examples=examples(20, 80))
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


class Remembered(StoreCalendar):
    """
    Works out each moment once: the simulations ask for it many times.
    """

    def push_moment(self, business_date):
        return _remembered(super().push_moment, "push", self, business_date)

    def close_moment(self, business_date):
        return _remembered(super().close_moment, "close", self, business_date)


def _remembered(work, kind, calendar, day, _known={}):  # noqa: B006
    known = _known.setdefault((calendar.timezone.key, kind), {})
    if day not in known:
        known[day] = work(day)
    return known[day]


def simulate(zone, first, last):
    """
    Wake whenever something is due, from *first* to *last*; says which dates
    were visited when.
    """
    calendar = Remembered(timezone=ZoneInfo(zone))
    now = calendar.push_moment(first) - timedelta(hours=3)
    visits = {}

    while True:
        # A store knows its first date; what is long over is never due again.
        today = calendar.business_date(now)
        due = DueDates(
            calendar=calendar,
            start=max(first, today - 12 * DAY),
            visits={
                day: DateVisit(at=visits[day][-1])
                for day in (today - k * DAY for k in range(-1, 14))
                if day in visits
            },
            waiting=frozenset(),
        )
        now = max(now, due.next_due(now))
        if calendar.business_date(now) > last:
            return calendar, visits
        found = due.due(now)
        assert found, f"{zone} woke for nothing at {now}"
        for day in found:
            visits.setdefault(day, []).append(now)


def check_zone(zone, first, last):
    """
    Each business date is visited at its push, once at its tail, and then
    once a day for a week: at these moments and no others, never before.
    """
    calendar, visits = simulate(zone, first, last)

    day = first
    while day <= last - 9 * DAY:
        seen = visits[day]
        assert seen == sorted(set(calendar.due_moments(day))), (zone, day)
        assert wall(calendar, seen[0]) >= shown_push_time(calendar, day), (zone, day)
        assert calendar.business_date(seen[0]) >= day, (zone, day)
        assert seen.count(calendar.tail_moment(day)) == 1, (zone, day)
        day += DAY


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Africa/Cairo", date(2023, 4, 28)),
        ("Africa/Cairo", date(2024, 10, 31)),
        ("America/Santiago", date(2024, 9, 7)),
        ("America/Santiago", date(2037, 4, 4)),
        ("Asia/Beirut", date(2024, 3, 30)),
        ("Asia/Beirut", date(2024, 10, 26)),
        ("America/Nuuk", date(2024, 3, 30)),
        ("America/Nuuk", date(2024, 10, 26)),
        ("Australia/Lord_Howe", date(2024, 4, 6)),
        ("Australia/Lord_Howe", date(2024, 10, 5)),
        ("Pacific/Apia", date(2020, 4, 4)),
        ("Pacific/Apia", date(2020, 9, 26)),
        ("Pacific/Apia", date(2011, 12, 29)),
    ],
)
def test_each_date_around_an_odd_night(zone, night):
    """
    However the clock jumps, each date is visited when it is due.
    """
    check_zone(zone, night - 5 * DAY, night + 14 * DAY)


# Every other one with the long proofs.
ZONES = [
    pytest.param(zone, marks=pytest.mark.long if number % 2 else ())
    for number, zone in enumerate(sorted(available_timezones())[::60])
]


@pytest.mark.fault("C02", "Every night of a year in some zones", "one push for each business date")
@pytest.mark.parametrize("zone", ZONES)
def test_each_date_of_a_year(zone):
    """
    So it is throughout a year, in zones from all over the world.
    """
    check_zone(zone, date(2026, 1, 1), date(2026, 12, 31))


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
SHARES = 4 if IS_SMALL else 24


FIRST, LAST = date(2020, 1, 1), date(2037, 12, 31)


def rules(zone):
    """
    All that a zone is from the first to the last day: its offset at first,
    and each change of it, to the second.
    """
    info, half_a_day = ZoneInfo(zone), timedelta(hours=12)
    moment = datetime.combine(FIRST, time(), UTC) - 10 * DAY
    end = datetime.combine(LAST, time(), UTC) + 10 * DAY
    offset = moment.astimezone(info).utcoffset()
    found = [offset]

    while moment < end:
        later = moment + half_a_day
        if (changed := later.astimezone(info).utcoffset()) != offset:
            found.append((first_moment(info, moment, later), changed))
        moment, offset = later, changed

    return tuple(found)


def first_moment(info, before, after):
    """
    When the offset changes between two moments.
    """
    old = before.astimezone(info).utcoffset()

    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle.astimezone(info).utcoffset() == old:
            before = middle
        else:
            after = middle

    return after


@cache
def different_zones():
    """
    One zone of each set of rules: many names share theirs.
    """
    return list({rules(zone): zone for zone in sorted(available_timezones())}.values())


@pytest.mark.fault(
    "C02", "Every zone, every transition from 2020 to 2037", "one push for each business date"
)
@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("share", range(SHARES))
def test_every_zone(share):
    """
    So it is in every zone, on every day of 18 years.
    """
    few = sorted(available_timezones())[75::150]

    for zone in (few if IS_SMALL else different_zones())[share::SHARES]:
        check_zone(zone, FIRST, LAST)
