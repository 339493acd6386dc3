"""
Facts about sales that are equal, but written otherwise.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import ApiProfile, Transaction, TransactionLine, encode_transaction
from conexxus_client.testing import BackOffice
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sale_digests import canonical


LOCATION = "loc-001"
DAY = date(2026, 1, 2)


def sale(zeros="", total="1.5"):
    """
    A sale whose amounts are written with so many zeros behind them.
    """
    return Transaction(
        id="t1",
        timestamp=datetime(2026, 1, 2, 12, tzinfo=UTC),
        total=Decimal(total + zeros),
        items=[
            TransactionLine(
                sku="1.50", quantity=Decimal("2.0" + zeros), price=Decimal("0.75" + zeros)
            )
        ],
        discount=Decimal("-0.0" + zeros),
        extra={"note": 'so "1.50" it \\ 2.00', "weight": Decimal("1.0" + zeros)},
    )


@pytest.mark.parametrize(("first", "second"), [("", "00"), ("00", "")])
def test_told_twice(till, first, second):
    """
    Equal tellings are one sale, and the first is sent as it was told.
    """
    till.orders.add(sale(first), sale(second), till.sale("t2"))

    till.push()

    assert (till.effective(), till.quarantined()) == (["t1", "t2"], {})
    with till.store.read() as state:
        member, _ = state.outbox.members(till.peek.outbox.batches()[0])
    assert member.raw == encode_transaction(sale(first))


@pytest.mark.parametrize("on_changed", ["report", "resend"])
@pytest.mark.parametrize("mode", ["append", "replace_day"])
def test_told_again(new_till, mode, on_changed):
    """
    A delivered sale with other zeros has not changed; with other figures it has.
    """
    till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    till.options = {"on_changed": on_changed}
    till.orders.add(sale())
    till.push()
    till.orders.by_date[DAY] = [sale("00")]

    assert till.push(DAY) == []
    assert till.office.requests["sales"] == 1
    assert till.peek.sales_quarantine.discrepancies() == []

    till.orders.by_date[DAY] = [sale("00", total="1.51")]
    assert till.push(DAY) != []


@pytest.mark.parametrize("table", ["delivered", "batch_transactions"])
def test_digests_of_bytes(till, table):
    """
    A store that has digests of the bytes, as they once were compared, still
    knows what was delivered, and what is about to be.
    """
    till.options = {"on_changed": "resend"}
    till.orders.add(sale("00"))
    till.office.faults("" if table == "delivered" else "sales: 409")
    till.push()
    old = sha256(encode_transaction(sale("00"))).digest()
    with till.store.write() as state:
        state.session.execute(f"UPDATE {table} SET digest = ?", (old,))

    till.push(DAY)
    till.push(DAY)

    assert till.effective() == ["t1"]
    assert till.peek.sales_quarantine.discrepancies() == []


NUMBERS = st.one_of(
    st.integers(-10_000, 10_000),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.builds(
        lambda sign, digits, exponent: Decimal((sign, digits, exponent)),
        st.integers(0, 1),
        st.lists(st.sampled_from([0, 0, 0, 1, 9]), min_size=1, max_size=5).map(tuple),
        st.integers(-6, 4),
    ),
)


def said(number):
    told = attrs.evolve(sale(), extra={"a": number, "b": [number, "1.0E+2", '\\"1.0']})
    return FrozenTransaction.of(told, position=0, business_date=DAY).digest


@given(NUMBERS, NUMBERS)
def test_equal_numbers(one, other):
    """
    Two numbers are told apart if, and only if, they differ.
    """
    assert (said(one) == said(other)) == (one == other)


@given(NUMBERS, st.integers(0, 3))
def test_one_number(number, zeros):
    """
    However a number is written, it is the same; and so it is when it is
    written as the canonical form has it.
    """
    sign, digits, exponent = Decimal(number).as_tuple()
    longer = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    written = canonical(str(number).encode())

    assert said(longer) == said(number)
    assert Decimal(written.decode()) == number
    assert canonical(written) == written


@pytest.mark.parametrize(
    "text", ['"1.50"', '"\\"1.50"', '"\\\\"', '"-0"', '"1E5 -0 \\u0031.00"', '{"1.0":"2.0"}']
)
def test_texts(text):
    """
    What looks like a number within a text stays as it is.
    """
    assert canonical(f"[{text},1.0]".encode()) == f"[{text},1]".encode()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("number", ["9" * 400_000, "1." + "10" * 200_000 + "1"])
def test_long_numbers(number):
    """
    A number of any length takes no longer than its length.
    """
    assert canonical(number.encode()) == number.encode()
