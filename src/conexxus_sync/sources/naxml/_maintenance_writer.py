"""
Writes a catalogue as a file of `ItemMaintenance` that its dialect reads as the same catalogue.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import attrs
from lxml import etree

from conexxus_client import Item
from conexxus_sync.model.formatting import counted

from ._dialects import CheckDigit, Dialect
from ._fault import Fault, NaxmlError, RecordError
from ._item_elements import ItemElements
from ._maintenance import ROOT, TableAction
from ._records import Action, RecordReader
from ._values import VOCABULARY
from ._xml import Element


@attrs.frozen(kw_only=True)
class Unwritable:
    """
    An item or a sale that no file of a dialect can say, and why.

    Attributes:
        id: The SKU of an item, the id of a sale.
    """

    id: str
    reason: str


@attrs.define(kw_only=True)
class MaintenanceWriter:
    """
    Writes one file; each element is read again before it counts.

    Attributes:
        table: `initialize` for all that there is, `update` for changes.
        store: The StoreLocationID of the header; None: no header.
        check_digit: Whether codes end with their check digit.
        without: Names of what an item has and the file may lack: `description`, or keys of
            `extra`; an item that has something else that no element holds is refused.
        unwritable: Items that were refused.
        count: How many were written.
    """

    dialect: Dialect
    table: TableAction = TableAction.INITIALIZE
    store: str | None = None
    check_digit: CheckDigit = CheckDigit.AUTO
    without: Collection[str] = ()
    unwritable: list[Unwritable] = attrs.field(init=False, factory=list)
    count: int = attrs.field(init=False, default=0)

    def write(self, path: Path, items: Iterable[Item], *, deleted: Iterable[Item] = ()) -> None:
        """
        Write *path*, which appears when it is complete, or not at all.

        Raises:
            NaxmlError: Items were refused: see `unwritable`; or the file can't be written.
        """
        self.unwritable, self.count = [], 0
        write_whole(path, self.chunks(items, deleted), self.unwritable)

    def chunks(self, items: Iterable[Item], deleted: Iterable[Item] = ()) -> Iterator[bytes]:
        """
        The bytes of the file, an element at a time; items that are refused are left out.
        """
        elements = ItemElements(
            reader=RecordReader(
                dialect=self.dialect,
                check_digit=self.check_digit,
                open_price=None,
                today=date.max,
            ),
            without=self.without,
        )

        head = (
            f"{head_of(self.dialect, ROOT, self.store)}<ItemMaintenance>\n"
            f'<TableAction type="{self.table}"/>\n<RecordAction type="addchange"/>\n'
        )
        yield head.encode(self.dialect.encoding, "xmlcharrefreplace")
        for action, them in ((Action.DELETE, deleted), (Action.ADDCHANGE, items)):
            for item in them:
                try:
                    detail = elements.detail(item, action)
                except RecordError as exc:
                    self.unwritable.append(Unwritable(id=item.sku, reason=str(exc)))
                    continue
                self.count += 1
                yield bytes_of(detail, self.dialect.encoding)
        yield f"</ItemMaintenance>\n</{ROOT}>\n".encode(self.dialect.encoding)


def write_whole(path: Path, chunks: Iterable[bytes], refused: Sequence[Unwritable]) -> None:
    """
    Write a file that appears when it is complete.

    Args:
        refused: What *chunks* left out; if there is something, no file appears.

    Raises:
        NaxmlError: Something was refused, or the file can't be written.
    """
    partial = path.with_name(f"{path.name}.partial")

    try:
        with partial.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        if refused:
            msg = f"{counted(len(refused), 'record')} can't be written; nothing was"
            raise NaxmlError(Fault.UNWRITABLE, msg)
        partial.replace(path)
    except OSError as exc:
        msg = f"it can't be written: {exc.strerror}"
        raise NaxmlError(Fault.UNWRITABLE, msg, file=path.name) from exc
    finally:
        partial.unlink(missing_ok=True)


def head_of(dialect: Dialect, root: str, store: str | None) -> str:
    """
    How a file begins: its declaration, its root and its header.
    """
    namespace = f' xmlns="{VOCABULARY}"' if dialect.vocabulary else ""
    header = ""
    if store is not None:
        header = (
            f"<TransmissionHeader><StoreLocationID>{escape(store)}</StoreLocationID>"
            "</TransmissionHeader>\n"
        )

    return (
        f'<?xml version="1.0" encoding="{dialect.encoding.upper()}"?>\n'
        f'<{root} version="{dialect.version}"{namespace}>\n{header}'
    )


def bytes_of(element: Element, encoding: str) -> bytes:
    """
    An element in a line of its own; characters that *encoding* lacks become references.
    """
    text: bytes = etree.tostring(element, encoding=encoding, xml_declaration=False)

    return text + b"\n"
