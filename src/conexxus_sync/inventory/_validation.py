"""
Rules for items beyond those of the wire; turns items into rows of the mirror.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from hashlib import blake2b

import attrs

from conexxus_client import InvalidItem, Item, encode_extra, encode_item
from conexxus_sync.model.catalogue import ItemRow, RejectedElement


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
        self, page: Iterable[Item | InvalidItem], quarantine: Callable[[RejectedElement], None]
    ) -> list[ItemRow]:
        """
        Rows of the good items of *page*; the others go to *quarantine*.
        """
        rows = []

        for element in page:
            result = self.check(element)
            if isinstance(result, RejectedElement):
                quarantine(result)
            else:
                rows.append(result)

        return rows

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


def row_of(item: Item, price: str) -> ItemRow:
    """
    The row of *item*, with a digest over all of its fields.
    """
    sku, name, category, description = item.sku, item.name, item.category, item.description
    extra = encode_extra(item.extra) if item.extra else None

    # Lengths first: what follows can be cut in one way only.
    framed = (
        f"{len(sku)} {len(name)} {len(price)} {_length(category)} {_length(description)} "
        f"{sku}{name}{price}{category}{description}{extra}"
    )
    digest = blake2b(framed.encode(), digest_size=16).digest()

    return sku, digest, name, price, category, description, extra


def _length(text: str | None) -> int:
    return -1 if text is None else len(text)
