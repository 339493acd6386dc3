"""
`MaintenanceFile`: the records of an `ItemMaintenance` file, in the order of the document.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import attrs

from ._dialects import CheckDigit, Dialect
from ._fault import Fault, NaxmlError, RecordError
from ._records import Action, BadRecord, Record, RecordReader
from ._values import VOCABULARY, text_of
from ._xml import MAX_BYTES, Element, Root, XmlStream, name_of


ROOT = "NAXML-MaintenanceRequest"
_BLOCK, _DETAIL, _HEADER = "ItemMaintenance", "ITTDetail", "TransmissionHeader"
# What else a file may have; it says nothing of one item.
OTHER_BLOCKS = {
    "MerchandiseCodeMaintenance": "MCTDetail",
    "ItemListMaintenance": "ILTDetail",
    "MixMatchMaintenance": "MMTDetail",
    "ComboMaintenance": "CBTDetail",
    "TaxLevelMaintenance": "TLTDetail",
    "TaxStrategyMaintenance": "TSTDetail",
}
_NAMES = (_HEADER, _BLOCK, _DETAIL, *OTHER_BLOCKS, *OTHER_BLOCKS.values())
# By detail, the block in which it stands.
_HOMES = {_DETAIL: _BLOCK} | {detail: block for block, detail in OTHER_BLOCKS.items()}
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
_KNOWN_CHILDREN = {_HEADER, _BLOCK, *OTHER_BLOCKS}


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

            for element in stream.elements(_NAMES):
                yield from self._element(element, reader)
            _refuse_unknown(stream.tree)

        self.mode = self.mode or TableAction.UPDATE

    def _element(self, element: Element, reader: RecordReader) -> Iterator[Record | BadRecord]:
        name, parent = name_of(element), element.getparent()
        _refuse_misplaced(element, name, parent)

        if name == _DETAIL:
            begins = self._enter(parent, reader)
            _refuse_others(element.getprevious(), may_act=begins)
            yield from reader.read(element, self._action)
        elif name == _BLOCK:
            begins = self._enter(element, reader)
            _refuse_others(element[-1] if len(element) else None, may_act=begins)
            self._block = None
        elif name == _HEADER:
            self.store = store_of(element, self.location) or self.store
        elif name in OTHER_BLOCKS.values():
            self.skipped[name] += 1

        if parent is not None and parent.getparent() is None:
            _refuse_unknown(parent)

    def _enter(self, block: Element, reader: RecordReader) -> bool:
        """
        Read the actions of a block, once: they stand at its beginning.

        Returns:
            Whether the block begins.
        """
        if block is self._block:
            return False

        mode = TableAction.UPDATE.value
        self._block, self._action = block, None
        for child in block:
            if (name := name_of(child)) == "TableAction":
                mode = child.get("type", "")
            elif name == "RecordAction":
                self._action = _block_action(child, reader)

        self._set_mode(mode, int(block.sourceline))

        return True

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


def store_of(header: Element, location: str | None) -> str | None:
    """
    The store that a header names.

    Raises:
        NaxmlError: It is not *location*.
    """
    line = int(header.sourceline)

    try:
        store = text_of(header.find("{*}StoreLocationID"))
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


def _refuse_misplaced(element: Element, name: str, parent: Element | None) -> None:
    """
    Blocks stand in the root, and details in their own block.
    """
    if name in _HOMES:
        is_at_home = parent is not None and name_of(parent) == _HOMES[name]
    else:
        is_at_home = parent is not None and parent.getparent() is None

    if not is_at_home:
        where = "the root" if parent is None else name_of(parent)[:60]
        msg = f"{name} is not known in {where}"
        raise NaxmlError(Fault.UNKNOWN_BLOCK, msg, line=int(element.sourceline))


def _refuse_others(before: Element | None, *, may_act: bool) -> None:
    """
    Between items, a block has nothing; in front of the first one, actions.
    """
    if before is None or name_of(before) == _DETAIL or (may_act and name_of(before) in _ACTIONS):
        return

    msg = f"{name_of(before)[:60]} is not known in the middle of {_BLOCK}"
    raise NaxmlError(Fault.UNKNOWN_BLOCK, msg, line=int(before.sourceline))


def _refuse_unknown(root: Element) -> None:
    for child in root:
        if (name := name_of(child)) not in _KNOWN_CHILDREN:
            msg = f"{name[:60]} is not known in {ROOT}"
            raise NaxmlError(Fault.UNKNOWN_BLOCK, msg, line=int(child.sourceline))
