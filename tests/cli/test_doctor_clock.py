"""
What `conexxus doctor` thinks of the clock.
"""

from datetime import UTC, datetime, timedelta

from conexxus_sync.cli._doctor_command import Level, _clock
from conexxus_sync.sales._clock_check import RELEASED


def test_clock_before_the_release():
    """
    No clock is right that shows a time before this version existed.
    """
    finding = _clock(datetime(1970, 1, 1, tzinfo=UTC), None)

    assert finding.level is Level.PROBLEM
    assert "no sales are pushed automatically. Set the clock" in finding.message


def test_clock_that_a_push_would_believe():
    """
    What keeps a push waiting is what the doctor finds: five minutes are nothing.
    """
    last_run = RELEASED + timedelta(days=9)

    assert _clock(last_run - timedelta(minutes=5), last_run).level is Level.OK
    assert _clock(last_run - timedelta(minutes=6), last_run).level is Level.PROBLEM
