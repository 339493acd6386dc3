"""
Facts about the watch over an order source, and about the words for one that fails.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from conexxus_sync.errors import HostError
from conexxus_sync.model.order_records import OrderRemark, UnusableTransaction
from conexxus_sync.sales._source_watch import HostRecords, SourceWatch
from conexxus_sync.testing import FakeClock, ListOrders, sale


DAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Source:
    """
    Yields what it is given, and calls what can be called.
    """

    def __init__(self, *steps):
        self.steps = steps

    def transactions(self, location_id, business_date):
        for step in self.steps:
            if callable(step):
                step()
            else:
                yield step


@pytest.fixture
def clock():
    return FakeClock(NOON)


@pytest.fixture
def watch(clock):
    return SourceWatch(clock)


def read(source, watch):
    return list(HostRecords(source, "loc-001", DAY, watch))


def locked():
    raise RuntimeError("locked")


def test_five_minutes(clock, watch, caplog):
    """
    Whatever takes five minutes hangs; the log gets it once, and the next again.
    """
    caplog.set_level("WARNING", "conexxus_sync.sales")
    assert watch.hanging() is None
    asked = watch.begin(ListOrders(), DAY)
    clock.advance(minutes=4, seconds=59)
    assert watch.hanging() is None
    clock.advance(seconds=1)

    found = watch.hanging()

    assert str(found) == (
        "The order source conexxus_sync.testing._list_orders.ListOrders has not returned since "
        "12:00 UTC, asked for the sales of 2026-01-02: no sales are pushed until it does."
    )
    assert (found.business_date, found.since) == (DAY, NOON)
    clock.advance(hours=1)
    assert watch.hanging() == found
    assert [one.message for one in caplog.records] == [f"Conexxus sales: {found}"]

    watch.end(asked)
    assert watch.hanging() is None
    watch.begin(ListOrders(), DAY)
    clock.advance(minutes=6)
    watch.hanging()
    assert len(caplog.records) == 2


def test_one_that_was_left_behind(clock, watch):
    """
    A source that comes back late does not end the watch over another.
    """
    late = watch.begin(ListOrders(), DAY - timedelta(days=1))
    watch.begin(ListOrders(), DAY)
    clock.advance(minutes=5)

    watch.end(late)

    assert watch.hanging().business_date == DAY


def test_watched_until_it_returns(clock, watch):
    """
    Each record is waited for anew, and what the reader does between two does
    not count.
    """
    seen = []

    def slow():
        clock.advance(minutes=3)
        seen.append(watch.hanging())
        clock.advance(minutes=2)
        seen.append(watch.hanging())

    source = Source(slow, sale("t1"), slow, sale("t2"))
    for _ in HostRecords(source, "loc-001", DAY, watch):
        clock.advance(minutes=9)
        assert watch.hanging() is None

    before, found, anew, again = seen
    assert (before, anew) == (None, None)
    assert (found.business_date, again.business_date) == (DAY, DAY)
    assert found.source.endswith("test_source_watch.Source")
    assert again.source == found.source
    assert watch.hanging() is None


def test_not_watched_once_it_failed(clock, watch):
    """
    A source that raised, or was left, is not waited for.
    """
    with pytest.raises(HostError):
        read(Source(sale("t1"), locked), watch)
    clock.advance(hours=1)
    assert watch.hanging() is None

    records = iter(HostRecords(Source(sale("t1"), sale("t2")), "loc-001", DAY, watch))
    next(records)
    records.close()
    clock.advance(hours=1)
    assert watch.hanging() is None


@pytest.mark.parametrize(
    ("steps", "where"),
    [
        ((), ""),
        ((OrderRemark(text="closed at noon"),), ", 1 read"),
        ((sale("t1"),), " after transaction 't1', 1 read"),
        ((sale("t1"), {"id": "t2"}, OrderRemark(text="x")), " after transaction 't2', 3 read"),
        ((sale("x" * 100),), f" after transaction '{'x' * 60}', 1 read"),
        (tuple(sale(f"t{n}") for n in range(1200)), " after transaction 't1199', 1,200 read"),
    ],
)
def test_words_of_a_source_that_fails(watch, steps, where):
    """
    The error says how far the source came, and what it raised.
    """
    with pytest.raises(HostError) as caught:
        read(Source(*steps, locked), watch)

    said = f"the order source failed for business date 2026-01-02{where}: RuntimeError: locked ("
    assert str(caught.value).startswith(said)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_what_the_reader_raises_is_its_own(watch):
    """
    An error of who reads is no error of the host.
    """
    records = iter(HostRecords(Source(sale("t1"), sale("t2")), "loc-001", DAY, watch))
    next(records)

    with pytest.raises(KeyError):
        records.throw(KeyError("mine"))


def test_an_error_of_the_host_stays_as_it_is(watch):
    """
    What the source raises as a `HostError` has its own words.
    """

    def said():
        raise HostError("the till is closed")

    with pytest.raises(HostError, match=r"^the till is closed$"):
        read(Source(said), watch)


def test_records(watch):
    """
    Each is a sale, a remark, or what can't be sent, in the order of the source.
    """
    found = read(Source(sale("t1"), OrderRemark(text="r"), {"id": "t2"}, 7), watch)

    assert found[0] == sale("t1")
    assert found[1] == OrderRemark(text="r")
    assert [type(one) for one in found[2:]] == [UnusableTransaction] * 2


def test_a_watch_of_its_own():
    """
    Who has no watch reads all the same.
    """
    assert list(HostRecords(Source(sale("t1")), "loc-001", DAY)) == [sale("t1")]
