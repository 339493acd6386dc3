"""
Values of elements: texts, amounts, flags, ages and links, each read in one way.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn
from unicodedata import category, normalize

from ._dialects import Dialect
from ._fault import RecordError
from ._xml import Element, name_of


VOCABULARY = "http://www.naxml.org/POSBO/Vocabulary/2003-10-16"
HEADER, BLOCK, DETAIL = "TransmissionHeader", "ItemMaintenance", "ITTDetail"
# What else a file may have; it says nothing of one item.
OTHER_BLOCKS = {
    "MerchandiseCodeMaintenance": "MCTDetail",
    "ItemListMaintenance": "ILTDetail",
    "MixMatchMaintenance": "MMTDetail",
    "ComboMaintenance": "CBTDetail",
    "TaxLevelMaintenance": "TLTDetail",
    "TaxStrategyMaintenance": "TSTDetail",
}
# They have their place in a file; elsewhere, they would be lost.
PLACED = frozenset({HEADER, BLOCK, DETAIL, *OTHER_BLOCKS, *OTHER_BLOCKS.values()})
MAX_TEXT = 4096
MAX_DEPTH = 32
MAX_DECIMALS = 4
KNOWN_VALUES, KNOWN_PRICES = 128, 4096

NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII).fullmatch
_PRICE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4}0{0,11})?", re.ASCII).fullmatch
_AGE = re.compile(r"[0-9]{1,2}", re.ASCII).fullmatch
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII).fullmatch
_FLAGS = {
    **dict.fromkeys(("yes", "y", "1", "true"), True),
    **dict.fromkeys(("no", "n", "0", "false"), False),
}
HAS_ELEMENTS = "has elements where a text belongs"
_NO_LINK = ("", "0", "-1")

# What the text of an element and its attribute say, both of them empty where there is none.
Reader = Callable[[str, str, Dialect], Any]


def text_of(element: Element | None) -> str | None:
    """
    The text of an element that has no others, in form C; None if it is empty.

    Raises:
        RecordError: It has elements or control characters, or is too long.
    """
    if element is None:
        return None
    if len(element):
        _refuse(element, HAS_ELEMENTS)

    try:
        return clean(element.text or "") or None
    except RecordError as exc:
        _refuse(element, str(exc))


def clean(text: str) -> str:
    """
    A text in form C, without the spaces around it.

    Raises:
        RecordError: It has control characters, or is too long.
    """
    if len(text) > MAX_TEXT:
        msg = f"has more than {MAX_TEXT:,} characters"
        raise RecordError(msg)
    text = text.strip()
    if not text.isprintable() and any(category(it) == "Cc" for it in text):
        msg = "has a control character"
        raise RecordError(msg)

    return text if text.isascii() else normalize("NFC", text)


def plain(text: str, _: str, __: Dialect) -> str | None:
    """
    A text.
    """
    return text or None


def price(text: str, _: str, __: Dialect) -> Decimal | None:
    """
    A price, with the digits that it has.

    Raises:
        RecordError: It is no plain number, or has too many decimals.
    """
    return _price_of(text) if text else None


@lru_cache(maxsize=KNOWN_PRICES)
def _price_of(text: str) -> Decimal:
    if _PRICE(text) is None:
        msg = f"is no price of at most {MAX_DECIMALS} decimals: {text[:40]!r}"
        raise RecordError(msg)

    return Decimal(text)


def amount(text: str, _: str, __: Dialect) -> Decimal | None:
    """
    A number; equal ones have one form: 1, not 1.00.
    """
    if not text:
        return None
    if NUMBER(text) is None:
        msg = f"is no plain number: {text[:40]!r}"
        raise RecordError(msg)
    if "." in text:
        text = text.rstrip("0").rstrip(".")

    return Decimal(text)


def flag(text: str, attribute: str, dialect: Dialect) -> bool | None:
    """
    A flag, from its attribute or its text; what one without both means, its dialect says.
    """
    if not (text := (attribute or text).strip().lower()):
        return dialect.empty_flag
    if (found := _FLAGS.get(text)) is None:
        msg = f"is neither yes nor no: {text[:40]!r}"
        raise RecordError(msg)

    return found


def age(text: str, _: str, dialect: Dialect) -> int | None:
    """
    An age in years.

    Raises:
        RecordError: It is no age in this dialect: it is never guessed.
    """
    if not text:
        return None
    if (ages := dialect.ages) is None:
        msg = (
            f"may be years or a code in the dialect {dialect.name}: {text[:40]!r}; if the store "
            "has years, say so: ages=years in the address, or --ages years"
        )
        raise RecordError(msg)
    if ages != "years":
        if text not in ages:
            msg = f"is none of {', '.join(ages)}: {text[:40]!r}"
            raise RecordError(msg)
        return ages[text]
    if _AGE(text) is None:
        msg = f"is no age in years: {text[:40]!r}"
        raise RecordError(msg)

    return int(text)


def link(text: str, attribute: str, _: Dialect) -> dict[str, str] | None:
    """
    Another item, or a list of items: like a container's deposit.
    """
    if text in _NO_LINK:
        return None

    return {"type": attribute.strip() or "item", "code": text}


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

    attributes, elements, text = element.items(), len(element), element.text or ""
    if attributes or _is_effective(element.tag):
        refuse_later_effect(element, today)
    if elements:
        text += "".join(filter(None, (it.tail for it in element)))

    tree: dict[str, Any] = {f"@{name}": value for name, value in attributes}
    if text := text.strip():
        tree["#text"] = text
    if len(text) > MAX_TEXT or (attributes and max(map(len, tree.values())) > MAX_TEXT):
        _refuse(element, f"has more than {MAX_TEXT:,} characters")
    if elements:
        for child in element:
            tree.setdefault(known_name(child), []).append(tree_of(child, today, depth + 1))

    return tree


def known_name(element: Element) -> str:
    """
    The name of an element of the vocabulary; of another one, with its namespace.

    Raises:
        RecordError: It has its place elsewhere in a file.
    """
    return _known(element.tag)


@lru_cache(maxsize=1024)
def _known(tag: str) -> str:
    namespace, _, name = tag.rpartition("}")
    if name in PLACED:
        msg = f"has {name}, which is part of no record"
        raise RecordError(msg)

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


def refuse_long(attributes: Sequence[tuple[str, str]]) -> None:
    """
    Refuse attributes that are longer than a text may be.
    """
    if len(str(attributes)) > MAX_TEXT:
        msg = f"has more than {MAX_TEXT:,} characters"
        raise RecordError(msg)


def refuse_later_effect(element: Element, today: date) -> None:
    """
    Likewise, of an element or an attribute that is called an effective date.
    """
    if _is_effective(element.tag):
        refuse_later(name_of(element), text_of(element) or element.get("value", ""), today)
    refuse_later_attributes(element.items(), today)


def refuse_later_attributes(attributes: Iterable[tuple[str, str]], today: date) -> None:
    """
    Likewise, of attributes.
    """
    for name, text in attributes:
        if _is_effective(name):
            refuse_later(name, text, today)


@lru_cache(maxsize=1024)
def _is_effective(name: str) -> bool:
    return "effectivedate" in name.rpartition("}")[2].lower()


def _refuse(element: Element, what: str) -> NoReturn:
    msg = f"{name_of(element)} {what}"
    raise RecordError(msg)


# Elements of ITTData in the spellings that were seen: where each goes, and how it is read.
_SEEN: Mapping[str, tuple[str, Reader]] = {
    "Description": ("name", plain),
    "RegularSellPrice": ("price", price),
    "MerchandiseCode": ("category", plain),
    "ActiveFlag": ("active", flag),
    "ActiveFlg": ("active", flag),
    "DiscountableFlg": ("discountable", flag),
    "FoodStampableFlg": ("food_stamp", flag),
    "InventoryValuePrice": ("cost", amount),
    "ItemID": ("item_id", plain),
    "LinkCode": ("linked", link),
    "PaymentSystemsProductCode": ("product_code", plain),
    "PriceMethodCode": ("price_method", plain),
    "PriceRequiredFlag": ("price_required", flag),
    "PriceRequiredFlg": ("price_required", flag),
    "PricingGroup": ("pricing_group", plain),
    "QuantityAllowedFlg": ("quantity_allowed", flag),
    "QuantityRequiredFlg": ("quantity_required", flag),
    "ReceiptDescription": ("receipt_description", plain),
    "SalesRestrictCode": ("restrict", plain),
    "SellingUnits": ("units", amount),
    "TaxStrategyID": ("tax", plain),
    "TaxStrategyId": ("tax", plain),
}
# Likewise, of SalesRestriction.
_SEEN_RESTRICTIONS: Mapping[str, tuple[str, Reader]] = {
    "MinimumCustomerAge": ("min_age", age),
    "ProhibitDiscountFlag": ("prohibit_discount", flag),
}


# The attribute that says what the text does, or beside it.
_ATTRIBUTES: Mapping[Reader, str] = {flag: "value", link: "type"}


class Field(NamedTuple):
    """
    Where the value of an element goes, how it is read, and from which attribute.
    """

    key: str
    read: Reader
    attribute: str | None


# By tag, where the value of an element goes, how its text and attributes are read, and the
# attribute that counts.
Values = Mapping[str, tuple[str, Callable[..., Any], str | None]]
# Nearly every item has its own; all others repeat from item to item.
_OWN = {"name", "price", "item_id", "receipt_description", "linked"}


def values_of(fields: Mapping[str, Field], dialect: Dialect) -> Values:
    """
    How *fields* are read in a dialect.
    """
    values = {field: _value_of(field, dialect) for field in {*fields.values()}}

    return {tag: (it.key, values[it], it.attribute) for tag, it in fields.items()}


def _value_of(field: Field, dialect: Dialect) -> Callable[..., Any]:
    key, read, attribute = field

    def value(text: str | None, *attributes: tuple[str, str]) -> Any:
        if not attributes:
            return read(clean(text or ""), "", dialect)
        # What is remembered is bounded, too.
        refuse_long(attributes)

        return read(clean(text or ""), dict(attributes).get(attribute or "", ""), dialect)

    return value if key in _OWN else lru_cache(maxsize=KNOWN_VALUES)(value)


def _by_tag(seen: Mapping[str, tuple[str, Reader]]) -> dict[str, Field]:
    fields = {name: Field(key, read, _ATTRIBUTES.get(read)) for name, (key, read) in seen.items()}

    return fields | {f"{{{VOCABULARY}}}{name}": field for name, field in fields.items()}


FIELDS = _by_tag(_SEEN)
RESTRICTIONS = _by_tag(_SEEN_RESTRICTIONS)
