"""
Elements of items: what `ITTDetail` of a dialect says of one item.

It is the way back of `_records`: what that would read otherwise is refused by name.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import attrs
from lxml import etree

from conexxus_client import Item

from ._codes import canonical_gtin
from ._dialects import Dialect
from ._fault import RecordError
from ._records import ATTRIBUTES, OTHER, Action, BadRecord, RecordReader
from ._values import FIELDS, RESTRICTIONS, Field, age, flag, link
from ._xml import Element


# In the order of programs that write them; of several spellings, the first that was seen.
DATA = (
    *("ActiveFlag", "InventoryValuePrice", "MerchandiseCode", "RegularSellPrice", "Description"),
    *("ItemID", "LinkCode", "PaymentSystemsProductCode", "SalesRestrictCode"),
    *("SalesRestriction", "SellingUnits"),
    *("TaxStrategyID", "PriceRequiredFlag", "PriceMethodCode", "ReceiptDescription"),
    *("PricingGroup", "FoodStampableFlg", "DiscountableFlg", "QuantityAllowedFlg"),
    "QuantityRequiredFlg",
)
_RESTRICTION, _RESTRICTIONS = "SalesRestriction", ("MinimumCustomerAge", "ProhibitDiscountFlag")
_SPELLINGS = {it.lower(): it for it in ("upcA", "upcE", "PLU", "ean8", "ean13", "gtin", "upc")}
# By length, the formats that a code without one may have; six digits may be a PLU or a UPC-E.
_FORMATS = {7: ("upce",), 8: ("ean8", "upce"), 11: ("upca",), 14: ("gtin",)}
_FORMATS |= dict.fromkeys(range(1, 6), ("plu",)) | {12: ("upca", "ean13"), 13: ("ean13",)}
# Keys of an ItemCode.
_CODE = ("code", "format", "gtin14", "modifier", "pack", "inventory_id", "main_code")
_EXTENSION = "{http://www.radiantsystems.com/NAXML-Extension}ITTDetailExtension"


@attrs.define(kw_only=True)
class ItemElements:
    """
    Turns items into `ITTDetail` elements.

    Attributes:
        reader: Reads each element again, as the store's settings say.
        without: Names of what an item has and its element may lack: `description`, or keys of
            `extra`.
    """

    reader: RecordReader
    without: Collection[str] = ()

    def detail(self, item: Item, action: Action = Action.ADDCHANGE) -> Element:
        """
        All of *item*; of one that is deleted, its code.

        Raises:
            RecordError: It has something that a reader of the dialect would not find again.
        """
        naxml = self._naxml(item)
        longest = self.reader.dialect.longest_name
        if longest is not None and len(item.name) > longest:
            msg = f"its name has more than {longest} characters"
            raise RecordError(msg)

        try:
            detail = self._written(item, naxml, action)
        except RecordError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            # A value that no file has; lxml raises for what is no XML.
            raise RecordError(f"it can't be written: {exc}"[:200]) from exc
        self._refuse_changed(detail, item, naxml, action)

        return detail

    def _written(self, item: Item, naxml: Mapping[str, Any], action: Action) -> Element:
        detail = etree.Element("ITTDetail")
        etree.SubElement(detail, "RecordAction", type=action)
        self._add_code(detail, item.sku, naxml)

        if action is not Action.DELETE:
            given = {**naxml, "name": item.name, "price": item.price, "category": item.category}
            _add_data(detail, given, self.reader.dialect)

        return detail

    def _naxml(self, item: Item) -> Mapping[str, Any]:
        lost = [key for key in item.extra if key not in ("naxml", *self.without)]
        if item.description is not None and "description" not in self.without:
            lost.append("description")
        if lost:
            msg = f"no element holds {', '.join(sorted(lost))[:200]}"
            raise RecordError(msg)
        naxml = item.extra.get("naxml", {})
        if not isinstance(naxml, Mapping):
            msg = "its naxml is no mapping"
            raise RecordError(msg)

        return naxml

    def _add_code(self, detail: Element, sku: str, naxml: Mapping[str, Any]) -> None:
        dialect = self.reader.dialect
        code, _, modifier = sku.partition("/")
        kind = naxml.get("format") if naxml else self._format_of(code)
        if naxml:
            code, modifier = naxml.get("code", ""), naxml.get("modifier", "")
        element = etree.SubElement(detail, "ItemCode")

        if (main := naxml.get("main_code")) is not None:
            etree.SubElement(element, "POSCodeFormat", format="PLU")
            etree.SubElement(element, "POSCode").text = str(main)
            element = etree.SubElement(etree.SubElement(detail, _EXTENSION), "ItemCode")
        if kind is not None or dialect.empty_format:
            spelling = _SPELLINGS.get(str(kind), str(kind or ""))
            etree.SubElement(element, "POSCodeFormat", format=spelling)
        etree.SubElement(element, "POSCode").text = code
        pack = naxml.get("pack")
        if modifier or pack:
            named = etree.SubElement(element, "POSCodeModifier", {"name": pack} if pack else {})
            if dialect.modifier_in_value:
                named.set("value", modifier)
            else:
                named.text = modifier
        if inventory := naxml.get("inventory_id"):
            etree.SubElement(element, "InventoryItemID").text = inventory
        for key, tree in naxml.items():
            if key.startswith("code:"):
                _add_trees(element, key.removeprefix("code:"), [tree])

    def _format_of(self, code: str) -> str:
        """
        The format of a code that says none.

        Raises:
            RecordError: It has no reading, or more than one.
        """
        reading = self._reading(code, "")

        for kind in _FORMATS.get(len(code), ()):
            with suppress(RecordError):
                if self._reading(code, kind) == reading:
                    return kind

        msg = f"the code {code} has no format that is the only one possible"
        raise RecordError(msg)

    def _reading(self, code: str, kind: str) -> str | None:
        reader = self.reader

        return canonical_gtin(code, kind, reader.check_digit, padded_plu=reader.dialect.padded_plu)

    def _refuse_changed(
        self, detail: Element, item: Item, naxml: Mapping[str, Any], action: Action
    ) -> None:
        """
        Read it again; the item has to be the same.
        """
        reader = self.reader
        if naxml.get("open_price"):
            # What the setting of the store says.
            reader = attrs.evolve(reader, open_price=item.price)
        text = etree.tostring(detail, encoding="utf-8")
        record, *others = reader.read(etree.fromstring(text), None)
        if isinstance(record, BadRecord):
            raise RecordError(record.reason)
        if others:
            msg = "it would be read as several items"
            raise RecordError(msg)

        found = {"sku": record.sku} if action is Action.DELETE else _flat(record.item())
        expected = {"sku": item.sku} if action is Action.DELETE else _flat(item)
        if not naxml:
            found = {key: value for key, value in found.items() if not key.startswith("naxml.")}
        for key in {**expected, **found}:
            if (was := expected.get(key)) != (now := found.get(key)):
                msg = f"{key} is {was!r:.60}, and would be read as {now!r:.60}"
                raise RecordError(msg)


def _flat(item: Item) -> dict[str, Any]:
    flat: dict[str, Any] = {"sku": item.sku, "name": item.name, "category": item.category}
    # With its digits.
    flat["price"] = f"{item.price:f}"
    naxml = item.extra.get("naxml", {})

    return flat | {f"naxml.{key}": value for key, value in naxml.items() if value is not None}


def _add_data(detail: Element, given: dict[str, Any], dialect: Dialect) -> None:
    for key in (*_CODE, *(it for it in given if it.startswith("code:"))):
        given.pop(key, None)
    if given.pop("open_price", None):
        given["price"] = ""
    data = etree.SubElement(detail, "ITTData")

    for name in DATA:
        if name == _RESTRICTION:
            _add_restriction(data, given, dialect)
        else:
            _add_value(data, name, FIELDS[name], given, dialect)
    # A record does not say where they stand; extensions are beside the data.
    for key in sorted((it for it in given if it.startswith(OTHER)), key=_is_extension):
        parent = detail if _is_extension(key) else data
        _add_trees(parent, key.removeprefix(OTHER), given.pop(key))

    if given:
        msg = f"no element holds naxml.{', naxml.'.join(given)}"
        raise RecordError(msg[:200])


def _is_extension(key: str) -> bool:
    return key.lower().endswith("extension")


def _add_restriction(data: Element, given: dict[str, Any], dialect: Dialect) -> None:
    parent = etree.Element(_RESTRICTION)

    for name in _RESTRICTIONS:
        _add_value(parent, name, RESTRICTIONS[name], given, dialect)
    prefix = f"{OTHER}{_RESTRICTION}:"
    for key in [it for it in given if it.startswith(prefix)]:
        _add_trees(parent, key.removeprefix(prefix), given.pop(key))

    if len(parent):
        data.append(parent)


def _add_value(
    parent: Element, name: str, field: Field, given: dict[str, Any], dialect: Dialect
) -> None:
    if (value := given.pop(field.key, None)) is None:
        return

    beside = given.pop(f"{ATTRIBUTES}{field.key}", {})
    element = etree.SubElement(parent, name, beside)
    if field.read is flag:
        element.set("value", "yes" if value else "no")
    elif field.read is link:
        element.set("type", value["type"])
        element.text = value["code"]
    elif field.read is age and isinstance(dialect.ages, Mapping):
        element.text = _code_of_age(value, dialect.ages, dialect.name)
    else:
        element.text = value if isinstance(value, str) else f"{Decimal(value):f}"


def _code_of_age(years: object, ages: Mapping[str, int], dialect: str) -> str:
    for code, age_of_code in ages.items():
        if age_of_code == years:
            return code

    msg = f"MinimumCustomerAge {years} has no code in the dialect {dialect}"
    raise RecordError(msg)


def _add_trees(parent: Element, name: str, trees: Iterable[Mapping[str, Any]]) -> None:
    for tree in trees:
        element = parent.find(name) if name == _EXTENSION else None
        if element is None:
            element = etree.SubElement(parent, name)
        for key, value in tree.items():
            if key.startswith("@"):
                element.set(key.removeprefix("@"), value)
            elif key == "#text":
                element.text = value
            else:
                _add_trees(element, key, value)
