"""
A computer that is suspended in the middle of a call.
"""

from datetime import UTC, datetime, timedelta

import pytest

from conexxus_client import ApiProfile, ConnectionLostError, Delivery
from conexxus_client._calls._call_core import boottime

from .matrix.row import answer
from .matrix.test_matrix import batch


BATCH = batch()


@pytest.mark.parametrize(
    ("slept", "options", "profile", "sent"),
    [
        (25 * 3600, {}, {}, 1),
        (22 * 3600, {}, {}, 3),
        (2 * 3600, {"repeat_within": timedelta(hours=1)}, {}, 1),
        # What begins now may arrive a time-out of 30 seconds later.
        (3_600 - 20, {"repeat_within": timedelta(hours=1)}, {}, 1),
        (3_600 - 40, {"repeat_within": timedelta(hours=1)}, {}, 3),
        (25 * 3600, {"repeat_within": timedelta(days=9)}, {}, 1),
        (25 * 3600, {}, {"dedupe": "transaction_id"}, 3),
    ],
)
def test_a_computer_that_sleeps_over_a_retry(
    connect, office, server, slept, options, profile, sent
):
    """
    A computer may be suspended between two attempts: once the back office may
    have forgotten the key, the batch is not sent again, and its fate unknown.
    """
    office.faults("sales: after_commit(reset)*2")
    client = connect(server.url, retries=3, profile=ApiProfile(**profile))
    moments = iter([0.0, *(slept + n for n in range(9))])
    client.client._core.boottime = lambda: next(moments)

    if sent == 3:
        client.push_sales(BATCH, idempotency_key="k", **options)
    else:
        with pytest.raises(ConnectionLostError) as caught:
            client.push_sales(BATCH, idempotency_key="k", **options)
        assert caught.value.delivery == Delivery.UNKNOWN
        assert [record.delivery for record in caught.value.attempts] == [Delivery.UNKNOWN]

    assert server.requests["sales"] == sent


def test_the_time_of_the_back_office_goes_on(connect, raw_server):
    """
    What its last answer said is older by the hours that the computer slept.
    """
    well = answer(b'{"status":"ok"}', "Date: Fri, 02 Jan 2026 10:00:00 GMT")
    client = connect(raw_server(well).url)
    moments = iter([0.0, 8 * 3600.0])
    client.client._core.boottime = lambda: next(moments)

    client.health()

    assert client.client.server_time == datetime(2026, 1, 2, 18, tzinfo=UTC)


def test_asleep():
    """
    The clock that counts goes on, and never back.
    """
    assert 0 <= boottime() <= boottime()
