"""
Decisions of a fleet: when what begins, and what is left alone.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync.fleet import WorkItem
from conexxus_sync.fleet._location import PUSH_SPREAD, push_offset, push_start
from conexxus_sync.fleet._location_breaker import LONGEST, THRESHOLD, LocationBreaker
from conexxus_sync.fleet._token_bucket import LONGEST_PAUSE_S, TokenBucket
from conexxus_sync.model.runs import RunKind


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 23, 31, tzinfo=UTC)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(st.text(), moments, moments)
def test_push_start(location, due_at, now):
    """
    A push begins within twenty minutes of its time, at the same moment whenever it
    is asked for.
    """
    start = push_start(location, due_at, now)

    assert due_at <= start < due_at + PUSH_SPREAD
    if due_at != now:
        assert start - due_at == push_offset(location)


def test_what_waits_is_not_put_off():
    """
    What is due at once, like a batch that waits, begins at once.
    """
    assert push_start("loc-001", NOW, NOW) == NOW


def test_pushes_are_spread():
    """
    Of a thousand stores that close at one minute, no minute has many.
    """
    minutes = [push_offset(f"loc-{number}") // timedelta(minutes=1) for number in range(1_000)]

    assert {*minutes} == {*range(20)}
    assert max(map(minutes.count, range(20))) < 80


@given(st.integers(0, 50), moments)
def test_breaker_opens_and_closes(failures, now):
    """
    Each failure makes a location wait, up to half an hour; a success ends it.
    """
    breaker = LocationBreaker()
    waits = []
    for _ in range(failures):
        breaker = breaker.after(failed=True, now=now)
        waits.append(breaker.until - now)

    assert waits == sorted(waits)
    assert all(timedelta(seconds=30) <= wait <= LONGEST for wait in waits)
    assert breaker.is_tripped == (failures >= THRESHOLD)
    assert breaker.is_open(now) == (failures > 0)
    assert not breaker.is_open(now + LONGEST)
    # The clock was set back.
    assert not breaker.is_open(now - timedelta(hours=2))
    assert breaker.after(failed=False, now=now) == LocationBreaker()


@given(
    st.floats(0.1, 100),
    st.floats(1, 50),
    st.lists(st.floats(0, 3), max_size=60),
)
def test_bucket_keeps_its_rate(rate, burst, pauses):
    """
    In no time are there more tokens than the burst and what flowed since.
    """
    bucket, now, taken = TokenBucket(rate, burst), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
        assert taken <= burst + now * rate + 1e-6

    assert bucket.take(now + bucket.wait_s(now) + 1e-6)


def test_bucket_pauses():
    """
    After 429 there is no token until the pause is over, and then no burst.
    """
    bucket = TokenBucket(2.0, 10.0)
    bucket.pause(100.0, 60.0)

    assert not bucket.take(159.0)
    assert bucket.wait_s(100.0) == 60.5
    assert bucket.take(160.5)
    assert not bucket.take(160.6)


def test_pause_is_bounded():
    """
    No back office stops a chain for a day.
    """
    bucket = TokenBucket(1.0, 10.0)
    bucket.pause(0.0, 86_400.0)

    assert bucket.wait_s(0.0) == LONGEST_PAUSE_S + 1


def test_keys():
    """
    Each attempt has a key of its own, and no location is taken for another.
    """
    item = WorkItem(location_id="a/b c", kind=RunKind.SALES, slot=NOW, attempt=3)
    other = WorkItem(location_id="a/b", kind=RunKind.SALES, slot=NOW, attempt=3)

    assert item.key == "a%2Fb%20c/sales/3"
    assert other.key != item.key
