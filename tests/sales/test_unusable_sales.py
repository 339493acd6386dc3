"""
Facts about sales that can't be built: each is set aside alone.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import Transaction, TransactionLine
from conexxus_sync import OrderRemark, UnusableTransaction
from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.model.runs import RunStatus


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
AT = datetime(2026, 1, 2, 17, tzinfo=UTC)

CASE = pytest.mark.case(
    "C8",
    "one of a hundred sales of a date cannot be built, like one with a float or without a SKU",
    "that sale is set aside by its id and field, and the others are delivered",
)
RAISES = pytest.mark.case(
    "C8",
    "an order source raises while it builds a sale",
    "nothing of the date is delivered, and the error names the sale before it and the field",
)


def row(name="t1", **more):
    line = {"sku": "WINE001", "quantity": 1, "price": Decimal("1.50")}
    return {"id": name, "timestamp": AT, "total": Decimal("1.50"), "items": [line], **more}


def with_line(**more):
    return row("bad", items=[{"sku": "A", "quantity": 1, "price": Decimal("1.50"), **more}])


BAD = [
    (row("bad", total=1.5), "bad", "total: a float has lost digits"),
    (row("bad", total=None), "bad", "total: missing"),
    (row("bad", total="1,50"), "bad", "total must be a Decimal, an int or a plain"),
    (row("bad", total=True), "bad", "total must be"),
    (row("bad", total=Decimal("NaN")), "bad", "total: an amount is finite"),
    (row("bad", tax=0.1), "bad", "tax: a float has lost digits"),
    (row("bad", discount=Decimal(10) / 3), "bad", "discount: an amount is finite"),
    (row(4711), "4711 (int)", "id must be a text"),
    (row(None), "no id #", "id: missing"),
    (row("  "), "no id #", "id must be a text"),
    (row("bad", timestamp=datetime(2026, 1, 2)), "bad", "timestamp must be an aware datetime"),
    (row("bad", timestamp="2026-01-02T10:00:00"), "bad", "timestamp must be an aware datetime"),
    (row("bad", timestamp="noon"), "bad", "timestamp must be a text like 2026"),
    (row("bad", items=None), "bad", "items: missing"),
    (row("bad", items="AB"), "bad", "items must be a list"),
    (row("bad", items=[None]), "bad", "items[0] must be a mapping"),
    (row("bad", businessDate="today"), "bad", "business_date must be a text like 2026"),
    (row("bad", businessDate=AT), "bad", "business_date must be a date"),
    (row("bad", extra=[1]), "bad", "extra must be a mapping"),
    (row("bad", extra={"weight": 0.1}), "bad", "can't be written as JSON"),
    (with_line(sku=None), "bad", "items[0].sku must be a text"),
    (with_line(sku=4711), "bad", "items[0].sku must be a text"),
    (with_line(price=Decimal(10) / 3), "bad", "items[0].price: an amount is finite"),
    (with_line(quantity=0.5), "bad", "items[0].quantity: a float has lost digits"),
    (with_line(amount="1e3"), "bad", "items[0].amount must be"),
    (None, "no id #", "it is a NoneType instead of a Transaction or a mapping"),
    ("t1", "no id #", "it is a str instead of"),
    (UnusableTransaction(id="bad", reason="the price is a float"), "bad", "the price is a float"),
    (UnusableTransaction(id="bad\ud800", reason="\ud800"), "bad\\ud800#", "\\ud800"),
]


@CASE
@pytest.mark.parametrize(("bad", "name", "said"), BAD)
def test_one_of_a_hundred(till, bad, name, said):
    """
    The others are delivered, and the run says what is wrong with the one.
    """
    sales = [row(f"t{n:02}") for n in range(99)]
    till.orders.by_date[DAY] = [*sales[:50], bad, *sales[50:]]

    (run,) = till.push()

    ((key, reason),) = till.quarantined().items()
    assert key.startswith(name)
    assert said in reason
    assert (run.status, run.items_succeeded, run.items_failed) == (RunStatus.PARTIAL, 99, 1)
    assert till.effective() == [f"t{n:02}" for n in range(99)]
    assert till.push(DAY) == []


def test_mapping_is_read_as_from_mapping_does():
    """
    Decimal texts are exact, a key that is no field is ignored, and of two
    names of one field the one with a value counts.
    """
    given = row(total="1.50", businessDate=None, business_date="2026-01-02", shift=7)

    built = transaction_of(given)

    assert built == Transaction.from_mapping(row(business_date=DAY))
    assert transaction_of({**given, "businessDate": "2026-01-02", "business_date": None}) == built


@CASE
def test_number_as_an_id_is_no_text(till):
    """
    A sale whose id is a number is not taken for that with the same text.
    """
    till.orders.by_date[DAY] = [row(4711), row("4711")]

    till.push()

    assert till.effective() == ["4711"]
    assert set(till.quarantined()) == {"4711 (int)"}


@CASE
def test_corrected_sale(till):
    """
    A sale that the till corrected is delivered after its replay.
    """
    till.orders.by_date[DAY] = [row("t1", total=1.5)]
    till.push()
    till.orders.by_date[DAY] = [row("t1")]

    with till.store.write() as state:
        state.sales_quarantine.release(DAY, "t1")
    till.push(DAY)

    assert till.effective() == ["t1"]


@CASE
def test_delivered_sale_that_can_no_longer_be_built(till):
    """
    It is a discrepancy, once: it was delivered.
    """
    till.orders.by_date[DAY] = [row("t1")]
    till.push()
    till.orders.by_date[DAY] = [row("t1", total=1.5, extra={"at": object()})]

    (run,) = till.push(DAY)

    assert "changed after it was delivered" in run.last_error
    assert till.push(DAY) == []
    assert till.quarantined() == {}


def test_mapping_is_the_transaction(till):
    """
    A mapping gives the bytes of the transaction that it describes; so do
    moments as texts, and lines that were built before.
    """
    line = TransactionLine(sku="A", quantity=2, price=Decimal("2.50"), extra={"n": 1})
    built = Transaction(
        id="t1", timestamp=AT, total=Decimal("5.00"), items=[line], tax=Decimal("0.1"),
        business_date=DAY, extra={"note": "x"},
    )  # fmt: skip
    told = {
        "id": "t1", "timestamp": "2026-01-02T17:00:00Z", "total": Decimal("5.00"),
        "items": ({"sku": "A", "quantity": 2, "price": Decimal("2.50"), "extra": {"n": 1}},),
        "tax": Decimal("0.1"), "businessDate": "2026-01-02", "extra": {"note": "x"},
    }  # fmt: skip

    assert transaction_of(told) == built
    assert transaction_of({**told, "items": [line], "businessDate": DAY}) == built
    assert transaction_of({**told, "items": iter([line]), "timestamp": AT}) == built


def test_business_date_of_a_mapping(till):
    """
    It is checked like that of a transaction.
    """
    till.orders.by_date[DAY] = [row("t1"), row("t2", businessDate="2026-01-01")]

    till.push()

    assert till.effective() == ["t1"]
    assert "belongs to business date 2026-01-01" in till.quarantined()["t2"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.decimals()
        | st.binary() | st.datetimes() | st.just(object()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)
        | st.dictionaries(
            st.sampled_from(["id", "timestamp", "total", "items", "sku", "price", "quantity"]),
            inner,
        ),
        max_leaves=8,
    )
)  # fmt: skip
def test_anything(value):
    """
    Whatever a source yields, it is a sale or has a name and a reason.
    """
    made = transaction_of(value)

    assert isinstance(made, Transaction) or (made.id and made.reason)
    assert transaction_of(value) == made


class Breaking:
    """
    A source that builds its sales itself, and fails at one.
    """

    def __init__(self, sales, broken):
        self.sales, self.broken = sales, broken

    def transactions(self, location_id, business_date):
        yield from self.sales
        self.broken()


@RAISES
def test_raising_source(till):
    """
    The error names the sale before it, how many were read, and the field.
    """

    def broken():
        return Transaction(id="t3", timestamp=AT, total=1.5, items=[])

    till.orders = Breaking([till.sale("t1"), till.sale("t2")], broken)

    (run,) = till.push(DAY)

    assert run.status is RunStatus.FAILED
    assert "after transaction 't2', 2 read: " in run.last_error
    assert "TypeError: total: an amount must be a Decimal or an int, not float" in run.last_error
    assert till.effective() == []


@RAISES
@pytest.mark.parametrize("field", ["quantity", "price", "amount"])
def test_field_of_a_line(field):
    """
    Each amount of a line is named.
    """
    amounts = {"quantity": 1, "price": Decimal(1), "amount": None, field: 0.5}

    with pytest.raises(TypeError, match=f"^{field}: an amount must be"):
        TransactionLine(sku="A", **amounts)


@pytest.mark.parametrize("field", ["total", "tax", "discount"])
@RAISES
def test_field_of_a_sale(field):
    """
    Each amount of a sale is named.
    """
    amounts = {"total": Decimal(1), field: Decimal("0." + "3" * 19)}

    with pytest.raises(ValueError, match=f"^{field}: an amount is finite"):
        Transaction(id="t", timestamp=AT, items=[], **amounts)


def test_remark_of_a_source(till):
    """
    A source may remark something: it is in the errors of the run, and
    changes no status.
    """
    till.orders.by_date[DAY] = [OrderRemark(text="two receipts were void"), row("t1")]

    (run,) = till.push()

    assert (run.status, run.items_failed, run.last_error) == (RunStatus.SUCCESS, 0, None)
    assert [issue.error for issue in run.errors] == ["two receipts were void"]


def test_sale_built_past_its_checks(till):
    """
    A transaction whose class let a bad value through is set aside alone.
    """
    broken = till.sale("t1")
    object.__setattr__(broken, "timestamp", None)
    till.orders.by_date[DAY] = [broken, till.sale("t2")]

    till.push()

    assert till.effective() == ["t2"]
    assert set(till.quarantined()) == {"t1"}


@CASE
def test_adoption(till):
    """
    What can't be built ends no adoption: something else delivered it, like
    the others.
    """
    till.orders.by_date[DAY] = [row("t1"), row("t2", total=0.5)]

    assert till.engine().adopt(DAY).transactions == 2
