"""
Facts about the fake clock.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync import Clock
from conexxus_sync.testing import FakeClock


EVENING = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def clock():
    return FakeClock(EVENING)


def test_it_stands_still(clock):
    """
    Reading the clock does not move it.
    """
    assert (clock.now(), clock.monotonic()) == (clock.now(), clock.monotonic())
    assert clock.now() == EVENING


def test_moments_are_in_utc():
    """
    A moment may be given in any zone, and is shown in UTC.
    """
    clock = FakeClock(datetime(2026, 1, 2, 18, 30, tzinfo=NEW_YORK))

    assert clock.now() == EVENING
    assert clock.now().tzinfo is UTC


def test_time_passes(clock):
    """
    Wall time and monotonic time go on together.
    """
    before = clock.monotonic()

    clock.advance(timedelta(minutes=5), hours=1, seconds=0.5)
    clock.advance(days=1)

    passed = timedelta(days=1, hours=1, minutes=5, seconds=0.5)
    assert clock.now() == EVENING + passed
    assert clock.monotonic() - before == passed.total_seconds()


def test_time_passes_until_a_moment(clock):
    """
    `advance_to` waits until the wall clock shows the moment.
    """
    before = clock.monotonic()

    clock.advance_to(datetime(2026, 1, 2, 19, 0, tzinfo=NEW_YORK))

    assert clock.now() == EVENING + timedelta(minutes=30)
    assert clock.monotonic() - before == 30 * 60


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(hours=-1)])
def test_the_wall_clock_is_set(clock, by):
    """
    A clock that is set shows another wall time; monotonic time stays.
    """
    clock.advance(seconds=60)
    before = clock.monotonic()

    clock.set(clock.now() + by)

    assert clock.now() == EVENING + timedelta(seconds=60) + by
    assert clock.monotonic() == before


def test_time_does_not_pass_backwards(clock):
    """
    A negative duration and a moment in the past are errors that name `set`.
    """
    with pytest.raises(ValueError, match=r"set\(\)"):
        clock.advance(seconds=-1)
    with pytest.raises(ValueError, match=r"set\(\)"):
        clock.advance_to(EVENING - timedelta(seconds=1))

    assert (clock.now(), clock.monotonic()) == (EVENING, 0)


@pytest.mark.parametrize("use", [FakeClock, FakeClock().set, FakeClock().advance_to])
def test_naive_moments(use):
    """
    A moment without a zone is refused.
    """
    with pytest.raises(ValueError, match="time zone"):
        use(datetime(2026, 1, 2, 23, 30))


def test_engines_take_it(clock, new_service, office):
    """
    The service reads all of its times from the clock.
    """
    taken: Clock = clock

    run = new_service(clock=taken).sync_inventory()

    assert (run.start_time, run.end_time) == (EVENING, EVENING)
