"""
Amounts and models survive every journey, digit for digit.
"""

import json
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    DecodeError,
    FrozenBatch,
    InvalidItem,
    Item,
    SalesBatch,
    SalesSummary,
    Transaction,
    TransactionLine,
    decode_extra,
    decode_item,
    decode_transaction,
    encode_extra,
    encode_item,
    encode_transaction,
    exact_sum,
)
from conexxus_client._receipt._amounts import MAX_DECIMALS, MAX_DIGITS, is_valid_amount


@st.composite
def amounts(draw: st.DrawFn) -> Decimal:
    """
    Every Decimal that the model admits: sign, digits, exponent.
    """
    decimals = draw(st.integers(0, MAX_DECIMALS))
    zeros = draw(st.integers(0, MAX_DIGITS - max(decimals, 1)))
    digits = draw(st.integers(0, 10 ** (MAX_DIGITS - zeros) - 1))
    exponent = -decimals or zeros
    sign = draw(st.integers(0, 1)) if digits else 0
    amount = Decimal((sign, Decimal(digits).as_tuple().digits, exponent))

    return amount if is_valid_amount(amount) else Decimal((0, (1,), -decimals))


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10).filter(str.strip)
extras = st.dictionaries(texts, amounts() | texts | st.none() | st.booleans(), max_size=3)
moments = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
lines = st.builds(
    TransactionLine,
    sku=texts,
    quantity=amounts() | st.integers(-(10**6), 10**6),
    price=amounts(),
    amount=st.none() | amounts(),
    extra=extras,
)
transactions = st.builds(
    Transaction,
    id=texts,
    timestamp=moments,
    total=amounts(),
    items=st.lists(lines, max_size=3),
    tax=st.none() | amounts(),
    discount=st.none() | amounts(),
    extra=extras,
)


@given(amounts())
def test_prices(price):
    """
    A price has the same digits after the wire as before.
    """
    raw = encode_item(Item(sku="A", name="a", price=price))

    item = decode_item(raw)

    assert item.price.as_tuple() == price.as_tuple()
    assert encode_item(item) == raw
    assert str(json.loads(raw, parse_float=Decimal, parse_int=Decimal)["price"]) == str(price)


@given(transactions)
def test_transactions(transaction):
    """
    A transaction is the same after the wire as before, and writes the same
    bytes again.
    """
    raw = encode_transaction(transaction)

    again = decode_transaction(raw)

    assert again == transaction
    assert again.total.as_tuple() == transaction.total.as_tuple()
    assert encode_transaction(again) == raw


@given(st.lists(transactions, max_size=4))
def test_batches(sales):
    """
    A frozen batch gives back what was frozen.
    """
    frozen = FrozenBatch.of(
        SalesBatch(date=date(2026, 1, 2), location_id="loc", transactions=sales)
    )

    assert frozen.transactions() == tuple(sales)


@given(extras)
def test_extras(extra):
    """
    Equal extras are written as equal texts, whatever the order of keys.
    """
    text = encode_extra(extra)

    assert decode_extra(text) == extra
    assert encode_extra(dict(reversed(extra.items()))) == text


@pytest.mark.parametrize("amount", [1.5, True, "1.50", None, Decimal("NaN"), Decimal("Infinity")])
@pytest.mark.parametrize("field", ["total", "tax"])
def test_what_is_no_amount(amount, field):
    """
    A float, a text, NaN and infinity are no amounts; None is only where an
    amount is optional.
    """
    fields = {"total": Decimal(1), field: amount}
    if field == "tax" and amount is None:
        return

    with pytest.raises((TypeError, ValueError)):
        Transaction(id="t", timestamp=datetime(2026, 1, 2, tzinfo=UTC), items=[], **fields)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("9" * 38, True),
        ("9" * 39, False),
        ("0." + "9" * 18, True),
        ("0." + "9" * 19, False),
        ("1E+37", True),
        ("1E+38", False),
        ("1E-18", True),
        ("1E-19", False),
        ("0E+999999", False),
    ],
)
def test_bounds(text, good):
    """
    An amount has at most 38 digits, of which 18 are decimals.
    """
    assert is_valid_amount(Decimal(text)) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("9" * 36 + ".99", True),
        ("9" * 37 + ".99", False),
        ("-" + "9" * 36 + ".99", True),
        ("-" + "9" * 37 + ".99", False),
        ("1E+37", True),
        ("1E+38", False),
        ("sNaN", False),
        ("-Infinity", False),
    ],
)
def test_bounds_of_a_line(text, good):
    """
    A line admits what an amount may be, and keeps it, cents or not.
    """
    try:
        line = TransactionLine(sku="S", quantity=1, price=Decimal(text))
    except ValueError:
        assert not good
    else:
        assert good
        assert str(line.price) == text


@pytest.mark.parametrize(
    ("quantity", "good"), [(10**38 - 1, True), (10**38, False), (-(10**38), False), (2**126, True)]
)
def test_bounds_of_a_quantity(quantity, good):
    """
    A whole quantity has at most 38 digits, too.
    """
    try:
        assert TransactionLine(sku="S", quantity=quantity, price=1).quantity == quantity
    except ValueError:
        assert not good
    else:
        assert good


