"""
`FileStream`: the items of one file, complete, as the pull takes them.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import islice
from os import stat_result
from pathlib import Path

import attrs

from conexxus_client import CatalogWindow, InvalidItem, Item, encode_extra
from conexxus_sync.errors import SyncError
from conexxus_sync.model.catalogue import SourceFile

from ._fault import RecordError
from ._folder_address import FolderAddress
from ._inbox import digest_of
from ._maintenance import MaintenanceFile, TableAction
from ._records import Action, BadRecord, Record


UNUSABLE = "NAXML record can't be used"
_WINDOW = 256

_Element = Item | InvalidItem


@attrs.define(kw_only=True)
class FileStream:
    """
    Reads a file twice: at first for what it is, and whether it is whole; then
    for its items.

    Records of one item are taken together, in the order of the document. What
    a record of changes does not give, the item has from the mirror.

    Attributes:
        known_item: What the mirror has under a SKU; None if it is not there.
        deleted: What the file takes away, after the last window.
        total: How many items and unusable records there are, at most.
    """

    address: FolderAddress
    path: Path
    location: str
    today: date
    known_item: Callable[[str], Item | None]
    deleted: list[str] = attrs.field(init=False, factory=list)
    not_modified: bool = attrs.field(init=False, default=False)
    etag: str | None = attrs.field(init=False, default=None)
    total: int | None = attrs.field(init=False, default=None)
    page: int = attrs.field(init=False, default=1)
    digest: bytes = attrs.field(init=False)
    _stat: stat_result = attrs.field(init=False, repr=False)
    _is_complete: bool = attrs.field(init=False, default=False)
    _repeated: set[str] = attrs.field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        """
        Raises:
            NaxmlError: The file can't be used.
        """
        self._stat, self.digest = self.path.stat(), digest_of(self.path)
        read, seen, unnamed = self._opened(), set[str](), 0

        for it in read.records():
            if it.sku is None:
                unnamed += 1
            elif it.sku in seen:
                self._repeated.add(it.sku)
            else:
                seen.add(it.sku)

        self.total = len(seen) + unnamed
        self._is_complete = read.mode is TableAction.INITIALIZE

    def file(self, remaining: int) -> SourceFile:
        """
        Which file it is.

        Args:
            remaining: How many files come after it.
        """
        return SourceFile(
            name=self.path.name,
            digest=self.digest,
            size=self._stat.st_size,
            modified=self._stat.st_mtime_ns,
            is_complete=self._is_complete,
            remaining=remaining,
        )

    def windows(self) -> Iterator[CatalogWindow]:
        """
        The items, as they are once the file is applied, and what can't be used.

        Raises:
            SyncError: The file was written meanwhile; it is read again.
        """
        elements = self._elements()

        while found := list(islice(elements, _WINDOW)):
            yield CatalogWindow(digest=b"", count=len(found), unusual=found)

        if digest_of(self.path) != self.digest:
            msg = f"{self.path.name} was written while it was read: nothing of it was applied"
            raise SyncError(msg)

    def _opened(self) -> MaintenanceFile:
        return MaintenanceFile(
            path=self.path,
            dialect=self.address.dialect,
            location=self.location,
            check_digit=self.address.check_digit,
            open_price=self.address.open_price,
            today=self.today,
        )

    def _elements(self) -> Iterator[_Element]:
        # Of items that have several records, what comes of those so far.
        folded: dict[str, Item | None] = {}

        for it in self._opened().records():
            after = self._after(it, folded)

            if isinstance(after, InvalidItem):
                yield after
                # Where what comes after a deletion can't be used, the item stays.
                if after.sku in folded and folded[after.sku] is None:
                    del folded[after.sku]
            elif isinstance(it, Record) and it.sku in self._repeated:
                folded[it.sku] = after
            elif after is None:
                self.deleted.append(str(it.sku))
            else:
                yield after

        self.deleted.extend(sku for sku, item in folded.items() if item is None)
        yield from filter(None, folded.values())

    def _after(
        self, record: Record | BadRecord, folded: Mapping[str, Item | None]
    ) -> _Element | None:
        """
        The item after a record, or why it can't be used; None if it is deleted.
        """
        if isinstance(record, BadRecord):
            said: dict[str, object] = {"naxml": record.raw.decode()}
            return unusable(record.sku, record.reason, record.line, said)

        try:
            if record.sku in folded:
                return _applied(record, folded[record.sku])
            # Of all that there is, none adds to what was before.
            return _applied(record, None if self._is_complete else self.known_item(record.sku))
        except RecordError as exc:
            said = {**record.values, "naxml": {**record.naxml}}
            return unusable(record.sku, str(exc), record.line, said)


def _applied(record: Record, before: Item | None) -> Item | None:
    """
    Raises:
        RecordError: The record can't be used with what was before.
    """
    if record.action is Action.DELETE:
        return None
    if record.action is Action.CREATE and before is not None:
        msg = "it creates an item that is there already"
        raise RecordError(msg)

    return record.item(before)


def unusable(sku: str | None, reason: str, line: int, said: dict[str, object]) -> InvalidItem:
    """
    An element for the quarantine.

    Where no SKU says which one it is, neither does its line: removals wait until
    such elements are the same in two files.
    """
    named = {} if sku is None else {"sku": sku}

    return InvalidItem(
        raw=encode_extra({**named, **said}).encode(),
        reason=UNUSABLE,
        sku=sku,
        detail=reason if sku is None else f"line {line}: {reason}",
    )
