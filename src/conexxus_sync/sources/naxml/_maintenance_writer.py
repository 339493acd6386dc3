"""
Writes a catalogue as a file of `ItemMaintenance` that its dialect reads as the same catalogue.
"""

import os
from collections.abc import Collection, Iterable, Iterator
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
    An item that no file of a dialect can say, and why.
    """

    sku: str
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
        partial = path.with_name(f"{path.name}.partial")
        self.unwritable, self.count = [], 0

        try:
            with partial.open("wb") as file:
                file.writelines(self.chunks(items, deleted))
                file.flush()
                os.fsync(file.fileno())
            if self.unwritable:
                msg = f"{counted(len(self.unwritable), 'item')} can't be written; nothing was"
                raise NaxmlError(Fault.UNWRITABLE, msg)
            partial.replace(path)
        except OSError as exc:
            raise NaxmlError(Fault.UNWRITABLE, f"it can't be written: {exc.strerror}") from exc
        finally:
            partial.unlink(missing_ok=True)

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

        yield self._head().encode(self.dialect.encoding, "xmlcharrefreplace")
        for action, them in ((Action.DELETE, deleted), (Action.ADDCHANGE, items)):
            for item in them:
                try:
                    detail = elements.detail(item, action)
                except RecordError as exc:
                    self.unwritable.append(Unwritable(sku=item.sku, reason=str(exc)))
                    continue
                self.count += 1
                yield _bytes(detail, self.dialect.encoding)
        yield f"</ItemMaintenance>\n</{ROOT}>\n".encode(self.dialect.encoding)

    def _head(self) -> str:
        dialect = self.dialect
        namespace = f' xmlns="{VOCABULARY}"' if dialect.vocabulary else ""
        header = ""
        if self.store is not None:
            store = escape(self.store)
            header = (
                f"<TransmissionHeader><StoreLocationID>{store}</StoreLocationID>"
                "</TransmissionHeader>\n"
            )

        return (
            f'<?xml version="1.0" encoding="{dialect.encoding.upper()}"?>\n'
            f'<{ROOT} version="{dialect.version}"{namespace}>\n{header}<ItemMaintenance>\n'
            f'<TableAction type="{self.table}"/>\n<RecordAction type="addchange"/>\n'
        )


def _bytes(detail: Element, encoding: str) -> bytes:
    # Characters that the encoding lacks become references.
    text: bytes = etree.tostring(detail, encoding=encoding, xml_declaration=False)

    return text + b"\n"
