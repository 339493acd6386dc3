"""
Fields of an item, as a host maps them to columns of its own table.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from conexxus_client import Item

from .formatting import did_you_mean


FIELDS = ("sku", "name", "price", "category", "description")
_EXTRA = "extra."


def fields_problems(argument: str, given: Mapping[str, str], *, derived: bool) -> Iterator[str]:
    """
    Why *given* does not say which column holds which field; one sentence each.

    A price may be *derived*, in cents for example, by a function of the host.

    Args:
        argument: How the host calls it.
    """
    yield from (
        f"{argument}: {field!r} is no field of an item{did_you_mean(field, FIELDS)}; "
        f"there are {', '.join(FIELDS)}, and extra.KEY for what else the back office sends"
        for field in given
        if field not in FIELDS and not field.startswith(_EXTRA)
    )
    yield from (
        f"{argument}: which column holds the {field}? Give {argument}={{'{field}': …}}"
        for field in ("sku", "price")
        if field not in given and not (field == "price" and derived)
    )


def field_of(item: Item, field: str) -> Any:
    """
    The value of *field*.
    """
    if field.startswith(_EXTRA):
        return item.extra.get(field.removeprefix(_EXTRA))

    return getattr(item, field)


def as_json(value: Any) -> str:
    """
    The text of a list or a mapping; its amounts are texts.
    """
    return json.dumps(value, default=str, ensure_ascii=False)


def rounding_problem(item: Item, value: Decimal, column: str, scale: int | None) -> str | None:
    """
    Why *column* can't hold *value* exactly, with *scale* digits behind the point.
    """
    if scale is None or value == round(value, scale):
        return None

    return (
        f"the price {value} of {item.sku!r} has more digits than the column {column!r} "
        f"keeps ({scale} behind the point): make the column wider, or round it in on_row"
    )
