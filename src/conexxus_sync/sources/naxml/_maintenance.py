"""
`MaintenanceFile`: the records of an `ItemMaintenance` file, in the order of the document.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

import attrs

from ._dialects import CheckDigit, Dialect
from ._fault import Fault, NaxmlError, RecordError
from ._records import Action, BadRecord, Record, RecordReader
from ._values import BLOCK, DETAIL, HEADER, OTHER_BLOCKS, PLACED, VOCABULARY, text_of
from ._xml import MAX_BYTES, Element, Root, XmlStream, name_of, refuse_within


ROOT = "NAXML-MaintenanceRequest"
_ACTIONS = ("TableAction", "RecordAction")
_VERSIONS = ("3.3", "3.4", "3.6")
ROOTS = {
    ROOT: "item maintenance",
    "ACKHEADER": "an acknowledgement of Passport",
    "FileList": "a list of files",
    "NAXML-MovementReport": "the totals of a register",
    "NAXML-POSJournal": "the sales of a register",
    "OCT2000-IMPORT": "another format",
    "PassportDataMaintenance": "an export of Passport",
}
_BLOCKS = {HEADER, BLOCK, *OTHER_BLOCKS}


class TableAction(StrEnum):
    """
    Whether a file is all that there is, or changes of it.
    """

    INITIALIZE = "initialize"
    UPDATE = "update"


@attrs.define(kw_only=True)
class MaintenanceFile:
    """
    A file that is read once; what it says of itself is complete at the end.

    Attributes:
        location: The store whose file it has to be; None: of any.
        check_digit: Whether codes end with their check digit.
        open_price: The price of an item whose price is asked for at the till,
            and which has none; None: such an item is set aside.
        today: A record that takes effect later is set aside.
        store: The StoreLocationID that the file has.
        version: Of the format, as the root says it.
        encoding: As declared.
        mode: `update` where no block says otherwise.
        skipped: How many elements of other blocks were passed over, by name.
    """

    path: Path = attrs.field(converter=Path)
    dialect: Dialect
    today: date
    location: str | None = None
    check_digit: CheckDigit = CheckDigit.AUTO
    open_price: Decimal | None = None
    max_bytes: int = MAX_BYTES
    store: str | None = attrs.field(init=False, default=None)
    version: str | None = attrs.field(init=False, default=None)
    encoding: str | None = attrs.field(init=False, default=None)
    mode: TableAction | None = attrs.field(init=False, default=None)
    skipped: Counter[str] = attrs.field(init=False, factory=Counter)
    _block: Element = attrs.field(init=False, default=None, repr=False)
    _table: str = attrs.field(init=False, default=TableAction.UPDATE.value, repr=False)
    _action: Action | None = attrs.field(init=False, default=None, repr=False)

    def records(self) -> Iterator[Record | BadRecord]:
        """
        What it says of items, one after the other: provisional until the last
        one, since a file that ends too early raises at its end.

        Raises:
            NaxmlError: The file as a whole can't be used.
        """
        reader = RecordReader(
            dialect=self.dialect,
            check_digit=self.check_digit,
            open_price=self.open_price,
            today=self.today,
        )

        with XmlStream.open(self.path, max_bytes=self.max_bytes) as stream:
            check_root(stream.root)
            self.version, self.encoding = stream.root.attributes.get("version"), stream.encoding

            for block, element in stream.elements(PLACED):
                if block is None:
                    self._end(element)
                elif name_of(element) == DETAIL and name_of(block) == BLOCK:
                    yield from self._read(block, element, reader)
                else:
                    self._pass(block, element, reader)

        self.mode = self.mode or TableAction.UPDATE

    def _read(
        self, block: Element, detail: Element, reader: RecordReader
    ) -> Sequence[Record | BadRecord]:
        if block is not self._block:
            self._begin(block)

        records = reader.read(detail, self._action)
        if isinstance(records[0], BadRecord):
            refuse_within(detail, PLACED)

        return records

    def _pass(self, block: Element, element: Element, reader: RecordReader) -> None:
        """
        An element that is no item: an action, or a part of the header or of another block.
        """
        name, home = name_of(element), name_of(block)
        _refuse_unknown(block)
        refuse_within(element, PLACED)

        if home == BLOCK:
            # Between items, a block has nothing; in front of the first one, actions.
            if block is self._block or name not in _ACTIONS:
                _refuse(element, f"the middle of {BLOCK}" if block is self._block else BLOCK)
            if name == "TableAction":
                self._table = element.get("type", "")
            else:
                self._action = _block_action(element, reader)
        elif home == HEADER and name == "StoreLocationID":
            self.store = store_of(element, self.location)
        elif name == OTHER_BLOCKS.get(home):
            self.skipped[name] += 1
        elif name in PLACED:
            _refuse(element, home)

    def _begin(self, block: Element) -> None:
        self._block = block
        self._set_mode(self._table, int(block.sourceline))

    def _end(self, block: Element) -> None:
        _refuse_unknown(block)
        if name_of(block) == BLOCK and block is not self._block:
            self._begin(block)

        self._block, self._table, self._action = None, TableAction.UPDATE.value, None

    def _set_mode(self, mode: str, line: int) -> None:
        if mode not in tuple(TableAction):
            raise NaxmlError(Fault.ACTION, f"the table action {mode!r:.40} is not known", line=line)
        if self.mode not in (None, mode):
            msg = f"one block of items has {self.mode}, and another {mode}"
            raise NaxmlError(Fault.ACTION, msg, line=line)

        self.mode = TableAction(mode)


def check_root(root: Root, expected: str = ROOT, fault: Fault = Fault.NO_MAINTENANCE) -> None:
    """
    Refuse a document that is not *expected*.

    Raises:
        NaxmlError: It is another one, or one of several parts.
    """
    if root.name != expected:
        what = ROOTS.get(root.name, "which no register reads")
        msg = f"its root is {root.name[:60]}, {what}; that of {ROOTS[expected]} is {expected}"
        raise NaxmlError(fault, msg)
    if (namespace := root.namespace) not in ("", VOCABULARY):
        msg = f"the namespace {namespace[:80]} is not known"
        raise NaxmlError(fault, msg)
    if (version := root.attributes.get("version", "")) and not version.startswith(_VERSIONS):
        msg = f"the version {version[:20]} is not known"
        raise NaxmlError(fault, msg)

    pages = {name.lower(): text.strip() for name, text in root.attributes.items()}
    if pages.get("ofpages", "1") != "1":
        msg = f"it is page {pages.get('page', '?')[:10]} of {pages['ofpages'][:10]}"
        raise NaxmlError(Fault.PART, msg)


def store_of(element: Element, location: str | None) -> str | None:
    """
    The store that a header names in its StoreLocationID.

    Raises:
        NaxmlError: It is not *location*.
    """
    line = int(element.sourceline)

    try:
        store = text_of(element)
    except RecordError as exc:
        raise NaxmlError(Fault.LOCATION, str(exc), line=line) from exc
    if location is not None and store not in (None, location):
        msg = f"it is of store {store!r:.40}, not of {location!r}"
        raise NaxmlError(Fault.LOCATION, msg, line=line)

    return store


def _block_action(element: Element, reader: RecordReader) -> Action | None:
    try:
        return reader.action(element)
    except RecordError as exc:
        raise NaxmlError(Fault.ACTION, str(exc), line=int(element.sourceline)) from exc


def _refuse_unknown(block: Element) -> None:
    if name_of(block) not in _BLOCKS:
        _refuse(block, ROOT)


def _refuse(element: Element, where: str) -> NoReturn:
    msg = f"{name_of(element)[:60]} is not known in {where}"
    raise NaxmlError(Fault.UNKNOWN_BLOCK, msg, line=int(element.sourceline))
