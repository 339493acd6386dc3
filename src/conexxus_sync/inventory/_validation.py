"""
Rules for items beyond those of the wire; turns items into rows of the mirror.
"""

import re
from collections.abc import Callable, Sequence
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

_is_plain = re.compile(r"[0-9]+(\.[0-9]{1,4})?", re.ASCII).fullmatch


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
                sku=element.sku, raw=element.raw, reason=element.reason, path=element.path
            )

        price = str(element.price)

        if not self.is_price(element.price, price):
            return RejectedElement(
                sku=element.sku, raw=encode_item(element), reason=INVALID_PRICE, path="$.price"
            )

        return row_of(element, price)

    def is_price(self, amount: Decimal, text: str) -> bool:
        """
        Is it finite, not negative, below the limit, with at most 4 decimals?
        """
        if _is_plain(text):
            return amount < self.max_price

        # Rare: an exponent, a sign, too many decimals.
        exponent = amount.as_tuple().exponent

        return (
            isinstance(exponent, int) and exponent >= -MAX_DECIMALS and 0 <= amount < self.max_price
        )


@cache
def _short_prices(digits: int) -> Callable[[str], object]:
    """
    Matches prices, one a line, with at most so many digits before the point.
    """
    return re.compile(rf"(?:[0-9]{{1,{digits}}}(?:\.[0-9]{{1,4}})?\n)*").fullmatch


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
