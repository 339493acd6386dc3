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
    "US, two taxes, two discounts and a gift card": receipt(
        "9.68",
        line("3", "1.99", discounts=[{"code": "3FOR2", "amount": Decimal("0.50")}]),
        line("1", "4.49"),
        currency="USD",
        register="1",
        discounts=[{"amount": Decimal("1.00")}],
        taxes=[
            tax("STATE", "0.54", included=False, rate="6", taxable="8.96"),
            tax("CITY", "0.18", included=False, rate="2", taxable="8.96"),
        ],
        tenders=[tender("5.00", "gift_card"), tender("5.00", change="0.32")],
    ),
    "US, lottery tickets and cash back": receipt(
        "11.36",
        kind("custom", "2", "5.00"),
        line("1", "1.25"),
        currency="USD",
        register="1",
        taxes=[tax("STATE", "0.11", included=False, taxable="1.25")],
        tenders=[tender("31.36", "debit", change="20.00")],
    ),
    "US, a gift card is sold": receipt(
        "25.00",
        kind("gift_card", "1", "25.00"),
        currency="USD",
        register="2",
        tenders=[tender("25.00", "card")],
    ),
    "US, a fee for a bag": receipt(
        "3.10", line("1", "3.00"), kind("fee", "1", "0.10"), tenders=[tender("3.10")]
    ),
    "a supplier is paid out of the drawer": receipt(
        "-40.00", kind="paid_out", register="1", tenders=[tender("-40.00")]
    ),
    "EU, a refund with its tax": receipt(
        "-11.90",
        line("-1", "11.90"),
        kind="refund",
        currency="EUR",
        taxes=[tax("A", "-1.90", included=True, rate="19", taxable="-10.00")],
        tenders=[tender("-11.90", "card")],
    ),
    "EU, cheese by weight": receipt(
        "7.64",
        line("0.384", "19.90", amount="7.64", unit="kg"),
        currency="EUR",
        taxes=[tax("B", "0.50", included=True, rate="7")],
        tenders=[tender("7.64", "card")],
    ),
    "EU, bottles with a deposit": receipt(
        "6.84",
        line("6", "0.89"),
        kind("deposit", "6", "0.25"),
        currency="EUR",
        taxes=[tax("A", "1.09", included=True)],
        tenders=[tender("10.00", change="3.16")],
    ),
    "EU, an exchange for a dearer one": receipt(
        "5.00",
        line("-1", "20.00"),
        line("1", "25.00"),
        kind="exchange",
        currency="EUR",
        taxes=[tax("A", "0.80", included=True)],
        tenders=[tender("5.00", "card")],
    ),
    "AU, rounded up": receipt(
        "7.00",
        line("2", "3.49"),
        currency="AUD",
        rounding=Decimal("0.02"),
        taxes=[tax("GST", "0.63", included=True)],
        tenders=[tender("7.00")],
    ),
    "AU, not rounded by card": receipt(
        "6.98",
        line("2", "3.49"),
        currency="AUD",
        taxes=[tax("GST", "0.63", included=True)],
        tenders=[tender("6.98", "card")],
    ),
    "Japan, two rates included": receipt(
        "850",
        line("2", "150"),
        line("1", "550"),
        currency="JPY",
        taxes=[tax("R8", "22", included=True), tax("R10", "50", included=True)],
        tenders=[tender("1000", change="150")],
    ),
    "Kuwait, change in fils": receipt(
        "3.125",
        line("1", "2.750"),
        line("3", "0.125"),
        currency="KWD",
        tenders=[tender("3.500", change="0.375")],
    ),
    "fuel and a coffee, two tenders": receipt(
        "43.16",
        line("10.512", "3.899", kind="fuel", unit="gal", amount="40.99"),
        line("1", "1.99"),
        currency="USD",
        register="pump7",
        taxes=[tax("STATE", "0.18", included=False, taxable="1.99")],
        tenders=[tender("40.99", "fleet"), tender("5.00", change="2.83")],
    ),
    "diesel, prepaid, the rest returned": receipt(
        "30.00",
        line("7.5000", "4.000", kind="fuel", unit="gal"),
        currency="USD",
        register="pump7",
        tenders=[tender("40.00", change="10.00")],
    ),
    "restaurant, the bill split by three": receipt(
        "98.10",
        line("2", "30.00"),
        line("3", "10.00"),
        currency="USD",
        taxes=[tax("STATE", "8.10", included=False, rate="9", taxable="90.00")],
        tenders=[
            tender("37.70", "card", tip="5.00"),
            tender("32.70", "card"),
            tender("40.00", change="7.30"),
        ],
    ),
    "duty free, no tax, two tenders": receipt(
        "81.00",
        line("2", "45.00", discounts=[{"code": "CREW", "amount": Decimal("9.00")}]),
        currency="EUR",
        tenders=[tender("50.00"), tender("31.00", "card")],
    ),
}

# Each has one currency, as a location has.
TRADES = {
    "convenience store, US": (
        "US, the tax added",
        "US, two taxes, two discounts and a gift card",
        "US, lottery tickets and cash back",
        "US, a gift card is sold",
        "US, a fee for a bag",
        "a refund with its tax",
        "lottery, paid out",
        "a supplier is paid out of the drawer",
        "change for the drawer",
        "a deposit, paid and returned",
        "bottles returned",
    ),
    "supermarket, EU": (
        "EU, the tax included, two rates",
        "EU, a refund with its tax",
        "EU, cheese by weight",
        "EU, bottles with a deposit",
        "EU, an exchange for a dearer one",
        "an exchange at zero",
    ),
    "café, AU": ("AU, rounded to five cents", "AU, rounded up", "AU, not rounded by card"),
    "konbini, JP": ("Japan, no decimals", "Japan, two rates included"),
    "bakery, KW": ("Kuwait, three decimals", "Kuwait, change in fils"),
    "fuel station, US": (
        "fuel at three decimals",
        "fuel without an amount",
        "fuel and a coffee, two tenders",
        "diesel, prepaid, the rest returned",
    ),
    "restaurant, US": (
        "restaurant, the tip in the tender",
        "restaurant, the tip as a line",
        "restaurant, the bill split by three",
    ),
    "duty free, EU": ("duty free, a discount of the receipt", "duty free, no tax, two tenders"),
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
