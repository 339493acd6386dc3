"""
Values of elements: texts, amounts, flags, ages and links, each read in one way.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn
from unicodedata import category, normalize

from ._dialects import Dialect
from ._fault import RecordError
from ._xml import Element, name_of


VOCABULARY = "http://www.naxml.org/POSBO/Vocabulary/2003-10-16"
MAX_TEXT = 4096
MAX_DEPTH = 32
MAX_AGE = 99
MAX_DECIMALS = 4

_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII).fullmatch
_PRICE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4}0{0,11})?", re.ASCII).fullmatch
_AGE = re.compile(r"[0-9]{1,2}", re.ASCII).fullmatch
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII).fullmatch
_FLAGS = {
    **dict.fromkeys(("yes", "Yes", "y", "1", "true"), True),
    **dict.fromkeys(("no", "No", "n", "0", "false"), False),
}
_NO_LINK = ("", "0", "-1")

Reader = Callable[[Element, Dialect], Any]


def text_of(element: Element | None, _: Dialect | None = None) -> str | None:
    """
    The text of an element that has no others, in form C; None if it is empty.

    Raises:
        RecordError: It has elements or control characters, or is too long.
    """
    if element is None:
        return None
    if len(element):
        _refuse(element, "has elements where a text belongs")
    text: str = (element.text or "").strip()
    if not text:
        return None
    if len(text) > MAX_TEXT:
        _refuse(element, f"has more than {MAX_TEXT:,} characters")
    if not text.isprintable() and any(category(it) == "Cc" for it in text):
        _refuse(element, "has a control character")

    return text if text.isascii() else normalize("NFC", text)


def price_of(element: Element, _: Dialect) -> Decimal | None:
    """
    A price, with the digits that it has; None if there is none.

    Raises:
        RecordError: It is no plain number, or has too many decimals.
    """
    if (text := text_of(element)) is None:
        return None
    if _PRICE(text) is None:
        _refuse(element, f"is no price of at most {MAX_DECIMALS} decimals: {text[:40]!r}")

    return Decimal(text)


def amount_of(element: Element, _: Dialect) -> Decimal | None:
    """
    A number; equal ones have one form: 1, not 1.00.
    """
    if (text := text_of(element)) is None:
        return None
    if _AMOUNT(text) is None:
        _refuse(element, f"is no plain number: {text[:40]!r}")
    if "." in text:
        text = text.rstrip("0").rstrip(".")

    return Decimal(text)


def flag_of(element: Element, dialect: Dialect) -> bool | None:
    """
    A flag, from its attribute or its text; None if it has neither.
    """
    text = element.get("value") or text_of(element) or ""

    if text in _FLAGS:
        return _FLAGS[text]
    if not (text := text.strip().lower()):
        return dialect.empty_flag
    if (flag := _FLAGS.get(text)) is None:
        _refuse(element, f"is neither yes nor no: {text[:40]!r}")

    return flag


def age_of(element: Element, dialect: Dialect) -> int | None:
    """
    An age in years.

    Raises:
        RecordError: It is no age in this dialect: it is never guessed.
    """
    if (text := text_of(element)) is None:
        return None
    if dialect.ages:
        if text not in dialect.ages:
            _refuse(element, f"is none of {', '.join(dialect.ages)}: {text[:40]!r}")
        return dialect.ages[text]
    if _AGE(text) is None:
        _refuse(element, f"is no age in years: {text[:40]!r}")

    return int(text)


def link_of(element: Element, _: Dialect) -> dict[str, str] | None:
    """
    Another item, or a list of items: like a container's deposit.
    """
    text, kind = text_of(element) or "", element.get("type", "").strip()

    return None if text in _NO_LINK else {"type": kind or "item", "code": text}


def tree_of(element: Element, today: date, depth: int = 1) -> dict[str, Any]:
    """
    All of an element: `@name` are its attributes, `#text` its texts, and each
    name of an element has a list.

    Raises:
        RecordError: It is nested too deep, a text is too long, or it takes
            effect after *today*.
    """
    if depth > MAX_DEPTH:
        _refuse(element, f"has more than {MAX_DEPTH} levels")

    names, text = element.keys(), element.text or ""
    if names or _is_effective(element.tag):
        refuse_later_effect(element, today)
    if len(element):
        text += "".join(filter(None, (it.tail for it in element)))

    tree: dict[str, Any] = {f"@{name}": element.get(name) for name in names}
    if text := text.strip():
        tree["#text"] = text
    if len(text) > MAX_TEXT or (names and max(map(len, tree.values())) > MAX_TEXT):
        _refuse(element, f"has more than {MAX_TEXT:,} characters")
    for child in element:
        tree.setdefault(known_name(child), []).append(tree_of(child, today, depth + 1))

    return tree


def known_name(element: Element) -> str:
    """
    The name of an element of the vocabulary; of another one, with its namespace.
    """
    return _known(element.tag)


@lru_cache(maxsize=1024)
def _known(tag: str) -> str:
    namespace, _, name = tag.rpartition("}")

    return name if namespace in ("", f"{{{VOCABULARY}") else tag


def only_once(element: Element) -> dict[str, Element]:
    """
    The elements in it by name.

    Raises:
        RecordError: One is there twice.
    """
    found = {_known(it.tag): it for it in element}

    if len(found) < len(element):
        _refuse(element, "has an element twice")

    return found


def refuse_later(name: str, text: str, today: date) -> None:
    """
    Refuse what takes effect after *today*.

    Raises:
        RecordError: It does, or the date can't be read.
    """
    if not (text := text.strip()):
        return

    found = _DATE(text)
    try:
        day = None if found is None else date.fromisoformat(found[1])
    except ValueError:
        day = None

    if day is None:
        msg = f"{name[:40]} is no date: {text[:40]!r}"
        raise RecordError(msg)
    if day > today:
        msg = f"it takes effect on {day}, which is later than {today}: send it on that day"
        raise RecordError(msg)


def refuse_later_effect(element: Element, today: date) -> None:
    """
    Likewise, of an element or an attribute that is called an effective date.
    """
    if _is_effective(element.tag):
        refuse_later(name_of(element), text_of(element) or element.get("value", ""), today)
    for name in element.keys():  # noqa: SIM118  # no mapping
        if _is_effective(name):
            refuse_later(name, element.get(name), today)


@lru_cache(maxsize=1024)
def _is_effective(name: str) -> bool:
    return "effectivedate" in name.rpartition("}")[2].lower()


def _refuse(element: Element, what: str) -> NoReturn:
    msg = f"{name_of(element)} {what}"
    raise RecordError(msg)


# Elements of ITTData in the spellings that were seen: where each goes, and how it is read.
_SEEN: Mapping[str, tuple[str, Reader]] = {
    "Description": ("name", text_of),
    "RegularSellPrice": ("price", price_of),
    "MerchandiseCode": ("category", text_of),
    "ActiveFlag": ("active", flag_of),
    "ActiveFlg": ("active", flag_of),
    "DiscountableFlg": ("discountable", flag_of),
    "FoodStampableFlg": ("food_stamp", flag_of),
    "InventoryValuePrice": ("cost", amount_of),
    "ItemID": ("item_id", text_of),
    "LinkCode": ("linked", link_of),
    "PaymentSystemsProductCode": ("product_code", text_of),
    "PriceMethodCode": ("price_method", text_of),
    "PriceRequiredFlag": ("price_required", flag_of),
    "PriceRequiredFlg": ("price_required", flag_of),
    "PricingGroup": ("pricing_group", text_of),
    "QuantityAllowedFlg": ("quantity_allowed", flag_of),
    "QuantityRequiredFlg": ("quantity_required", flag_of),
    "ReceiptDescription": ("receipt_description", text_of),
    "SalesRestrictCode": ("restrict", text_of),
    "SellingUnits": ("units", amount_of),
    "TaxStrategyID": ("tax", text_of),
    "TaxStrategyId": ("tax", text_of),
}
# Likewise, of SalesRestriction.
_SEEN_RESTRICTIONS: Mapping[str, tuple[str, Reader]] = {
    "MinimumCustomerAge": ("min_age", age_of),
    "ProhibitDiscountFlag": ("prohibit_discount", flag_of),
}

# A key, how it is read, and whether its attributes are read, too.
Field = tuple[str, Reader, bool]


def _by_tag(seen: Mapping[str, tuple[str, Reader]]) -> dict[str, Field]:
    fields = {name: (key, read, read in (flag_of, link_of)) for name, (key, read) in seen.items()}

    return fields | {f"{{{VOCABULARY}}}{name}": field for name, field in fields.items()}


FIELDS = _by_tag(_SEEN)
RESTRICTIONS = _by_tag(_SEEN_RESTRICTIONS)
