"""
Records of `ItemMaintenance`: what one element says of one item.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, NamedTuple

import attrs
from lxml import etree

from conexxus_client import Item

from ._codes import canonical_gtin
from ._dialects import CheckDigit, Dialect
from ._fault import RecordError
from ._values import (
    FIELDS,
    HAS_ELEMENTS,
    RESTRICTIONS,
    Values,
    known_name,
    only_once,
    refuse_later,
    refuse_later_attributes,
    text_of,
    tree_of,
    values_of,
)
from ._xml import Element, local_name


MAX_RAW = 64 * 1024
KNOWN_ACTIONS = 16

_ITEM_FIELDS = ("name", "price", "category")
# Keys of what has no name of its own: `other:ItemType`, `attributes:price`.
OTHER, ATTRIBUTES = "other:", "attributes:"


class Action(StrEnum):
    """
    What a record does with its item.
    """

    ADDCHANGE = "addchange"
    CREATE = "create"
    DELETE = "delete"


_ACTIONS: Mapping[str | None, Action] = {str(it): it for it in Action}


@attrs.frozen(kw_only=True)
class Record:
    """
    What a file says of one item.

    Attributes:
        line: Where its element begins.
        values: Name, price and category, as far as they are given; None
            where the file takes one away.
        naxml: Likewise, all that has no field of an item.
    """

    action: Action
    sku: str
    line: int
    values: Mapping[str, Any]
    naxml: Mapping[str, Any]

    def item(self, before: Item | None = None) -> Item:
        """
        The item, with what *before* has of what is not given.

        Raises:
            RecordError: It has no name or no price.
        """
        values, naxml = self.values, self.naxml
        if before is not None:
            values = {name: getattr(before, name) for name in _ITEM_FIELDS} | {**values}
            naxml = {**_still_valid(before, self), **naxml}

        for name, element in (("name", "Description"), ("price", "RegularSellPrice")):
            if values.get(name) is None:
                msg = f"{element} is missing or empty"
                raise RecordError(msg)

        return Item(
            sku=self.sku,
            name=values["name"],
            price=values["price"],
            category=values.get("category"),
            extra={"naxml": {key: value for key, value in naxml.items() if value is not None}},
        )


def _still_valid(before: Item, record: Record) -> dict[str, Any]:
    """
    What *before* has, without the attributes of elements that *record* has anew.
    """
    anew = {f"{ATTRIBUTES}{key}" for key in (*record.values, *record.naxml)}
    naxml: Mapping[str, Any] = before.extra.get("naxml", {})

    return {key: value for key, value in naxml.items() if key not in anew}


@attrs.frozen(kw_only=True)
class BadRecord:
    """
    An element that can't be used, and why.

    Attributes:
        sku: None if not even that can be read.
        raw: Its XML; of a large one, the beginning.
    """

    line: int
    sku: str | None
    reason: str
    raw: bytes = attrs.field(repr=False)


class _Code(NamedTuple):
    """
    Under which SKU an item is sold, and what its ItemCode says.
    """

    sku: str
    naxml: dict[str, Any]


@attrs.define(kw_only=True)
class RecordReader:
    """
    Turns `ITTDetail` elements into records.

    Attributes:
        open_price: The price of an item that has none and asks for it at the
            till; None: such an item is set aside.
        today: A record that takes effect later is set aside.
    """

    dialect: Dialect
    check_digit: CheckDigit
    open_price: Decimal | None
    today: date
    _data: Values = attrs.field(init=False, repr=False)
    _restriction: Values = attrs.field(init=False, repr=False)
    _todo: Callable[..., Action] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._data = values_of(FIELDS, self.dialect)
        self._restriction = values_of(RESTRICTIONS, self.dialect)
        self._todo = lru_cache(maxsize=KNOWN_ACTIONS)(partial(_action_of, self.today))

    def read(self, detail: Element, action: Action | None) -> Sequence[Record | BadRecord]:
        """
        The records of one element: several, where it has several bar codes.

        Args:
            action: That of its block, which its own one overrides.
        """
        line, sku = int(detail.sourceline), None

        try:
            parts = only_once(detail)
            todo = self.action(parts.pop("RecordAction", None)) or action or Action.ADDCHANGE
            code = self._code(parts.pop("ItemCode", None))
            sku = code.sku
            codes = self._scanned(parts, todo, code) if self.dialect.scans_extension else [code]
            values, naxml = self._given(parts)

            return [
                Record(action=todo, sku=it, line=line, values=values, naxml=said | naxml)
                for it, said in codes
            ]
        except RecordError as exc:
            raw = etree.tostring(detail, encoding="utf-8", with_tail=False)[:MAX_RAW]
            return [BadRecord(line=line, sku=sku, reason=str(exc), raw=raw)]

    def action(self, element: Element | None) -> Action | None:
        """
        What a RecordAction says; None if there is none.

        Raises:
            RecordError: It is unknown, or of a later date.
        """
        return None if element is None else self._todo(len(element), *element.items())

    def _code(self, element: Element | None) -> _Code:
        """
        Raises:
            RecordError: There is no code, or none that can be read.
        """
        if element is None:
            msg = "ItemCode is missing"
            raise RecordError(msg)

        parts = only_once(element)
        text = text_of(parts.pop("POSCode", None))
        if not text:
            msg = "POSCode is missing"
            raise RecordError(msg)
        form = parts.pop("POSCodeFormat", None)
        if form is not None and len(form):
            msg = f"POSCodeFormat {HAS_ELEMENTS}"
            raise RecordError(msg)
        kind = "" if form is None else form.get("format", "").strip().lower()
        naxml: dict[str, Any] = {"code": text, "format": kind or None}
        naxml["gtin14"] = canonical_gtin(
            text, kind, self.check_digit, padded_plu=self.dialect.padded_plu
        )

        modifier = self._add_modifier(parts.pop("POSCodeModifier", None), naxml)
        naxml["inventory_id"] = text_of(parts.pop("InventoryItemID", None)) or None
        for name, unknown in parts.items():
            naxml[f"code:{name}"] = tree_of(unknown, self.today)

        return _Code(sku=f"{text}/{modifier}" if modifier else text, naxml=naxml)

    def _add_modifier(self, element: Element | None, naxml: dict[str, Any]) -> str:
        """
        What distinguishes packs of one code; empty if nothing does.
        """
        text = "" if element is None else text_of(element) or element.get("value", "").strip()
        naxml["modifier"] = text or None
        naxml["pack"] = None if element is None else element.get("name") or None

        return text if text.strip("0") else ""

    def _scanned(self, parts: Mapping[str, Element], todo: Action, main: _Code) -> list[_Code]:
        """
        The bar codes of an extension; where there are none, the number of the
        store is the code.
        """
        found = [
            self._code(it)
            for part in parts.values()
            for extension in part.iter("{*}ITTDetailExtension")
            for it in extension.iterchildren("{*}ItemCode")
        ]
        if not found and todo == Action.DELETE:
            msg = "it deletes an item, and names no bar code of it"
            raise RecordError(msg)

        return [
            it._replace(naxml={**it.naxml, "main_code": main.naxml["code"]}) for it in found
        ] or [main]

    def _given(self, parts: dict[str, Element]) -> tuple[dict[str, Any], dict[str, Any]]:
        """
        Fields of an item, and all else.
        """
        given: dict[str, Any] = {}
        rest = self._read_fields(parts.pop("ITTData", ()), self._data, given)

        for restriction in rest.pop("SalesRestriction", ()):
            for name, others in self._read_fields(restriction, self._restriction, given).items():
                rest.setdefault(f"SalesRestriction:{name}", []).extend(others)
        for name, part in parts.items():
            rest.setdefault(name, []).append(part)

        for name, others in rest.items():
            given[f"{OTHER}{name}"] = [tree_of(it, self.today) for it in others]
        if self.dialect.scans_extension:
            _drop_codes(given)
        self._complete_price(given)
        values = {name: given.pop(name) for name in _ITEM_FIELDS if name in given}

        return values, given

    def _read_fields(
        self, elements: Iterable[Element], values: Values, given: dict[str, Any]
    ) -> dict[str, list[Element]]:
        """
        Add to *given* what is known.

        Returns:
            The other elements, by name.
        """
        rest: dict[str, list[Element]] = {}
        keeps_empty = self.dialect.empty_keeps

        for it in elements:
            if (known := values.get(it.tag)) is None:
                rest.setdefault(known_name(it), []).append(it)
                continue
            key, value, attribute = known

            try:
                if len(it):
                    raise RecordError(HAS_ELEMENTS)
                attributes = it.items()
                found = value(it.text, *attributes) if attributes else value(it.text)
                if key in given:
                    msg = "is there twice"
                    raise RecordError(msg)
            except RecordError as exc:
                msg = f"{known_name(it)} {exc}"
                raise RecordError(msg) from exc

            if found is not None or not keeps_empty:
                given[key] = found
            if attributes and attribute is None:
                refuse_later_attributes(attributes, self.today)
                given[f"{ATTRIBUTES}{key}"] = dict(attributes)

        return rest

    def _complete_price(self, given: dict[str, Any]) -> None:
        """
        The price of an item without one, whose price is asked for at the till.
        """
        if "price" not in given:
            return
        if given["price"] is not None or not given.get("price_required"):
            given["open_price"] = None
            return
        if self.open_price is None:
            msg = "RegularSellPrice is empty: its price is open"
            raise RecordError(msg)

        given["price"], given["open_price"] = self.open_price, True


def _drop_codes(given: dict[str, Any]) -> None:
    """
    Take bar codes out of extensions: each has a record of its own.
    """
    for key in [it for it in given if it.endswith("}ITTDetailExtension")]:
        trees = given.pop(key)
        codes = [name for tree in trees for name in tree if local_name(name) == "ItemCode"]
        trees = [{name: it for name, it in tree.items() if name not in codes} for tree in trees]
        if any(trees):
            given[key] = trees


def _action_of(today: date, elements: int, *attributes: tuple[str, str]) -> Action:
    given = dict(attributes)

    if elements:
        msg = f"RecordAction {HAS_ELEMENTS}"
        raise RecordError(msg)
    for name, text in given.items():
        if "date" in name.lower():
            refuse_later(name, text, today)
        elif name not in ("type", "confirm"):
            msg = f"RecordAction has an attribute that is not known: {name[:40]}"
            raise RecordError(msg)

    if (todo := _ACTIONS.get(given.get("type"))) is None:
        msg = f"the action {given.get('type')!r:.40} is not known"
        raise RecordError(msg)

    return todo
