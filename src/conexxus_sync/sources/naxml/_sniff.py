"""
Proposes the dialect of a file, and says why; what a store reads is its configuration's matter.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import attrs

from ._dialects import DIALECTS
from ._fault import RecordError
from ._maintenance import check_root
from ._values import DETAIL, HEADER, age, text_of
from ._xml import Element, Root, XmlStream, name_of


# So many elements show how a file is written.
LOOKED_AT = 1000

_VERIFONE = "urn:vfi-sapphire:"
_RADIANT = "http://www.radiantsystems.com/"
_PADDED = 14


@attrs.define(kw_only=True)
class Sniffed:
    """
    What the beginning of a file shows.

    Attributes:
        dialect: The one that is proposed.
        reasons: Why, one sentence each; none for `generic`.
        store: The StoreLocationID of its header.
        header: The names of what its header has.
        forms: How often codes have a format and a length, like `upca, 12 digits`.
        ages: How often MinimumCustomerAge has a text.
        age_problem: Why records with one would be set aside in the dialect that is proposed;
            None: they would not.
        items: How many were looked at.
    """

    version: str | None
    encoding: str
    dialect: str = "generic"
    reasons: list[str] = attrs.field(factory=list)
    store: str | None = None
    header: list[str] = attrs.field(factory=list)
    forms: Counter[str] = attrs.field(factory=Counter)
    ages: Counter[str] = attrs.field(factory=Counter)
    age_problem: str | None = None
    items: int = 0
    _traits: Counter[str] = attrs.field(init=False, factory=Counter, repr=False)

    def _look(self, block: str, element: Element) -> None:
        if block == HEADER:
            self.header += map(name_of, element.iter())
            if name_of(element) == "StoreLocationID":
                self.store = _text(element) or self.store
        elif name_of(element) == DETAIL:
            self._look_at_item(element)

    def _look_at_item(self, element: Element) -> None:
        self.items += 1
        code, form = (
            element.find("{*}ItemCode/{*}POSCode"),
            element.find("{*}ItemCode/{*}POSCodeFormat"),
        )
        digits = _text(code)
        kind = None if form is None else form.get("format", "").lower()
        self.forms[f"{kind or 'no format'}, {len(digits)} digits"] += 1
        self._traits["plu of 14"] += kind == "plu" and len(digits) == _PADDED
        self._traits["empty format"] += kind == ""
        if years := _text(element.find("{*}ITTData/{*}SalesRestriction/{*}MinimumCustomerAge")):
            self.ages[years] += 1
        modifier = element.find("{*}ItemCode/{*}POSCodeModifier")
        self._traits["modifier as value"] += modifier is not None and bool(modifier.get("value"))

    def _propose(self, root: Root) -> None:
        for dialect, reason in self._evidence(root):
            if self.dialect in ("generic", dialect):
                self.dialect = dialect
                self.reasons.append(reason)

        try:
            for text in self.ages:
                age(text, "", DIALECTS[self.dialect])
        except RecordError as exc:
            self.age_problem = f"MinimumCustomerAge {exc}"

    def _evidence(self, root: Root) -> Iterator[tuple[str, str]]:
        """
        The strongest first.
        """
        traits = self._traits

        if any(it.startswith(_RADIANT) for it in root.namespaces):
            yield "radiant", "it declares the extension namespace of Radiant"
        if any(it.startswith(_VERIFONE) for it in root.namespaces):
            yield "verifone", "it declares an extension namespace of Verifone"
        if traits["plu of 14"]:
            yield "verifone", "codes of 14 digits have the format PLU"
        if "countryCode" in self.header or "currencyCode" in self.header:
            yield "petrosoft", "its header has a country or a currency"
        if traits["empty format"]:
            yield "petrosoft", "codes have an empty format"
        if traits["modifier as value"]:
            yield "pdi", "modifiers are in an attribute"
        if not root.namespace:
            yield "passport", "it has no namespace"


def _text(element: Element | None) -> str:
    """
    A text; empty where there is none that a reader would take.
    """
    try:
        return text_of(element) or ""
    except RecordError:
        return ""


def sniff(path: Path) -> Sniffed:
    """
    Look at the first items of a file.

    Raises:
        NaxmlError: It is no maintenance of items, or is not well-formed so far.
    """
    with XmlStream.open(path) as stream:
        check_root(stream.root)
        found = Sniffed(version=stream.root.attributes.get("version"), encoding=stream.encoding)

        for block, element in islice(stream.elements((HEADER, DETAIL)), LOOKED_AT):
            if block is not None:
                found._look(name_of(block), element)

        found._propose(stream.root)

    return found
