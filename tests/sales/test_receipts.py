"""
Facts about receipts with tenders, taxes and discounts, from the host to the back office.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from receipts import RECEIPTS, TRANSACTIONS, planted

from conexxus_client import (
    ApiProfile,
    Discount,
    SalesSummary,
    Tax,
    Tender,
    Transaction,
    TransactionLine,
    decode_transaction,
    encode_transaction,
    exact_sum,
)
from conexxus_client._codec import encode_json
from conexxus_client.testing import BackOffice
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.model.sale_digests import COMPARABLE, SaleDigest, is_unchanged
from conexxus_sync.model.sum_checks import Mismatch, mismatches
from conexxus_sync.sales._corrections import void
from conexxus_sync.testing import ListOrders, sale


DAY = date(2026, 1, 2)
PLANTED = planted()

# Of a plain sale, by the version before there were receipts.
DIGEST = (
    "bed3815aa2d22c37bfd0c684c996d84469a93f5b82a68e8f2bf175f9655e"
    "7bb7357b9f0a98089e6d36f78e9766c9ea34aad3e8b89fd606655b4036e2"
)


def columns(transaction):
    """
    Every amount that adds up over receipts, by its column.
    """
    yield "total", transaction.total
    for name in ("tax", "discount", "rounding"):
        yield name, getattr(transaction, name)
    for tender in transaction.tenders:
        for name in ("amount", "change", "tip"):
            yield ("tender", tender.type, name), getattr(tender, name)
    for place, part in enumerate((transaction, *transaction.items)):
        for tax in part.taxes:
            yield (place, tax.code, "taxable"), tax.taxable
            yield (place, tax.code, "amount"), tax.amount
        for one in part.discounts:
            yield (place, one.code, "discount"), one.amount
    for place, line in enumerate(transaction.items):
        yield (place, "quantity"), line.quantity
        yield (place, "amount"), line.amount


@pytest.mark.parametrize("name", RECEIPTS)
def test_receipt_of_a_trade(till, name):
    """
    It arrives as it was given, without a remark.
    """
    given_ = transaction_of(RECEIPTS[name])
    till.orders.by_date[DAY] = [RECEIPTS[name]]

    (run,) = till.push()

    (arrived,) = till.office.ledger.sales()
    assert run.errors == ()
    assert encode_transaction(arrived.receipt) == encode_transaction(given_)


@pytest.mark.parametrize(("name", "bad", "expected"), PLANTED)
def test_planted_error(name, bad, expected):
    """
    One wrong figure is exactly one remark.
    """
    assert mismatches(transaction_of(bad)) == expected


def test_remark_names_what_disagrees(till):
    """
    The run's errors say which sum it is.
    """
    wanted = ("AU, rounded to five cents", Mismatch.TENDERS)
    (bad,) = [bad for name, bad, what in PLANTED if (name, what) == wanted]
    till.orders.by_date[DAY] = [bad]

    (run,) = till.push()

    (issue,) = run.errors
    assert issue.error.startswith("1 transaction whose tenders, less change and tips")
    assert till.peek.outbox.mismatched() == 1


@given(TRANSACTIONS)
def test_sale_and_void_are_nothing(sold):
    """
    In every column.
    """
    sent = FrozenTransaction.of(sold, position=0, business_date=DAY)
    back = void(sent, orders=ListOrders({}), revision=1, position=0, business_date=DAY)
    undone = decode_transaction(back.raw)

    sums = {}
    for column, amount in (*columns(sold), *columns(undone)):
        sums[column] = exact_sum((sums.get(column, 0), amount or 0))
    assert set(sums.values()) == {0}


@given(TRANSACTIONS)
def test_wire_is_exact(sold):
    """
    What is read back is what was written, digit by digit; so is its digest.
    """
    raw = encode_transaction(sold)

    again = decode_transaction(raw)
    assert again == sold
    assert encode_transaction(again) == raw
    digest = SaleDigest.of(sold)
    assert SaleDigest.of(again) == digest
    assert is_unchanged(raw, digest.version, digest.value, COMPARABLE)


def test_plain_sale_has_the_bytes_and_the_digest_of_before():
    """
    A sale without a field of a receipt is as the version before made it.
    """
    line = TransactionLine(sku="WINE001", quantity=2, price=Decimal("24.99"))
    plain = sale("t1", "49.98", items=[line], tax=Decimal("4.00"), extra={"note": "x"})
    raw = encode_transaction(attrs.evolve(plain, timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC)))

    assert raw == (
        b'{"extra":{"note":"x"},"id":"t1","items":[{"price":24.99,"quantity":2,"sku":"WINE001"}],'
        b'"tax":4.00,"timestamp":"2026-01-02T10:00:00Z","total":49.98}'
    )
    digest = SaleDigest.of(plain)
    assert digest.version == '[2,["note"],[]]'
    assert digest.value.hex() == DIGEST


@pytest.mark.parametrize("field", ["tenders", "taxes", "register", "kind", "currency"])
def test_field_that_came_later(till, field):
    """
    A sale that was delivered without it is not sent again once the host gives it.
    """
    till.options = {"on_changed": "resend"}
    sold = sale("t1", "1.00")
    whole = decode_transaction(
        b'{"id":"t","timestamp":"2026-01-02T10:00:00Z","total":1,"items":[],"register":"2",'
        b'"kind":"sale","currency":"USD","tenders":[{"type":"cash","amount":1}],'
        b'"taxes":[{"code":"A","amount":0.1,"included":true}]}'
    )
    till.orders.by_date[DAY] = [sold]
    till.push()

    till.orders.by_date[DAY] = [attrs.evolve(sold, **{field: getattr(whole, field)})]

    assert till.push(DAY) == []
    assert till.effective() == ["t1"]


def test_tip_that_was_adjusted_later(till):
    """
    A tender that changed is a change: taken back as it was, and sent anew.
    """
    till.options = {"on_changed": "resend"}
    paid = Tender(type="card", amount=Decimal("10.00"))
    sold = attrs.evolve(sale("t1", "10.00"), tenders=[paid])
    till.orders.by_date[DAY] = [sold]
    till.push()

    tipped = attrs.evolve(paid, amount=Decimal("12.00"), tip=Decimal("2.00"))
    till.orders.by_date[DAY] = [attrs.evolve(sold, tenders=[tipped])]
    till.push(DAY)

    receipts = [sold.receipt for sold in till.office.ledger.sales()]
    assert {one.id for one in receipts} == {"t1", "t1:void:1", "t1:rev:1"}
    tenders = [tender for one in receipts for tender in one.tenders]
    assert exact_sum(tender.amount for tender in tenders) == 12
    assert exact_sum(tender.tip or 0 for tender in tenders) == 2


def test_line_without_a_sku():
    """
    It is sent with its kind, or without a SKU where the profile needs none.
    """
    tip = TransactionLine(kind="tip", quantity=1, price=Decimal("2.00"))
    sold = sale("t1", "2.00", items=[tip])

    assert ApiProfile().sku_required
    assert b'"sku":"TIP"' in encode_transaction(sold)
    assert b'"sku"' not in encode_transaction(sold, sku_required=False)
    assert SaleDigest.of(decode_transaction(encode_transaction(sold))) == SaleDigest.of(sold)
    with pytest.raises(ValueError, match="sku must be a text"):
        TransactionLine(kind="fuel", quantity=1, price=Decimal("2.00"))


def test_summary():
    """
    It follows the breakdowns, leaves out what was paid in and out, and has an
    average of the currency's decimals.
    """
    sales = [
        Transaction(
            id=name,
            timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
            total=Decimal(total),
            items=[],
            currency="KWD",
            tax=Decimal(9),
            taxes=[Tax(code="A", amount=Decimal("0.5"))],
            discounts=[Discount(amount=Decimal("0.25"))],
            kind=kind,
        )
        for name, total, kind in (("a", "1", None), ("b", "1.001", "sale"), ("c", "-7", "paid_out"))
    ]

    summary = SalesSummary.of(sales)

    assert (summary.total_orders, summary.total_revenue) == (2, Decimal("2.001"))
    assert (summary.total_tax, summary.total_discount) == (Decimal("1.0"), Decimal("0.50"))
    assert str(summary.average_order_value) == "1.001"


def test_sandbox_refuses_a_receipt_that_is_none():
    """
    The answer says which field is wrong.
    """
    body = b"""{"date":"2026-01-02","locationId":"l","transactions":[
        {"id":"t1","timestamp":"2026-01-02T10:00:00Z","total":1,"items":[],"tenders":[{}]}]}"""

    answer = BackOffice(api_key="k").handle(
        "POST", "/api/v1/sales/push", headers={"X-API-Key": "k"}, body=body
    )

    assert answer.status == 422
    assert b"$.tenders[0].type must be a text" in answer.body


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"tenders": [{"type": "cash", "amount": 1.5}]},
            "tenders[0].amount: a float has lost digits",
        ),
        ({"taxes": [{"amount": 1}]}, "taxes[0].code: missing"),
        ({"kind": "gift"}, "'gift' is not a valid TransactionKind"),
        ({"currency": "usd"}, "currency must be a code of ISO 4217"),
        ({"discounts": "x"}, "discounts must be a list"),
    ],
)
def test_receipt_that_cannot_be_built(fields, reason):
    """
    The sale is set aside, and the reason names the field.
    """
    assert reason in transaction_of({**RECEIPTS["a refund with its tax"], **fields}).reason


@given(TRANSACTIONS)
def test_wire_by_way_of_the_sandbox_is_exact(sold):
    """
    What the books hold is written as it was sent, byte for byte.
    """
    office = BackOffice()
    raw = encode_transaction(sold)
    body = b'{"date":"2026-01-02","locationId":"l","transactions":[' + raw + b"]}"

    answer = office.handle(
        "POST", "/api/v1/sales/push", headers={"X-API-Key": office.api_key}, body=body
    )

    assert answer.status == 200
    (arrived,) = office.ledger.sales()
    assert arrived.receipt == sold
    assert encode_transaction(arrived.receipt) == raw


@given(TRANSACTIONS)
def test_plain_sale_has_the_bytes_of_before(sold):
    """
    Without the fields of a receipt, a transaction is the JSON that it was
    before there were any: these keys, in order, with exact digits.
    """
    lines = [
        TransactionLine(sku=one.sku, quantity=one.quantity, price=one.price, amount=one.amount)
        for one in sold.items
    ]
    plain = Transaction(
        id=sold.id,
        timestamp=sold.timestamp,
        total=sold.total,
        items=lines,
        tax=sold.tax,
        discount=sold.discount,
    )
    optional = {"tax": sold.tax, "discount": sold.discount}
    before = {
        "id": sold.id,
        "timestamp": "2026-01-02T10:00:00Z",
        "total": sold.total,
        "items": [
            {"sku": one.sku, "quantity": one.quantity, "price": one.price}
            | ({} if one.amount is None else {"amount": one.amount})
            for one in lines
        ],
        **{name: amount for name, amount in optional.items() if amount is not None},
    }

    assert encode_transaction(plain) == encode_json(before)
