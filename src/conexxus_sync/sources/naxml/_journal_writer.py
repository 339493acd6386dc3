"""
Writes sales as a `POSJournal` that is read as the same sales.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path

import attrs
from lxml import etree

from conexxus_client import LineKind, Tender, Transaction, TransactionKind, TransactionLine

from ._dialects import Dialect
from ._events import KINDS, EventReader
from ._fault import RecordError
from ._journal import JOURNAL
from ._maintenance_writer import Unwritable, bytes_of, head_of, write_whole
from ._xml import Element


_NAMES = {kind: name for name, kind in KINDS.items()}
_LINES = {
    LineKind.ITEM: "ItemLine",
    LineKind.CUSTOM: "MerchandiseCodeLine",
    LineKind.FUEL: "FuelLine",
}
# The id last: it is made of others.
_FIELDS = sorted((it.name for it in attrs.fields(Transaction)), key="id".__eq__)


@attrs.define(kw_only=True)
class JournalWriter:
    """
    Writes one file; each event is read again before it counts.

    The id of a sale is the TransactionID, unless a journal gave it.

    Attributes:
        timezone: Of the store.
        store: The StoreLocationID.
        unwritable: Sales that were refused.
        count: How many were written.
    """

    dialect: Dialect
    timezone: tzinfo
    store: str
    unwritable: list[Unwritable] = attrs.field(init=False, factory=list)
    count: int = attrs.field(init=False, default=0)

    def write(self, path: Path, sales: Iterable[Transaction]) -> None:
        """
        Write *path*, which appears when it is complete, or not at all.

        Raises:
            NaxmlError: Sales were refused: see `unwritable`; or the file can't be written.
        """
        self.unwritable, self.count = [], 0
        write_whole(path, self.chunks(sales), self.unwritable)

    def chunks(self, sales: Iterable[Transaction]) -> Iterator[bytes]:
        """
        The bytes of the file, an event at a time; sales that are refused are left out.
        """
        encoding = self.dialect.encoding
        head = f"{head_of(self.dialect, JOURNAL, self.store)}<JournalReport>\n"
        yield head.encode(encoding, "xmlcharrefreplace")

        for sale in sales:
            try:
                event = self._event(sale)
            except (RecordError, ValueError, TypeError) as exc:
                self.unwritable.append(Unwritable(id=sale.id, reason=str(exc)[:200]))
                continue
            self.count += 1
            yield bytes_of(event, encoding)
        yield f"</JournalReport>\n</{JOURNAL}>\n".encode(encoding)

    def _event(self, sale: Transaction) -> Element:
        """
        All of *sale*.

        Raises:
            RecordError: It has something that a reader would not find again.
        """
        kind = sale.kind or TransactionKind.SALE
        if kind not in _NAMES:
            msg = f"no event is {kind}"
            raise RecordError(msg)
        prefix = "/".join(filter(None, (self.store, sale.register, str(sale.business_date))))
        number, _, sequence = sale.id.removeprefix(f"{prefix}/").partition("/")
        event = etree.Element(_NAMES[kind])
        _add(event, "EventSequenceID", sequence)
        _add(event, "RegisterID", sale.register)
        _add(event, "TransactionID", number)
        moment = sale.timestamp.astimezone(self.timezone)
        # A time of an hour that comes twice has its offset.
        is_clear = moment.utcoffset() == moment.replace(fold=1 - moment.fold).utcoffset()
        offset = "" if is_clear else moment.isoformat()[-6:]
        _add(event, "EventEndDate", str(moment.date()))
        _add(event, "EventEndTime", f"{moment.time().isoformat()}{offset}")
        _add(event, "BusinessDate", str(sale.business_date))
        self._add_lines(event, sale)
        summary = etree.SubElement(event, "TransactionSummary")
        total = _add(summary, "TransactionTotalGrandAmount", sale.total)
        total.set("direction", "Refunded" if sale.total < 0 else "Collected")
        expected = attrs.evolve(
            sale, kind=kind, id=f"{prefix}/{number}{'/' if sequence else ''}{sequence}"
        )
        self._refuse_changed(event, expected)

        return event

    def _add_lines(self, event: Element, sale: Transaction) -> None:
        group = etree.SubElement(event, "TransactionDetailGroup")

        for line in sale.items:
            _add_line(_line_of(group), line)
        for tax in sale.taxes:
            element = etree.SubElement(_line_of(group), "TransactionTax")
            _add(element, "TaxLevelID", tax.code)
            _add(element, "TaxableSalesAmount", tax.taxable)
            _add(element, "TaxCollectedAmount", tax.amount)
        for tender in sale.tenders:
            _add_tender(group, tender)

    def _refuse_changed(self, event: Element, expected: Transaction) -> None:
        reader = EventReader(dialect=self.dialect, timezone=self.timezone, store=self.store)
        found = reader.read(etree.fromstring(etree.tostring(event, encoding="utf-8")))
        if (sale := found.sale) is None:
            raise RecordError(found.reason or f"it would be read as {found.name}")

        # In UTC: a time that comes twice equals none of another zone.
        expected = attrs.evolve(
            expected,
            items=map(_complete, expected.items),
            timestamp=expected.timestamp.astimezone(UTC),
        )
        sale = attrs.evolve(sale, timestamp=sale.timestamp.astimezone(UTC))
        for name in _FIELDS:
            was, now = getattr(expected, name), getattr(sale, name)
            if was != now:
                msg = f"{name} is {was!r:.60}, and would be read as {now!r:.60}"
                raise RecordError(msg)


def _complete(line: TransactionLine) -> TransactionLine:
    """
    A line with what every line of a journal has.
    """
    return attrs.evolve(
        line,
        kind=line.kind or LineKind.ITEM,
        amount=line.quantity * line.price if line.amount is None else line.amount,
    )


def _line_of(group: Element) -> Element:
    line = etree.SubElement(group, "TransactionLine", status="normal")
    _add(line, "TransactionLineSequenceNumber", str(len(group)))

    return line


def _add_line(parent: Element, line: TransactionLine) -> None:
    line = _complete(line)
    if line.kind not in _LINES:
        msg = f"no line is {line.kind}"
        raise RecordError(msg)
    element = etree.SubElement(parent, _LINES[line.kind])

    if line.kind is LineKind.FUEL:
        _add(element, "FuelGradeID", line.sku)
    elif line.kind is LineKind.ITEM:
        code, _, modifier = (line.sku or "").partition("/")
        codes = etree.SubElement(element, "ItemCode")
        _add(codes, "POSCode", code)
        _add(codes, "POSCodeModifier", modifier)
    _add(element, "Description", line.name)
    _add(element, "ActualSalesPrice", line.price)
    _add(element, "MerchandiseCode", line.category)
    # As it is read: 2, not 2.000.
    whole = int(line.quantity)
    quantity = _add(element, "SalesQuantity", whole if whole == line.quantity else line.quantity)
    if line.unit is not None:
        quantity.set("uom", line.unit)
    _add(element, "SalesAmount", line.amount)
    for discount in line.discounts:
        name = "Discount" if discount.code is None else "Promotion"
        found = etree.SubElement(element, name)
        _add(found, "PromotionID", discount.code)
        _add(found, f"{name}Amount", discount.amount)


def _add_tender(group: Element, tender: Tender) -> None:
    changes = [] if tender.change is None else [(-tender.change, "yes")]

    for amount, is_change in [(tender.amount, "no"), *changes]:
        info = etree.SubElement(_line_of(group), "TenderInfo")
        code, _, sub = tender.type.partition("/")
        kind = etree.SubElement(info, "Tender")
        _add(kind, "TenderCode", code)
        _add(kind, "TenderSubCode", sub)
        _add(info, "TenderAmount", amount)
        etree.SubElement(info, "ChangeFlag", value=is_change)


def _add(parent: Element, name: str, value: str | Decimal | int | None) -> Element:
    """
    Add an element, unless there is no value.
    """
    if value is None or value == "":
        return None
    element = etree.SubElement(parent, name)
    element.text = value if isinstance(value, str) else f"{Decimal(value):f}"

    return element
