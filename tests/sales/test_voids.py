"""
Facts about the void of a sale: what takes it back at the back office.
"""

from datetime import date
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    Discount,
    Tax,
    Tender,
    TransactionLine,
    decode_transaction,
    exact_sum,
)
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales._corrections import corrected, void
from conexxus_sync.testing import ListOrders
from conexxus_sync.testing import sale as sample


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
PAYMENTS = {"payments": [{"kind": "card", "amount": Decimal("3.00")}], "points": 3}


@pytest.fixture
def till(till):
    till.options = {"on_changed": "resend"}
    return till


def sale(**more):
    line = TransactionLine(
        sku="a", quantity=2, price=Decimal("1.50"), amount=Decimal(3), extra={"taxes": [1, 2]}
    )
    return sample("t1", "3.00", items=[line], tax="0.00", extra=PAYMENTS, **more)


def change(till, sold):
    """
    Deliver *sold*, change it at the till, and push; returns the run and the voids.
    """
    till.orders.by_date[DAY] = [sold]
    till.push()
    till.orders.by_date[DAY] = [attrs.evolve(sold, total=sold.total + 1)]
    (run,) = till.push(DAY)

    with till.store.read() as state:
        members = [
            member for batch in till.peek.outbox.batches() for member in state.outbox.members(batch)
        ]
    return run, [decode_transaction(one.raw) for one in members if one.voids]


@pytest.mark.case(
    "C5",
    "a sale with payments, points and taxes in `extra` is taken back",
    "the void negates every amount, and repeats nothing of `extra`",
)
def test_extra_is_not_repeated(till):
    """
    Neither the `extra` of the transaction nor that of a line is in the void.
    """
    _, (taken_back,) = change(till, sale(discount=1))

    assert taken_back.extra == taken_back.items[0].extra == {}
    assert (taken_back.total, taken_back.discount) == (Decimal("-3.00"), -1)
    assert (taken_back.items[0].quantity, taken_back.items[0].amount) == (-2, -3)
    assert taken_back.items[0].price == Decimal("1.50")


def test_void_of_a_revision(till):
    """
    So it is with a version that is a correction itself.
    """
    change(till, sale())
    till.orders.by_date[DAY] = [sale()]
    till.push(DAY)

    with till.store.read() as state:
        latest = state.outbox.members(till.peek.outbox.batches()[1])
    assert [one.id for one in latest] == ["t1:void:2"]
    assert decode_transaction(latest[0].raw).extra == {}


class Completing(ListOrders):
    """
    Says how payments are taken back.
    """

    def complete_void(self, void, sold):
        payments = [{**one, "amount": -one["amount"]} for one in sold.extra["payments"]]
        lines = [attrs.evolve(line, extra={"taxes": [-1, -2]}) for line in void.items]
        return attrs.evolve(void, extra={"payments": payments}, items=lines)


@pytest.mark.case(
    "C5",
    "the order source has `complete_void`",
    "the void has the `extra` that the host makes, for the transaction and its lines",
)
def test_completed_by_the_host(till):
    """
    A host that knows what is in `extra` takes it back.
    """
    till.orders = Completing()

    _, (taken_back,) = change(till, sale())

    assert taken_back.extra == {"payments": [{"kind": "card", "amount": Decimal("-3.00")}]}
    assert taken_back.items[0].extra == {"taxes": [-1, -2]}
    assert till.office.ledger.total() == 4


def raising(void, sold):
    raise KeyError("payments")


@pytest.mark.parametrize(
    ("complete", "why"),
    [
        (raising, "KeyError"),
        (lambda void, sold: None, "nothing but `extra`"),
        (lambda void, sold: sold, "nothing but `extra`"),
        (lambda void, sold: attrs.evolve(void, total=Decimal(0)), "nothing but `extra`"),
        (lambda void, sold: attrs.evolve(void, extra={"a": {1}}), "can't be written as JSON"),
    ],
)
def test_completed_wrongly(till, complete, why):
    """
    A host that fails in it, or changes more than `extra`, fails the push of
    the date: nothing is taken back.
    """
    till.orders = Completing()
    till.orders.complete_void = complete

    run, voids = change(till, sale())

    assert (run.status, voids) == (RunStatus.FAILED, [])
    assert "complete_void of the order source failed for t1" in run.last_error
    assert why in run.last_error
    assert till.effective() == ["t1"]


AMOUNTS = st.decimals(-999, 999, places=2)


@given(
    total=AMOUNTS,
    tax=st.none() | AMOUNTS,
    discount=st.none() | AMOUNTS,
    lines=st.lists(
        st.builds(
            TransactionLine,
            sku=st.just("a"),
            quantity=st.integers(-9, 9) | AMOUNTS,
            price=AMOUNTS,
            amount=st.none() | AMOUNTS,
        ),
        max_size=3,
    ),
)
def test_nothing_is_left(total, tax, discount, lines):
    """
    Sale and void come to nothing in each figure.
    """
    sold = sample("t1", total, tax=tax, discount=discount, items=lines)
    sent = FrozenTransaction.of(sold, position=0, business_date=DAY)
    frozen = void(sent, orders=ListOrders(), revision=1, position=0, business_date=DAY)
    taken_back = decode_transaction(frozen.raw)

    for one, other in ((sold, taken_back), *zip(sold.items, taken_back.items, strict=True)):
        for name in ("total", "tax", "discount", "quantity", "amount"):
            figures = [getattr(one, name, None), getattr(other, name, None)]
            assert figures == [None, None] or exact_sum(figures) == 0
    assert [line.price for line in taken_back.items] == [line.price for line in lines]


