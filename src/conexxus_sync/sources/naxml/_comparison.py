"""
Compares a file with a catalogue: matched by SKU, else by canonical code and modifier.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from unicodedata import normalize

import attrs

from conexxus_client import Item

from ._codes import forms_of
from ._maintenance import TableAction
from ._records import Action, BadRecord, Record


class Kind(StrEnum):
    """
    How file and catalogue differ in one item.

    A code that differs does so in zeros in front, the check digit or the
    short form of a UPC-E alone.
    """

    ONLY_IN_FILE = "only_in_file"
    ONLY_IN_CATALOGUE = "only_in_catalogue"
    DELETED = "deleted"
    PRICE = "price"
    NAME = "name"
    CODE = "code"
    AMBIGUOUS = "ambiguous"
    COLLISION = "collision"


@attrs.frozen(kw_only=True)
class Difference:
    """
    One difference.

    Attributes:
        line: Of the record in the file.
        file_sku: None where the item is not in the file.
        catalogue_sku: None where it is not in the catalogue.
        in_file: What differs, as it is there; likewise `in_catalogue`.
    """

    kind: Kind
    name: str | None
    line: int | None = None
    file_sku: str | None = None
    catalogue_sku: str | None = None
    in_file: str | Decimal | None = None
    in_catalogue: str | Decimal | None = None


@attrs.define(kw_only=True)
class _Entry:
    """
    What the records of a file say of one SKU, taken together.
    """

    line: int
    deleted: bool
    canonical: str
    modifier: str
    values: dict[str, Any] = attrs.field(factory=dict)


class Records(Protocol):
    """
    What is compared: a file, or items that came from files.
    """

    @property
    def mode(self) -> TableAction | None: ...

    @property
    def store(self) -> str | None: ...

    def records(self) -> Iterator[Record | BadRecord]: ...


_Key = tuple[str, str]


@attrs.define(kw_only=True)
class Comparison:
    """
    The items of a file, compared with those of a catalogue.

    Codes, names and prices of both are held in memory.

    Attributes:
        differences: Those of the catalogue's items in its order, then those
            of the file alone.
        bad: Records of the file that can't be used.
        file_items: How many items the file has.
        catalogue_items: How many the catalogue has.
        equal: How many are in both, and differ in nothing that is compared.
    """

    file: Records
    differences: list[Difference] = attrs.field(init=False, factory=list)
    bad: list[BadRecord] = attrs.field(init=False, factory=list)
    file_items: int = attrs.field(init=False, default=0)
    catalogue_items: int = attrs.field(init=False, default=0)
    equal: int = attrs.field(init=False, default=0)
    _entries: dict[str, _Entry] = attrs.field(init=False, factory=dict, repr=False)
    _matched: set[str] = attrs.field(init=False, factory=set, repr=False)

    @classmethod
    def of(cls, file: Records, catalogue: Iterable[Item]) -> "Comparison":
        """
        Read both, and compare them.

        Raises:
            NaxmlError: The file can't be used.
        """
        found = cls(file=file)
        found._read()
        found.differences += found._collisions()
        found._match(catalogue)
        found.differences += found._rest()

        return found

    @property
    def counts(self) -> Counter[Kind]:
        """
        How many differences there are of each kind.
        """
        return Counter(dict.fromkeys(Kind, 0) | Counter(it.kind for it in self.differences))

    @property
    def agrees(self) -> bool:
        """
        Is there no difference, and no record that can't be used?
        """
        return not (self.differences or self.bad)

    def _read(self) -> None:
        for it in self.file.records():
            if isinstance(it, BadRecord):
                self.bad.append(it)
            else:
                self._add(it)

        self.file_items = sum(not it.deleted for it in self._entries.values())

    def _add(self, record: Record) -> None:
        naxml, deleted = record.naxml, record.action is Action.DELETE
        entry = self._entries.get(record.sku)

        if entry is None or entry.deleted or deleted:
            entry = self._entries[record.sku] = _Entry(
                line=record.line,
                deleted=deleted,
                canonical=(naxml["gtin14"] or naxml["code"]).lstrip("0"),
                modifier=(naxml["modifier"] or "").lstrip("0"),
            )
        if not deleted:
            entry.values.update(record.values)

    def _collisions(self) -> Iterator[Difference]:
        first: dict[_Key, str] = {}

        for sku, it in self._entries.items():
            other = first.setdefault((it.canonical, it.modifier), sku)
            if other != sku and not it.deleted and not self._entries[other].deleted:
                yield Difference(
                    kind=Kind.COLLISION,
                    name=it.values.get("name"),
                    line=it.line,
                    file_sku=sku,
                    in_file=other,
                )

    def _match(self, catalogue: Iterable[Item]) -> None:
        """
        Equal SKUs first: no other one may take their place.
        """
        others = []

        for item in catalogue:
            self.catalogue_items += 1
            if item.sku in self._entries:
                self._matched.add(item.sku)
                self._note(item, item.sku, [])
            else:
                others.append(attrs.evolve(item, extra={}))

        index = self._index()
        for item in others:
            self._match_code(item, index)

    def _index(self) -> dict[_Key, list[str]]:
        index = defaultdict(list)

        for sku, it in self._entries.items():
            if sku not in self._matched:
                # With its check digit, and without it.
                index[it.canonical, it.modifier].append(sku)
                index[it.canonical[:-1], it.modifier].append(sku)

        return index

    def _match_code(self, item: Item, index: dict[_Key, list[str]]) -> None:
        code, _, modifier = item.sku.partition("/")
        keys = [(form, modifier.lstrip("0")) for form in forms_of(code)]
        found = {sku for key in keys for sku in index.get(key, ())} - self._matched

        if len(found) == 1:
            (sku,) = found
            self._matched.add(sku)
            code_differs = Difference(
                kind=Kind.CODE,
                name=item.name,
                line=self._entries[sku].line,
                file_sku=sku,
                catalogue_sku=item.sku,
                in_file=sku,
                in_catalogue=item.sku,
            )
            self._note(item, sku, [code_differs])
        elif found:
            self._add_alone(item, Kind.AMBIGUOUS, ", ".join(sorted(found)))
        elif self.file.mode is TableAction.INITIALIZE:
            # What changes alone are about is not missing from them.
            self._add_alone(item, Kind.ONLY_IN_CATALOGUE, None)

    def _add_alone(self, item: Item, kind: Kind, in_file: str | None) -> None:
        self.differences.append(
            Difference(
                kind=kind,
                name=item.name,
                catalogue_sku=item.sku,
                in_file=in_file,
                in_catalogue=item.price,
            )
        )

    def _note(self, item: Item, sku: str, found: list[Difference]) -> None:
        """
        Compare what is in both; what the file does not give is not compared.
        """
        entry = self._entries[sku]
        values = entry.values

        def add(kind: Kind, in_file: Any, in_catalogue: Any) -> None:
            found.append(
                Difference(
                    kind=kind,
                    name=item.name,
                    line=entry.line,
                    file_sku=sku,
                    catalogue_sku=item.sku,
                    in_file=in_file,
                    in_catalogue=in_catalogue,
                )
            )

        if entry.deleted:
            add(Kind.DELETED, None, item.price)
        if (price := values.get("price")) is not None and price != item.price:
            add(Kind.PRICE, price, item.price)
        if (name := values.get("name")) is not None and name != normalize("NFC", item.name.strip()):
            add(Kind.NAME, name, item.name)

        self.equal += not found
        self.differences += found

    def _rest(self) -> Iterator[Difference]:
        for sku, it in self._entries.items():
            if sku not in self._matched and not it.deleted:
                yield Difference(
                    kind=Kind.ONLY_IN_FILE,
                    name=it.values.get("name"),
                    line=it.line,
                    file_sku=sku,
                    in_file=it.values.get("price"),
                )
