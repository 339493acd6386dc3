"""
Receipts of the trades as they go over the wire, and each with one planted error.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from conexxus_client import (
    Discount,
    LineKind,
    Tax,
    Tender,
    Transaction,
    TransactionKind,
    TransactionLine,
)
from conexxus_sync.model.sum_checks import Mismatch


def receipt(total: str, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    stamped = {"id": "t1", "timestamp": "2026-01-02T10:00:00Z", "total": Decimal(total)}
    return {**stamped, "items": list(items), **fields}


def line(quantity: str, price: str, **fields: Any) -> dict[str, Any]:
    numbers = {"quantity": Decimal(quantity), "price": Decimal(price)}
    return {"sku": "a", **numbers, **{key: _value(value) for key, value in fields.items()}}


def kind(name: str, quantity: str, price: str) -> dict[str, Any]:
    return {"kind": name, "quantity": Decimal(quantity), "price": Decimal(price)}


def tender(amount: str, of: str = "cash", **parts: str) -> dict[str, Any]:
    return {"type": of, "amount": Decimal(amount), **{k: Decimal(v) for k, v in parts.items()}}


def tax(code: str, amount: str, *, included: bool | None = None, **parts: str) -> dict[str, Any]:
    said = {} if included is None else {"included": included}
    return {"code": code, "amount": Decimal(amount), **said, **_decimals(parts)}


def _decimals(parts: dict[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(value) for key, value in parts.items()}


def _value(value: Any) -> Any:
    return value if not isinstance(value, str) or value.isalpha() else Decimal(value)


RECEIPTS = {
    "US, the tax added": receipt(
        "53.39",
        line(
            "2",
            "24.99",
            amount="49.98",
            kind="item",
            discounts=[{"code": "LOYAL", "amount": Decimal("1.00")}],
            taxes=[tax("STATE", "4.41")],
        ),
        currency="USD",
        taxes=[tax("STATE", "4.41", included=False, rate="9.0", taxable="48.98")],
        tenders=[tender("60.00", change="6.61")],
    ),
    "EU, the tax included, two rates": receipt(
        "18.97",
        line("1", "11.90", taxes=[tax("A", "1.90")]),
        line("1", "7.07", taxes=[tax("B", "0.46")]),
        currency="EUR",
        tax=Decimal("2.36"),
        taxes=[tax("A", "1.90", included=True), tax("B", "0.46", included=True)],
        tenders=[tender("18.97", "card")],
    ),
    "AU, rounded to five cents": receipt(
        "9.95",
        line("1", "9.97"),
        currency="AUD",
        rounding=Decimal("-0.02"),
        taxes=[tax("GST", "0.91", included=True)],
        tenders=[tender("10.00", change="0.05")],
    ),
    "Japan, no decimals": receipt(
        "1080",
        line("3", "333.3", amount="1000"),
        currency="JPY",
        taxes=[tax("JCT", "80", included=False)],
        tenders=[tender("1080", "card")],
    ),
    "Kuwait, three decimals": receipt(
        "1.255", line("1", "1.255"), currency="KWD", tenders=[tender("1.255")]
    ),
    "fuel at three decimals": receipt(
        "42.70",
        line("12.3456", "3.459", kind="fuel", unit="gal", amount="42.70"),
        currency="USD",
        tenders=[tender("42.70", "card")],
    ),
    "fuel without an amount": receipt("42.70", line("12.3456", "3.459", kind="fuel")),
    "restaurant, the tip in the tender": receipt(
        "40.00", line("1", "40.00"), tenders=[tender("48.00", "card", tip="8.00")]
    ),
    "restaurant, the tip as a line": receipt(
        "48.00", line("1", "40.00"), kind("tip", "1", "8.00"), tenders=[tender("48.00", "card")]
    ),
    "lottery, paid out": receipt("-25.00", kind="paid_out", tenders=[tender("-25.00")]),
    "change for the drawer": receipt("100.00", kind="paid_in", tenders=[tender("100.00")]),
    "a deposit, paid and returned": receipt(
        "0.75", line("1", "1.00"), kind("deposit", "-1", "0.25"), tenders=[tender("0.75")]
    ),
    "bottles returned": receipt(
        "-1.50", kind("deposit", "-6", "0.25"), kind="deposit_return", tenders=[tender("-1.50")]
    ),
    "an exchange at zero": receipt(
        "0.00", line("1", "20.00"), line("-1", "20.00"), kind="exchange"
    ),
    "a refund with its tax": receipt(
        "-10.90",
        line("-1", "10.00"),
        kind="refund",
        taxes=[tax("STATE", "-0.90", included=False)],
        tenders=[tender("-10.90", "card")],
    ),
    "duty free, a discount of the receipt": receipt(
        "90.00",
        line("2", "50.00"),
        discount=Decimal("10.00"),
        discounts=[{"amount": Decimal("10.00")}],
        currency="EUR",
        tenders=[tender("50.00"), tender("40.00", "card")],
    ),
}


def planted() -> list[tuple[str, dict[str, Any], Mismatch]]:
    """
    Each receipt that has the part, with one figure of it changed by ten.
    """
    found = []

    for name, good in RECEIPTS.items():
        if good["items"]:
            more = {**good["items"][0], "amount": Decimal("-77")}
            bad = {**good, "items": [more, *good["items"][1:]]}
            found.append((name, bad, Mismatch.LINES))
        if tenders := good.get("tenders"):
            more = {**tenders[0], "amount": tenders[0]["amount"] + 10}
            found.append((name, {**good, "tenders": [more, *tenders[1:]]}, Mismatch.TENDERS))
        if "taxes" in good and good["items"]:
            bad = {**good, "tax": sum(one["amount"] for one in good["taxes"]) + 10}
            found.append((name, bad, Mismatch.TAXES))
        if "discounts" in good:
            bad = {**good, "discount": good["discounts"][0]["amount"] + 10}
            found.append((name, bad, Mismatch.DISCOUNTS))

    first = RECEIPTS["US, the tax added"]
    (sold,) = first["items"]
    untaxed = {**sold, "taxes": [tax("STATE", "1.00")]}
    found.append(("a tax of a line", {**first, "items": [untaxed]}, Mismatch.TAXES))
    for name in ("refund", "deposit_return", "paid_in", "paid_out"):
        bad = receipt("1.00", line("1", "1.00"), kind=name)
        found.append((f"goods as {name}", bad, Mismatch.KIND))

    return found


AMOUNTS = st.decimals("-9999.9999", "9999.9999", places=4) | st.decimals("-99", "99", places=2)
OPTIONAL = st.none() | AMOUNTS
TEXTS = st.none() | st.sampled_from(["a", "Käse", 'x"y'])
DISCOUNTS = st.lists(st.builds(Discount, code=TEXTS, amount=AMOUNTS), max_size=2)
TAXES = st.lists(
    st.builds(
        Tax,
        code=st.sampled_from(["A", "B"]),
        amount=AMOUNTS,
        taxable=OPTIONAL,
        rate=OPTIONAL,
        included=st.sampled_from([None, False, True]),
    ),
    max_size=2,
)
TENDERS = st.lists(
    st.builds(
        Tender, type=st.just("cash"), amount=AMOUNTS, change=OPTIONAL, tip=OPTIONAL, reference=TEXTS
    ),
    max_size=2,
)
LINES = st.lists(
    st.builds(
        TransactionLine,
        sku=st.sampled_from(["s1", "s2"]),
        quantity=AMOUNTS | st.integers(-9, 9),
        price=AMOUNTS,
        amount=OPTIONAL,
        name=TEXTS,
        category=TEXTS,
        unit=TEXTS,
        kind=st.none() | st.sampled_from(LineKind),
        discounts=DISCOUNTS,
        taxes=TAXES,
    ),
    max_size=3,
)
TRANSACTIONS = st.builds(
    Transaction,
    id=st.just("t1"),
    timestamp=st.just(datetime(2026, 1, 2, 10, tzinfo=UTC)),
    total=AMOUNTS,
    items=LINES,
    tax=OPTIONAL,
    discount=OPTIONAL,
    register=TEXTS,
    kind=st.none() | st.sampled_from(TransactionKind),
    currency=st.none() | st.sampled_from(["USD", "JPY", "KWD"]),
    rounding=OPTIONAL,
    tenders=TENDERS,
    taxes=TAXES,
    discounts=DISCOUNTS,
)