def test_negative_zero():
    """
    A zero has no sign, but keeps its decimals.
    """
    line = TransactionLine(sku="S", quantity=1, price=Decimal("-0.00"))

    assert str(line.price) == "0.00"
    assert str(decode_item(b'{"sku":"A","name":"a","price":-0.00}').price) == "0.00"


@pytest.mark.fault("C06", "A moment without a zone", "`ValueError`")
def test_naive_moments():
    """
    A moment without a zone is refused.
    """
    with pytest.raises(ValueError, match="aware"):
        Transaction(id="t", timestamp=datetime(2026, 1, 2), total=Decimal(1), items=[])


@pytest.mark.parametrize(
    "extra",
    [
        {"a": {Decimal("NaN")}},
        {"a": {0.1}},
        {"a": object()},
        {1: "a"},
        {"a": Decimal("Infinity")},
        {"a": b"bytes"},
    ],
    ids=["NaN in a set", "float in a set", "object", "number as key", "infinity", "bytes"],
)
def test_what_json_has_no_word_for(extra):
    """
    A set, a number that is none, an object and a key that is no text are
    refused before they can be sent.
    """
    with pytest.raises(ValueError, match=r"JSON|float"):
        encode_extra(extra)


def test_extra_without_bottom():
    """
    An extra that contains itself is refused.
    """
    extra = {}
    extra["again"] = extra

    with pytest.raises(ValueError, match="nested"):
        encode_extra(extra)


def test_models_check_their_parts():
    """
    A batch has a date and transactions, a transaction has lines, an item
    has an exact price.
    """
    with pytest.raises(ValueError, match="date"):
        SalesBatch(date=None, location_id="l", transactions=[])
    with pytest.raises(TypeError):
        SalesBatch(date=date(2026, 1, 2), location_id="l", transactions=[1])
    with pytest.raises(TypeError):
        Transaction(id="t", timestamp=datetime(2026, 1, 2, tzinfo=UTC), total=Decimal(1), items=[1])
    with pytest.raises(TypeError):
        Item(sku="A", name="a", price=1.5)


def test_hosts_without_traps():
    """
    A number out of range stays unreadable in a host that traps nothing.
    """
    raw = b'{"sku":"A","name":"a","price":1,"x":1e99999999999999999999}'

    with localcontext(Context(traps=[])):
        assert isinstance(decode_item(raw), InvalidItem)


def test_floats_in_extra():
    """
    A float in `extra` is refused before it can be sent.
    """
    transaction = Transaction(
        id="t",
        timestamp=datetime(2026, 1, 2, tzinfo=UTC),
        total=Decimal(1),
        items=[],
        extra={"deep": [{"f": 0.1}]},
    )

    with pytest.raises(ValueError, match="float"):
        encode_transaction(transaction)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("[]", r"\$ must be an object"),
        ("{}", r"\$\.id must be a text"),
        ('{"id":"t","timestamp":"yesterday"}', r"\$\.timestamp must be a moment"),
        ('{"id":"t","timestamp":"2026-01-02T10:00:00Z","total":"1"}', r"\$\.total must be a num"),
        (
            '{"id":"t","timestamp":"2026-01-02T10:00:00Z","total":1,"items":[{"sku":"S"}]}',
            r"\$\.items\[0\]\.quantity must be a number",
        ),
        (
            '{"id":"t","timestamp":"2026-01-02T10:00:00","total":1,"items":[]}',
            r"\$: timestamp must be an aware datetime",
        ),
        (
            '{"id":"t","timestamp":"2026-01-02T10:00:00Z","total":1,"items":[],"businessDate":"x"}',
            r"\$\.businessDate must be a date",
        ),
        ('{"id":', "not readable as JSON"),
    ],
)
def test_bad_transactions(raw, said):
    """
    What is wrong with a transaction is named with its path.
    """
    with pytest.raises(DecodeError, match=said):
        decode_transaction(raw)


def pence(amount: Decimal) -> int:
    """
    *amount* as a whole number of the smallest unit there is.
    """
    sign, digits, exponent = amount.as_tuple()
    whole = int("".join(map(str, digits)) or "0") * 10 ** (exponent + MAX_DECIMALS)

    return -whole if sign else whole


@given(st.lists(amounts(), max_size=6), st.integers(1, 40))
def test_sums(parts, precision):
    """
    A sum is exact, whatever precision the host application works with.
    """
    with localcontext(prec=precision):
        total = exact_sum(parts)

    assert pence(total) == sum(map(pence, parts))


@given(st.lists(transactions, max_size=3))
def test_summary(sales):
    """
    A summary's sums are the sums of the transactions; the average is
    rounded half up to cents.
    """
    summary = SalesSummary.of(sales)

    revenue = sum(pence(sale.total) for sale in sales)
    average = Fraction(revenue, 10**16 * (len(sales) or 1))
    assert summary.total_orders == len(sales)
    assert pence(summary.total_revenue) == revenue
    assert abs(Fraction(pence(summary.average_order_value), 10**16) - average) <= Fraction(1, 2)
