"""
Pushing sales to a real server.
"""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from conexxus_client import (
    ApiProfile,
    ConnectionLostError,
    Delivery,
    FrozenBatch,
    RejectedTransaction,
    SalesBatch,
    SalesSummary,
    StatusError,
    Transaction,
    TransactionLine,
    encode_batch,
)


def sale(name, total="49.98", **extra):
    lines = [TransactionLine(sku="WINE001", quantity=2, price=Decimal(total) / 2)]
    moment = datetime(2026, 1, 2, 10, tzinfo=UTC)
    return Transaction(id=name, timestamp=moment, total=Decimal(total), items=lines, **extra)


def batch(*sales):
    return SalesBatch(date=date(2026, 1, 2), location_id="loc-001", transactions=sales)


def test_body():
    """
    The body is the documented one, with exact digits.
    """
    body = encode_batch(batch(sale("txn-001")))

    assert json.loads(body) == {
        "date": "2026-01-02",
        "locationId": "loc-001",
        "transactions": [
            {
                "id": "txn-001",
                "timestamp": "2026-01-02T10:00:00Z",
                "total": 49.98,
                "items": [{"sku": "WINE001", "quantity": 2, "price": 24.99}],
            }
        ],
    }
    assert b'"total":49.98' in body


def test_optional_fields():
    """
    Tax, discount, amounts, extras and a summary are sent when present.
    """
    line = TransactionLine(
        sku="S", quantity=Decimal("0.250"), price=Decimal("4.00"), amount=1, extra={"lot": "7"}
    )
    transaction = Transaction(
        id="t",
        timestamp=datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=-5))),
        total=Decimal("1.10"),
        tax=Decimal("0.10"),
        discount=0,
        items=[line],
        extra={"till": 3},
    )
    summary = SalesSummary.of([transaction])
    body = json.loads(
        encode_batch(
            SalesBatch(
                date=date(2026, 1, 2),
                location_id="l",
                transactions=[transaction],
                summary=summary,
            )
        ),
        parse_float=Decimal,
    )

    assert body["transactions"][0] == {
        "id": "t",
        "timestamp": "2026-01-02T10:00:00Z",
        "total": Decimal("1.10"),
        "tax": Decimal("0.10"),
        "discount": 0,
        "extra": {"till": 3},
        "items": [
            {
                "sku": "S",
                "quantity": Decimal("0.250"),
                "price": Decimal("4.00"),
                "amount": 1,
                "extra": {"lot": "7"},
            }
        ],
    }
    assert body["summary"] == {
        "totalOrders": 1,
        "totalRevenue": Decimal("1.10"),
        "totalTax": Decimal("0.10"),
        "totalDiscount": 0,
        "averageOrderValue": Decimal("1.10"),
        "itemsSold": Decimal("0.250"),
    }


def test_accepted(connect, office, server):
    """
    What the back office took is in its books, once, to the cent.
    """
    receipt = connect(server.url).push_sales(batch(sale("a"), sale("b")), idempotency_key="k")

    assert receipt.accepted == 2
    assert receipt.rejected == ()
    assert receipt.request_id
    assert office.ledger.total("loc-001", date(2026, 1, 2)) == Decimal("99.96")


def test_rejected(connect, office, server):
    """
    Transactions that the back office refuses by name are told.
    """
    office.reject = {"b"}

    receipt = connect(server.url).push_sales(batch(sale("a"), sale("b")), idempotency_key="k")

    assert [refused.id for refused in receipt.rejected] == ["b"]
    assert all(isinstance(refused, RejectedTransaction) for refused in receipt.rejected)


def test_refused_batch_names_its_culprits(connect, office, server):
    """
    A 422 that lists the bad transactions hands that list on.
    """
    office.reject = {"b"}
    office.reject_mode = "batch"

    with pytest.raises(StatusError) as info:
        connect(server.url).push_sales(batch(sale("a"), sale("b")), idempotency_key="k")

    assert [refused.id for refused in info.value.rejected] == ["b"]
    assert info.value.delivery == Delivery.REJECTED


def test_every_attempt_is_the_same(connect, office, server):
    """
    Lost answers are repeated with the same bytes and key; the sale counts
    once.
    """
    office.faults("sales: 503, after_commit(reset), after_commit(503)")

    receipt = connect(server.url).push_sales(batch(sale("a")), idempotency_key="the-key")

    assert receipt.accepted == 1
    assert server.requests["sales"] == 4
    assert office.ledger.doubled() == []
    assert {push.key for push in office.ledger.pushes} == {"the-key"}


def test_no_repetition_where_nothing_is_recognised(connect, office, server):
    """
    Where the server recognises nothing, a push of unknown fate is not
    repeated; one that was certainly not sent is.
    """
    office.dedupe = "none"
    office.faults("sales: after_commit(reset)")

    with pytest.raises(ConnectionLostError) as info:
        connect(server.url, profile=ApiProfile(dedupe="none")).push_sales(
            batch(sale("a")), idempotency_key="k"
        )

    assert info.value.delivery == Delivery.UNKNOWN
    assert server.requests["sales"] == 1


def test_frozen(connect, office, server):
    """
    A batch that was frozen to bytes is sent as it is.
    """
    frozen = FrozenBatch.of(batch(sale("a", "12345678901234567.80")))

    connect(server.url).push_sales(frozen, idempotency_key="k")

    assert str(office.ledger.total("loc-001", date(2026, 1, 2))) == "12345678901234567.80"
    assert FrozenBatch.of(batch(*frozen.transactions())).body == frozen.body


@pytest.mark.parametrize("key", ["", "a\nb", "ä", "a b", "x" * 256])
def test_bad_key(connect, server, key):
    """
    A key that can't be a header is refused before anything is sent.
    """
    with pytest.raises(ValueError, match="idempotency key"):
        connect(server.url).push_sales(batch(sale("a")), idempotency_key=key)

    assert server.requests["sales"] == 0
