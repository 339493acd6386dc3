"""
Facts about what a push makes of the sales that the host returns.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

import attrs
import pytest

from conexxus_client import ApiProfile, TransactionLine
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales._order_reader import read_transactions


LOCATION = "loc-001"
DAY = date(2026, 1, 2)


def test_no_transaction(till):
    """
    What is neither a transaction nor a mapping is set aside, and said.
    """
    till.orders.add(("t1", "1.50"))

    (run,) = till.push()

    assert "it is a tuple instead of a Transaction or a mapping" in run.last_error


def test_business_date_of_the_host(till):
    """
    A transaction that says it belongs to another date is set aside.
    """
    till.orders.add(
        till.sale("t1", business_date=DAY), till.sale("t2", business_date=date(2026, 1, 1))
    )

    (run,) = till.push()

    assert till.effective() == ["t1"]
    assert (run.status, run.items_succeeded, run.items_failed) == (RunStatus.PARTIAL, 1, 1)
    assert "belongs to business date 2026-01-01" in till.quarantined()["t2"]


def test_duplicate_ids(till):
    """
    Equal tellings of a sale are one; different ones are both set aside.
    """
    till.orders.add(
        till.sale("same"), till.sale("same"), till.sale("two", "1"), till.sale("two", "2")
    )

    (run,) = till.push()
    till.wait(minutes=45)

    assert till.effective() == ["same"]
    assert till.quarantined() == {"two": "Duplicate transaction id with different data"}
    (aside,) = till.peek.sales_quarantine.transactions()
    assert aside.raw.count(b"\n") == 1
    assert (run.items_succeeded, run.items_failed) == (1, 2)
    assert till.push() == []


def test_unwritable(till):
    """
    A transaction that JSON can't hold is set aside; the rest goes on.
    """
    till.orders.add(
        till.sale("float", extra={"weight": 0.1}), till.sale("bad\ud800"), till.sale("t1")
    )

    (run,) = till.push()

    assert till.effective() == ["t1"]
    assert run.status is RunStatus.PARTIAL
    assert set(till.quarantined()) == {"float", "bad\\ud800#ffa9f046"}


def test_names_that_are_no_text(till):
    """
    An id that can't be written is nobody else's, however much they look alike.
    """
    likes = ["a?", "a\\ud800", "a\ufffd"]
    till.orders.add(till.sale("a\ud800"), till.sale("a\ud801"), *map(till.sale, likes))

    till.push()

    assert till.effective() == likes
    assert till.peek.sales_quarantine.size() == 2
    assert till.push(DAY) == []


@pytest.mark.parametrize("good", [0, 1])
def test_told_twice_and_once_well(till, good):
    """
    Of two tellings of one sale the one without a fault counts, whichever
    comes first; unless they may differ in what can't be written.
    """
    elsewhere = till.sale("t1", business_date=DAY + timedelta(days=1))
    told = [elsewhere, till.sale("t1"), till.sale("t2", extra={"a": {1}}), till.sale("t2")]
    till.orders.add(*(told if good else reversed(told)))

    till.push()

    assert till.effective() == ["t1"]
    assert set(till.quarantined()) == {"t2"}
    assert till.push(DAY) == []


def test_same_number_on_two_days(till):
    """
    Receipt number 0001 of another day is another sale.
    """
    till.orders.add(till.sale("0001", "1"), day=date(2026, 1, 1))
    till.orders.add(till.sale("0001", "2"))

    till.push()

    assert till.office.ledger.total(LOCATION, date(2026, 1, 1)) == Decimal("1")
    assert till.office.ledger.total(LOCATION, DAY) == Decimal("2")


def test_changed_and_missing(till):
    """
    A delivered transaction that changed or disappeared is reported once, and
    not sent again; when the host agrees again, it is forgotten.
    """
    till.orders.add(till.sale("t1", "1"), till.sale("t2"), till.sale("t3"))
    till.push()
    till.orders.by_date[DAY] = [till.sale("t1", "2"), till.sale("t3")]

    (run,) = till.push(DAY)

    assert run.status is RunStatus.PARTIAL
    assert {issue.item for issue in run.errors} == {"t1", "t2"}
    assert till.push(DAY) == []
    assert till.office.requests["sales"] == 1
    found = till.peek.sales_quarantine.discrepancies()
    assert {(one.id, one.kind) for one in found} == {("t1", "changed"), ("t2", "missing")}

    till.orders.by_date[DAY] = [till.sale("t1", "1"), till.sale("t2"), till.sale("t3")]
    till.push(DAY)
    assert till.peek.sales_quarantine.discrepancies() == []


def test_refund(till):
    """
    A refund is a transaction like any other, and lowers the total.
    """
    refund = till.sale("r1", "-1.50")
    line = attrs.evolve(refund.items[0], quantity=-1, price=Decimal("1.50"))
    till.orders.add(till.sale("t1", "4.00"), attrs.evolve(refund, items=[line]))

    (run,) = till.push()

    assert run.total == till.office.ledger.total() == Decimal("2.50")


class Asked:
    """
    Writes down what it is asked for.
    """

    def __init__(self, *sales):
        self.sales, self.asked = sales, []

    def transactions(self, location_id, business_date):
        self.asked.append((location_id, business_date))
        yield from self.sales


def test_what_the_host_is_asked_for(till):
    """
    The location and the business date.
    """
    orders = Asked()

    till.engine(orders=orders).push(DAY)

    assert orders.asked == [(LOCATION, DAY)]


@pytest.mark.parametrize("before", [0, 1_000])
def test_stopped_while_the_host_returns_sales(till, before):
    """
    With the first sale, and with each thousandth after it, a push looks whether
    it shall end; then nothing of the date is frozen.
    """
    stop = []

    class Stopping:
        def transactions(self, location_id, business_date):
            for number in range(before + 1):
                if number == before:
                    stop.append(number)
                yield till.sale(f"t{number}", items=[])

    till.engine(orders=Stopping(), is_stopping=lambda: bool(stop)).push(DAY)

    assert stop
    assert till.peek.outbox.batches() == []


@pytest.mark.parametrize("away", [-1, 1])
def test_sale_of_a_time_of_another_date(till, away):
    """
    It is sent, and the run remarks on it: the source may ask for dates in UTC.
    """
    noon = datetime(2026, 1, 2 + away, 12, tzinfo=UTC)
    till.orders.by_date[DAY] = [till.sale("t1"), till.sale("t2", timestamp=noon)]

    (run,) = till.push(DAY)

    (issue,) = run.errors
    assert issue.error == (
        f"1 sale of 2026-01-02 was made at a time that belongs to {noon.date()}, like t2: does the "
        "order source ask for dates in UTC?"
    )


def test_sales_keep_their_order(till):
    """
    They are sent in the order of the host.
    """
    engine = till.engine(orders=Asked(till.sale("b"), {"id": "x"}, till.sale("a")))
    with engine._leased(engine.ledger) as context:
        read = [(one.id, one.position) for one in read_transactions(context, DAY)]
    assert read == [("b", 0), ("x", 1), ("a", 2)]

    till.orders.add(till.sale("b"), {"id": "x"}, till.sale("a"), till.sale("c"))

    till.push()

    with till.store.read() as state:
        (batch,) = state.outbox.batches()
        found = [(one.id, one.position) for one in state.outbox.members(batch)]
    assert found == [("b", 0), ("a", 1), ("c", 2)]


@pytest.mark.parametrize(
    "changes",
    [
        {"business_date": DAY},
        {"items": [TransactionLine(sku=None, kind="tip", quantity=1, price=Decimal("1.50"))]},
    ],
)
def test_what_is_read_again_is_the_same(till, changes):
    """
    A date is compared by its bytes, as they are sent: read twice, nothing is new.
    """
    till.orders.add(till.sale("t1", **changes))
    steps = []
    for _ in range(3):
        steps.clear()
        till.engine(failpoint=steps.append).push(DAY)

    assert steps == ["leased", "visited"]
    with till.store.read() as state:
        (batch,) = state.outbox.batches()
        assert (b'"sku":"TIP"' in state.outbox.body(batch)) is ("items" in changes)


class Zone(tzinfo):
    """
    A zone of the host's own, which raises once it is told to.
    """

    raises: BaseException | None = None

    def utcoffset(self, moment):
        if self.raises is not None:
            raise self.raises
        return timedelta()

    def dst(self, moment):
        return timedelta()

    def tzname(self, moment):
        return "own"


@pytest.mark.parametrize("raised", [RuntimeError("no zone"), KeyboardInterrupt()])
def test_a_sale_that_is_broken_when_it_is_read_again(till, raised):
    """
    What can't be written any more is set aside or reported; what ends the
    process does.
    """
    zone = Zone()
    till.orders.add(till.sale("t1", timestamp=datetime(2026, 1, 2, 12, tzinfo=zone)))
    for _ in range(2):
        till.push(DAY)
    assert till.peek.sales_dates.fingerprint(DAY) is not None
    zone.raises = raised

    if isinstance(raised, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            till.push(DAY)
    else:
        (run,) = till.push(DAY)
        assert [issue.item for issue in run.errors] == ["t1"]
    assert till.effective() == ["t1"]


def test_a_sale_that_is_broken_at_once(till):
    """
    It is set aside with what was raised.
    """
    zone = Zone()
    broken = till.sale("t1", timestamp=datetime(2026, 1, 2, 12, tzinfo=zone))
    zone.raises = RuntimeError("no zone")
    till.orders.by_date[DAY] = [broken, till.sale("t2")]

    till.push(DAY)

    assert till.effective() == ["t2"]
    assert till.quarantined() == {"t1": "Transaction can't be built: RuntimeError: no zone"}


def test_lines_without_a_sku_where_none_is_asked_for(till):
    """
    A profile that asks for no SKU gets a tip without one.
    """
    till.profile = ApiProfile(sku_required=False)
    line = TransactionLine(sku=None, kind="tip", quantity=1, price=Decimal("1.50"))
    till.orders.add(till.sale("t1", items=[line]))

    for _ in range(3):
        till.push(DAY)

    with till.store.read() as state:
        (batch,) = state.outbox.batches()
        assert b'"sku"' not in state.outbox.body(batch)
    assert till.peek.sales_dates.fingerprint(DAY) is not None
