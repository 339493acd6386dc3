"""
Facts about clocks, keys, zones and silence: rules alone, without a store.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.model.sales import Batch, BatchState, RunsAround, SendMoment
from conexxus_sync.sales._clock_check import (
    ClockProblem,
    believable_last_run,
    find_clock_problem,
)
from conexxus_sync.sales._key_age import key_age, unknown_since
from conexxus_sync.sales._silence import find_silence
from conexxus_sync.sales._zone_check import ZoneCheck


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
TODAY = date(2026, 1, 31)


def batch(state=BatchState.UNKNOWN, **sent):
    return Batch(
        location_id="loc-001",
        business_date=NOW.date(),
        key="k",
        freeze=1,
        first=0,
        state=state,
        transactions=1,
        total=1,
        attempts=1,
        frozen_at=NOW - DAY,
        **sent,
    )


@pytest.mark.parametrize(
    ("sent", "since"),
    [
        (batch(unknown_since=NOW), NOW),
        (batch(unknown_since=NOW, sent_at=NOW + HOUR), NOW),
        # No answer came: the back office may have it.
        (batch(BatchState.SENDING, sent_at=NOW), NOW),
        (batch(BatchState.PENDING, sent_at=NOW), None),
        (batch(BatchState.SENDING), None),
    ],
)
def test_since_when_the_fate_is_unknown(sent, since):
    assert unknown_since(sent) == since


ANEW = (
    "this computer was started anew since then, and no `Date` of the back office shows for how long"
)
SET = "the clock was set since then, and no `Date` of the back office shows for how long"
OF_BOOT = {"unknown_since": NOW - HOUR, "sent_boot": "a", "sent_uptime": 100.0}


@pytest.mark.parametrize(
    ("sent", "here", "age", "doubt"),
    [
        ({}, {}, timedelta(), None),
        # Clock and uptime agree; the longer one counts.
        (OF_BOOT, {"uptime": 3_700.0}, HOUR, None),
        (OF_BOOT, {"uptime": 3_700.0 + 300}, HOUR + 5 * MINUTE, None),
        (OF_BOOT, {"uptime": 3_700.0 - 300}, HOUR, None),
        # They do not.
        (OF_BOOT, {"uptime": 3_700.0 + 301}, None, SET),
        (OF_BOOT, {"uptime": 3_700.0 - 301}, None, SET),
        (OF_BOOT, {"uptime": 100.0}, None, SET),
        (OF_BOOT | {"unknown_since": NOW}, {"uptime": 100.0}, timedelta(), None),
        # Another boot, or one that is unknown.
        (OF_BOOT, {"uptime": 3_700.0, "boot": "b"}, None, ANEW),
        (OF_BOOT, {"uptime": 99.0}, None, ANEW),
        (OF_BOOT | {"sent_uptime": None}, {"uptime": 3_700.0}, None, ANEW),
        # The back office shows it.
        (
            OF_BOOT | {"sent_server": NOW - 3 * HOUR},
            {"boot": "b", "server": NOW},
            3 * HOUR,
            None,
        ),
        (OF_BOOT | {"sent_server": NOW}, {"boot": "b", "server": NOW}, timedelta(), None),
        (OF_BOOT | {"sent_server": NOW}, {"boot": "b", "server": NOW - SECOND}, None, ANEW),
        (OF_BOOT | {"sent_server": NOW}, {"boot": "b"}, None, ANEW),
        (OF_BOOT, {"boot": "b", "server": NOW}, None, ANEW),
    ],
)
def test_age_of_a_key(sent, here, age, doubt):
    """
    The clock alone is not believed: the uptime has to agree, or the back
    office's own clock counts.
    """
    moment = SendMoment(**{"at": NOW, "boot": "a", "uptime": 0.0} | here)

    found = key_age(batch(**sent), moment)

    assert (found.age, found.doubt) == (age, doubt)


@pytest.mark.parametrize(
    ("last_run", "released", "problem"),
    [
        (None, NOW, None),
        (None, NOW + SECOND, ClockProblem(shows=NOW)),
        (NOW - DAY, NOW - DAY, None),
        (NOW + 5 * MINUTE, NOW - DAY, None),
        (
            NOW + 5 * MINUTE + SECOND,
            NOW - DAY,
            ClockProblem(shows=NOW, last_run=NOW + 5 * MINUTE + SECOND),
        ),
    ],
)
def test_clock(last_run, released, problem):
    """
    It shows no time before the release, and none before the last run.
    """
    assert find_clock_problem(NOW, last_run=last_run, released=released) == problem


def test_clock_in_words():
    elsewhere = NOW.astimezone(ZoneInfo("America/New_York"))

    assert str(ClockProblem(shows=elsewhere)) == (
        "the clock shows 2026-01-02 12:00 UTC, which is before this version of conexxus-sdk was "
        "released: no sales are pushed automatically. Set the clock; `conexxus push --orders "
        "ORDERS --date DATE` works meanwhile"
    )
    assert str(ClockProblem(shows=NOW, last_run=NOW + DAY)) == (
        "the clock shows 2026-01-02 12:00 UTC, which is before the last run, of 2026-01-03 12:00 "
        "UTC: no sales are pushed automatically. Set the clock; `conexxus push --orders ORDERS "
        "--date DATE` works meanwhile. If the clock is right, `conexxus push --orders ORDERS` "
        "says so once and for all"
    )


@pytest.mark.parametrize(
    ("before", "first", "last", "is_ahead"),
    [
        # Two days without a run, and as long in the future, are no jump.
        (NOW - HOUR, NOW + 2 * DAY - HOUR, NOW + 2 * DAY - HOUR, False),
        (NOW - HOUR, NOW + 2 * DAY, NOW + 2 * DAY, True),
        (NOW - 3 * DAY, NOW + 9 * DAY, NOW + 11 * DAY, False),
        (NOW - 3 * DAY, NOW + 9 * DAY, NOW + 11 * DAY - SECOND, True),
        # As near to the one side as to the other.
        (NOW - 2 * DAY, NOW + 2 * DAY, NOW + 2 * DAY, False),
        (NOW - 2 * DAY, NOW + 2 * DAY + SECOND, NOW + 2 * DAY + SECOND, True),
        # It has gone on for longer than it was ahead.
        (NOW - HOUR, NOW + 9 * DAY, NOW + 9 * DAY + HOUR - 5 * MINUTE, False),
        (NOW - HOUR, NOW + 9 * DAY, NOW + 9 * DAY + HOUR - 5 * MINUTE - SECOND, True),
        (NOW - HOUR, None, None, True),
        (None, NOW + DAY, NOW + DAY, False),
    ],
)
def test_a_stay_in_the_future(before, first, last, is_ahead):
    runs = RunsAround(before=before, first=first, last=last)

    assert believable_last_run(runs, NOW) == (before if is_ahead else last)


@pytest.mark.parametrize(
    ("sold", "start", "text"),
    [
        ([], TODAY - 7 * DAY, None),
        (
            [],
            TODAY - 8 * DAY,
            "No sales since the start, 2026-01-23, which is unusual.",
        ),
        ([3, 4], TODAY, None),
        (
            [4, 5],
            TODAY,
            (
                "No sales since 2026-01-27, which is unusual: so far, there was a sale at least "
                "every day."
            ),
        ),
        (
            [4],
            TODAY,
            (
                "No sales since 2026-01-27, which is unusual: so far, there was a sale at least "
                "every day."
            ),
        ),
        ([3], TODAY, None),
        ([6, 9, 10], TODAY, None),
        (
            [7, 10, 11],
            TODAY,
            (
                "No sales since 2026-01-24, which is unusual: so far, there was a sale at least "
                "every 3 days."
            ),
        ),
        # Today's own, and one that is yet to come.
        ([0, 1], TODAY, None),
        ([0, 20, 21], TODAY, None),
        ([-1], TODAY - 8 * DAY, "No sales since the start, 2026-01-23, which is unusual."),
    ],
)
def test_silence_in_words(sold, start, text):
    found = find_silence([TODAY - n * DAY for n in sold], start=start, today=TODAY)

    assert (None if found is None else str(found)) == text


@pytest.mark.parametrize(
    ("moments", "given", "ours"),
    [
        (["2026-01-02T09:00:00-05:00"], "-05:00", "+00:00"),
        (["2026-07-02T09:00:00-03:30"], "-03:30", "+01:00"),
        (["2026-01-02T09:00:00+05:45"], "+05:45", "+00:00"),
        # The latest one is named.
        (["2026-01-02T09:00:00-05:00", "2026-01-02T09:00:00+10:00"], "+10:00", "+00:00"),
    ],
)
def test_zone_that_sales_contradict(moments, given, ours):
    check = ZoneCheck(ZoneInfo("Europe/London"))

    for moment in moments:
        check.look(datetime.fromisoformat(moment))

    assert check.doubt == (
        f"the sales have the UTC offset {given}, and Europe/London has {ours} then: if the store "
        "is not there, its business dates end at a wrong hour; correct CONEXXUS_TIMEZONE"
    )


@pytest.mark.parametrize(
    "moments",
    [
        [],
        [datetime(2026, 7, 2, 9, tzinfo=UTC)],
        [datetime.fromisoformat("2026-07-02T09:00:00+01:00")],
        [
            datetime.fromisoformat("2026-07-02T09:00:00+05:00"),
            datetime.fromisoformat("2026-07-02T09:00:00+01:00"),
        ],
        # At an end of the calendar, it can't be compared.
        [datetime.fromisoformat("0001-01-01T00:00:00+01:00")],
    ],
)
def test_zone_that_sales_allow(moments):
    check = ZoneCheck(ZoneInfo("Europe/London"))

    for moment in moments:
        check.look(moment)

    assert check.doubt is None
