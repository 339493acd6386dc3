"""
Rules for items beyond those of the wire; turns items into rows of the mirror.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache

import attrs

from conexxus_client import (
    CatalogWindow,
    InvalidItem,
    Item,
    ItemColumns,
    ItemRow,
    encode_extra,
    encode_item,
)
from conexxus_sync.model.catalogue import RejectedElement


INVALID_PRICE = "Item has invalid price"
MAX_DECIMALS = 4

# Zeros at its end are no decimals.
_is_plain = re.compile(r"[0-9]+(?:\.[0-9]{1,4}0*)?", re.ASCII).fullmatch


@attrs.frozen
class Validator:
    """
    The rules that an item must keep beyond those of the wire.

    Attributes:
        max_price: The first price that is too high.
    """

    max_price: Decimal

    def partition(
        self, window: CatalogWindow, quarantine: Callable[[RejectedElement], None]
    ) -> ItemColumns:
        """
        Columns of the good items of *window*; the others go to *quarantine*.
        """
        columns = window.columns

        if not window.unusual and self._are_prices(columns[2]):
            return columns

        rows = []

        for element in window.elements:
            result = self.check(element)
            if isinstance(result, RejectedElement):
                quarantine(result)
            else:
                rows.append(result)

        return columns_of(rows)

    def _are_prices(self, texts: Sequence[str]) -> bool:
        """
        All at once; most are so short that they can't pass the limit.
        """
        digits = self.max_price.adjusted()

        if digits > 0 and _short_prices(digits)("\n".join([*texts, ""])):
            return True

        return all(_is_plain(text) and Decimal(text) < self.max_price for text in texts)

    def check(self, element: Item | InvalidItem) -> ItemRow | RejectedElement:
        """
        The row of *element*, or what is wrong with it.
        """
        if isinstance(element, InvalidItem):
            return RejectedElement(
                sku=element.sku,
                raw=element.raw,
                reason=element.reason,
                path=element.path,
                detail=element.detail,
            )

        price = plain_price(element.price)

        if (detail := self._price_fault(element.price, price)) is not None:
            return RejectedElement(
                sku=element.sku,
                raw=encode_item(element),
                reason=INVALID_PRICE,
                path="$.price",
                detail=detail,
            )

        return row_of(element, price)

    def _price_fault(self, amount: Decimal, text: str) -> str | None:
        """
        Which rule it breaks: it is not negative, below the limit, with at most
        4 decimals.
        """
        if amount < 0:
            return f"negative: {text}"
        if amount >= self.max_price:
            return f"{self.max_price:,f} or more: {text}"

        return None if _is_plain(text) else f"more than {MAX_DECIMALS} decimals: {text}"


def plain_price(price: Decimal) -> str:
    """
    *price* without an exponent, also once it is read again: Python writes a
    zero with more than six decimals as 0E-7.
    """
    return f"{price:f}" if price else f"{price:f}"[: len("0.000000")]


def remarks_on(elements: Iterable[Item | InvalidItem]) -> Iterator[tuple[str, str]]:
    """
    What is odd about items that are good, and the SKU of each.
    """
    for element in elements:
        if isinstance(element, Item):
            for field in ("category", "description"):
                if field in element.extra:
                    yield f"a {field} that is no text: it is kept in `extra`", element.sku


@cache
def _short_prices(digits: int) -> Callable[[str], object]:
    """
    Matches prices, one a line, with at most so many digits before the point.
    """
    return re.compile(rf"(?:[0-9]{{1,{digits}}}+(?:\.[0-9]{{1,4}}+0*+)?+\n)*+").fullmatch


def row_of(item: Item, price: str) -> ItemRow:
    """
    The row of *item*.
    """
    extra = encode_extra(item.extra) if item.extra else None

    return item.sku, item.name, price, item.category, item.description, extra


def columns_of(rows: Sequence[ItemRow]) -> ItemColumns:
    """
    *rows* by column.
    """
    if not rows:
        return (), (), (), (), (), ()

    skus, names, prices, categories, descriptions, extra = zip(*rows, strict=True)

    return skus, names, prices, categories, descriptions, extra