def test_void_of_a_sale_with_a_date_of_its_own(till):
    """
    It is taken back like any other.
    """
    run, _ = change(till, sale(business_date=DAY))

    assert (run.status, till.effective()) == (
        RunStatus.SUCCESS,
        ["t1", "t1:void:1", "t1:rev:1"],
    )


def test_lines_without_a_sku(till):
    """
    A line that was sent without a SKU is taken back, and corrected, without one.
    """
    line = TransactionLine(sku=None, kind="tip", quantity=1, price=Decimal(3))
    sold = sample("t1", "3.00", items=[line])
    frozen = FrozenTransaction.of(sold, position=3, business_date=DAY, sku_required=False)

    taken_back = void(frozen, orders=ListOrders(), revision=1, position=4, business_date=DAY)
    before = attrs.evolve(frozen, revision=2, digest=b"of an earlier version", version=-1)
    revised = corrected(before, DAY)

    for one in (frozen, taken_back, revised):
        assert b'"sku"' not in one.raw
        assert one.fault is None
    assert (taken_back.position, taken_back.revision, taken_back.voids) == (4, 1, True)
    assert (revised.id, revised.origin, revised.position) == ("t1:rev:2", "t1", 3)
    assert (revised.revision, revised.voids) == (2, False)
    # To compare what the host returns the next time.
    assert (revised.digest, revised.version) == (before.digest, before.version)
    assert corrected(frozen, DAY) is frozen


def test_every_amount_is_taken_back():
    """
    Taxes, discounts, rounding and tenders of the sale, and those of its lines.
    """
    parts = {
        "taxes": [Tax(code="A", taxable=Decimal(2), amount=Decimal("0.20"))],
        "discounts": [Discount(amount=Decimal("0.50"))],
    }
    line = TransactionLine(sku="a", quantity=2, price=Decimal(1), amount=Decimal(2), **parts)
    sold = attrs.evolve(
        sample("t1", "3.00", items=[line], tax="0.20", discount="0.50"),
        rounding=Decimal("0.01"),
        tenders=[
            Tender(type="cash", amount=Decimal(5), change=Decimal(2), tip=Decimal("0.30")),
        ],
        **parts,
    )
    frozen = FrozenTransaction.of(sold, position=0, business_date=DAY, sku_required=True)

    made = void(frozen, orders=ListOrders(), revision=1, position=0, business_date=DAY)

    back = decode_transaction(made.raw)
    (tender,), (of_line,) = back.tenders, back.items
    assert (back.total, back.tax, back.discount, back.rounding) == (
        *(Decimal("-3.00"), Decimal("-0.20"), Decimal("-0.50"), Decimal("-0.01")),
    )
    assert (tender.amount, tender.change, tender.tip) == (-5, -2, Decimal("-0.30"))
    for one in (back, of_line):
        assert [(tax.taxable, tax.amount) for tax in one.taxes] == [(-2, Decimal("-0.20"))]
        assert [each.amount for each in one.discounts] == [Decimal("-0.50")]
    assert (of_line.quantity, of_line.amount, of_line.price) == (-2, -2, 1)


def test_no_digit_is_lost():
    """
    What is taken back has each digit of what was sold, however many there are.
    """
    quantity = Decimal("12345678901234567890.123456789012345678")
    line = TransactionLine(sku="a", quantity=quantity, price=Decimal(1))
    sold = sample("t1", "3.00", items=[line])
    frozen = FrozenTransaction.of(sold, position=0, business_date=DAY, sku_required=True)

    made = void(frozen, orders=ListOrders(), revision=1, position=0, business_date=DAY)

    assert decode_transaction(made.raw).items[0].quantity == quantity.copy_negate()


def test_a_void_is_not_remarked_on():
    """
    What was remarked on the sale is not said again of what takes it back.
    """
    line = TransactionLine(sku="a", quantity=1, price=Decimal(3))
    sold = sample("t1", "9.00", items=[line], extra={"note": "4111 1111 1111 1111"})
    frozen = FrozenTransaction.of(sold, position=0, business_date=DAY, sku_required=True)
    assert frozen.has_card_number
    assert frozen.mismatched

    made = void(frozen, orders=Repeating(), revision=1, position=0, business_date=DAY)

    assert made.has_card_number is False
    assert not made.mismatched


class Repeating(ListOrders):
    """
    Repeats what is in `extra`.
    """

    def complete_void(self, void, sold):
        return attrs.evolve(void, extra=sold.extra)
