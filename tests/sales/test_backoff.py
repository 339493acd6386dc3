"""
Facts about the wait after a push that did not settle.
"""

from datetime import timedelta

import pytest

from conexxus_sync.sales._backoff import Backoff


DATABASES = ("sqlite",)


def minutes_of_failures(count, *, retry_after=0.0):
    backoff, found = Backoff(), []

    for _ in range(count):
        backoff.note(1_000.0, settled=False, retry_after=retry_after)
        found.append(backoff.left(1_000.0) / timedelta(minutes=1))

    return found


def test_wait_doubles():
    """
    From a minute to a quarter of an hour.
    """
    assert minutes_of_failures(6) == [1, 2, 4, 8, 15, 15]


def test_many_failures():
    """
    However often a push failed, the wait is a quarter of an hour.
    """
    longest = timedelta(days=30)
    backoff = Backoff(longest=longest, failures=10)

    backoff.note(0.0, settled=False, retry_after=0)
    assert (backoff.left(0.0), backoff.failures) == (timedelta(minutes=2**10), 11)
    backoff.note(0.0, settled=False, retry_after=0)
    assert backoff.left(0.0) == timedelta(minutes=2**10)


@pytest.mark.parametrize(("asked", "minutes"), [(30.0, 1), (600.0, 10), (1e9, 24 * 60)])
def test_wait_that_was_asked_for(asked, minutes):
    """
    It counts where it is longer, and for a day at most.
    """
    assert minutes_of_failures(1, retry_after=asked) == [minutes]


def test_wait_that_is_over():
    """
    Time passes, and nothing is left of it.
    """
    backoff = Backoff()
    assert backoff.left(1_000.0) is None

    backoff.note(1_000.0, settled=False, retry_after=0)

    assert backoff.left(1_059.0) == timedelta(seconds=1)
    assert backoff.left(2_000.0) == timedelta()


def test_a_push_that_settles():
    """
    The next failure is the first one again.
    """
    backoff = Backoff()
    backoff.note(1_000.0, settled=False, retry_after=0)

    backoff.note(1_060.0, settled=True, retry_after=0)
    assert (backoff.failures, backoff.left(1_060.0)) == (0, None)

    backoff.note(1_060.0, settled=False, retry_after=0)
    assert backoff.left(1_060.0) == timedelta(minutes=1)
