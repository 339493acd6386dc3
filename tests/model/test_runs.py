"""
The id of a run.
"""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync.model.runs import began_at, new_run_id


moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))


@given(moments, moments)
def test_ids_sort_by_start(one, other):
    """
    The id of a later run is greater.
    """
    if one.replace(microsecond=0) < other.replace(microsecond=0):
        assert new_run_id(one) < new_run_id(other)
    assert new_run_id(one) != new_run_id(one)


def test_ids_tell_when_a_run_began():
    """
    To the millisecond; of an id that somebody else made, nothing is guessed.
    """
    moment = datetime(2026, 1, 2, 23, 30, 0, 123999, tzinfo=UTC)

    assert began_at(new_run_id(moment)) == moment.replace(microsecond=123000)
    assert [began_at(other) for other in ("", "r2", "20261302T233000123Z-1", "\u0663")] == [
        None
    ] * 4
