"""
Events of a `POSJournal`: the sale that one element says.

Only what is named here is taken: customers, accounts and authorizations are in no value.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

import attrs
from stdnum.luhn import is_valid as is_luhn

from conexxus_client import (
    Discount,
    LineKind,
    Tax,
    Tender,
    Transaction,
    TransactionKind,
    TransactionLine,
)

from ._dialects import Dialect
from ._fault import RecordError
from ._values import NUMBER, flag, text_of
from ._xml import Element, name_of


KINDS = {"SaleEvent": TransactionKind.SALE, "RefundEvent": TransactionKind.REFUND}
# They are counted, and are no sales.
OTHERS = ("VoidEvent", "OtherEvent", "FinancialEvent")
CANCELLED = ("cancel", "void", "voided")
_COUNTED = ("", "normal", "refund")
_PREPAY = "FuelPrepayLine"
_SOLD = {
    "ItemLine": LineKind.ITEM,
    "MerchandiseCodeLine": LineKind.CUSTOM,
    "FuelLine": LineKind.FUEL,
}
_IN_A_LINE = (*_SOLD, _PREPAY, "TransactionTax", "TenderInfo")

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(?:[\d:.]*)(?:Z|[-+]\d\d:\d\d)?)?", re.ASCII).fullmatch
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", re.ASCII)
_HIDDEN = "[number removed]"


@attrs.frozen(kw_only=True)
class Event:
    """
    One event of a journal.

    Attributes:
        line: Where its element begins.
        name: Of the element, or why it is no sale: `training`, `suspended`, `fuel prepay`.
        number: What finds it at the till, as far as it can be read.
        business_date: None if it can't be read.
        sale: None if it is no sale, or can't be used.
        reason: Why it can't be used.
    """

    line: int
    name: str
    number: str
    business_date: date | None
    sale: Transaction | None = None
    reason: str | None = None


@attrs.define(kw_only=True)
class EventReader:
    """
    Turns the elements of events into sales, in the order of the journal.

    Attributes:
        timezone: Of times without an offset; an hour that comes twice is distinguished by the
            order of the events of a register.
        store: The StoreLocationID of the journal.
    """

    dialect: Dialect
    timezone: tzinfo
    store: str = ""
    _last: dict[str, datetime] = attrs.field(init=False, factory=dict, repr=False)

    def read(self, element: Element) -> Event:
        """
        What *element* is; an unknown one, or one that can't be read, has a reason.
        """
        name, line = name_of(element), int(element.sourceline)
        number, day = _number(element), None

        try:
            day = business_date_of(element)
            if name not in KINDS and name not in OTHERS:
                msg = f"the event {name[:60]} is not known"
                raise RecordError(msg)
            sale = None if (other := self._excluded(element, name)) else self._sale(element, day)
        except (RecordError, ValueError, TypeError) as exc:
            reason = without_cards(f"{name[:60]}: {exc}")
            return Event(line=line, name=name, number=number, business_date=day, reason=reason)

        return Event(line=line, name=other or name, number=number, business_date=day, sale=sale)

    def _excluded(self, element: Element, name: str) -> str | None:
        """
        Why it is no sale; None if it is one.
        """
        if name in OTHERS:
            return name
        if self._flag(element, "TrainingModeFlag"):
            return "training"
        if self._flag(element, "SuspendFlag"):
            return "suspended"

        sold = [it for it in _lines(element) if name_of(it) in (*_SOLD, _PREPAY)]
        prepaid = [it for it in sold if name_of(it) == _PREPAY]
        if prepaid and len(prepaid) < len(sold):
            msg = "it has a prepayment of fuel and sales: what of it is revenue is not known"
            raise RecordError(msg)

        # The completion is the sale.
        return "fuel prepay" if prepaid else None

    def _flag(self, element: Element, name: str) -> bool:
        if (found := element.find(f"{{*}}{name}")) is None:
            return False
        if (said := flag(text_of(found) or "", found.get("value", ""), self.dialect)) is None:
            msg = f"{name} says neither yes nor no"
            raise RecordError(msg)

        return said

    def _sale(self, element: Element, day: date | None) -> Transaction:
        if day is None:
            msg = "BusinessDate is missing"
            raise RecordError(msg)
        register = _text(element, "RegisterID")
        number = _text(element, "TransactionID")
        if number is None:
            msg = "TransactionID is missing"
            raise RecordError(msg)
        parts = (self.store, register, str(day), number, _text(element, "EventSequenceID"))
        lines = list(_lines(element))

        return Transaction(
            id="/".join(filter(None, parts)),
            timestamp=self._moment(element, register or ""),
            total=_total(element),
            items=[_line(it) for it in lines if name_of(it) in _SOLD],
            business_date=day,
            register=register,
            kind=KINDS[name_of(element)],
            tenders=self._tenders(it for it in lines if name_of(it) == "TenderInfo"),
            taxes=_taxes(it for it in lines if name_of(it) == "TransactionTax"),
        )

    def _tenders(self, elements: Iterable[Element]) -> list[Tender]:
        """
        What was handed over, with the change that was returned of it.
        """
        tenders: list[Tender] = []

        for it in elements:
            code, amount = _text(it, "{*}Tender/{*}TenderCode"), _amount(it, "TenderAmount")
            if code is None or amount is None:
                msg = "TenderCode or TenderAmount is missing"
                raise RecordError(msg)
            if sub := _text(it, "{*}Tender/{*}TenderSubCode"):
                code = f"{code}/{sub}"
            last = tenders[-1] if tenders else None
            is_change = self._flag(it, "ChangeFlag")
            if is_change and amount < 0 and last is not None and last.change is None:
                tenders[-1] = attrs.evolve(last, change=-amount)
            else:
                tenders.append(Tender(type=without_cards(code), amount=amount))

        return tenders

    def _moment(self, element: Element, register: str) -> datetime:
        """
        When it ended.
        """
        for name in ("EventEnd", "Receipt", "EventStart"):
            day, clock = _text(element, f"{name}Date"), _text(element, f"{name}Time")
            if day is None or clock is None:
                continue
            found = datetime.combine(_date(day, f"{name}Date"), _time(clock, f"{name}Time"))
            if found.tzinfo is None:
                found = found.replace(tzinfo=self.timezone)
                again = found.replace(fold=1)
                last = self._last.get(register)
                # Moments: clock times of one zone are compared without the hour that comes twice.
                if last is not None and found.astimezone(UTC) < last <= again.astimezone(UTC):
                    found = again
            self._last[register] = found.astimezone(UTC)
            return found

        msg = "it has no date and time"
        raise RecordError(msg)


def business_date_of(element: Element, name: str = "BusinessDate") -> date | None:
    """
    The date that the till says; None if it says none.

    Raises:
        RecordError: It is no date.
    """
    text = _text(element, name)

    return None if text is None else _date(text, name)


def without_cards(text: str) -> str:
    """
    A text without what may be the number of a card.
    """
    return _CARD.sub(lambda it: _HIDDEN if is_luhn(re.sub("[ -]", "", it[0])) else it[0], text)


def _number(element: Element) -> str:
    """
    What finds an event at the till, whatever is wrong with it.
    """
    names = ("RegisterID", "TransactionID", "EventSequenceID")
    texts = ((element.findtext(f"{{*}}{name}") or "").strip() for name in names)

    return without_cards("/".join(it[:40] for it in texts if it.isprintable() and it))


def _lines(element: Element) -> Iterator[Element]:
    """
    The lines that count: those of a cancelled one do not.

    Raises:
        RecordError: There is something that is no line, or in a line that is not known.
    """
    for group in element.iterchildren("{*}TransactionDetailGroup"):
        for line in group:
            if name_of(line) != "TransactionLine":
                msg = f"{name_of(line)[:60]} is not known in TransactionDetailGroup"
                raise RecordError(msg)
            if (status := line.get("status", "").strip().lower()) in CANCELLED:
                continue
            if status not in _COUNTED:
                msg = f"the status {status!r:.40} of a line is not known"
                raise RecordError(msg)
            for part in line:
                if (name := name_of(part)) in _IN_A_LINE:
                    yield part
                elif name not in ("TransactionLineSequenceNumber", "Extension", "extension"):
                    msg = f"{name[:60]} is not known in a line"
                    raise RecordError(msg)


def _line(element: Element) -> TransactionLine:
    kind = _SOLD[name_of(element)]
    sku = _sku(element, kind)
    if sku is None:
        # Of an open department.
        kind, sku = LineKind.CUSTOM, _text(element, "MerchandiseCode")
    amount, quantity = _amount(element, "SalesAmount"), _amount(element, "SalesQuantity")
    price = _amount(element, "ActualSalesPrice")
    if amount is None:
        msg = "SalesAmount of a line is missing"
        raise RecordError(msg)
    if quantity is None:
        quantity = Decimal(1).copy_sign(amount)
    if price is None and abs(quantity) == 1:
        price = abs(amount)
    if price is None:
        msg = "ActualSalesPrice of a line is missing"
        raise RecordError(msg)
    unit = element.find("{*}SalesQuantity")
    name = _text(element, "Description")

    return TransactionLine(
        sku=sku,
        quantity=int(quantity) if quantity == quantity.to_integral_value() else quantity,
        price=price,
        amount=amount,
        name=None if name is None else without_cards(name),
        category=_text(element, "MerchandiseCode"),
        unit=None if unit is None else unit.get("uom") or None,
        kind=kind,
        discounts=list(_discounts(element)),
    )


def _sku(element: Element, kind: LineKind) -> str | None:
    if kind is LineKind.FUEL:
        if (grade := _text(element, "FuelGradeID")) is None:
            msg = "FuelGradeID is missing"
            raise RecordError(msg)
        return grade
    if kind is LineKind.CUSTOM or (code := element.find("{*}ItemCode")) is None:
        return None

    text = _text(code, "POSCode")
    found = code.find("{*}POSCodeModifier")
    modifier = "" if found is None else text_of(found) or found.get("value", "").strip()

    return f"{text}/{modifier}" if text and modifier.strip("0") else text


def _discounts(element: Element) -> Iterator[Discount]:
    for name in ("Promotion", "Discount"):
        for found in element.iterchildren(f"{{*}}{name}"):
            if (amount := _amount(found, f"{name}Amount")) is None:
                msg = f"{name}Amount is missing"
                raise RecordError(msg)
            yield Discount(amount=amount, code=_text(found, "PromotionID"))


def _taxes(elements: Iterable[Element]) -> list[Tax]:
    """
    Of each level the sum of all lines: what was collected, less what was given back.
    """
    levels: dict[str, list[Element]] = {}
    for it in elements:
        levels.setdefault(_text(it, "TaxLevelID") or "0", []).append(it)

    return [
        Tax(
            code=level,
            amount=Decimal() if collected is None else collected,
            taxable=_sum(them, "TaxableSalesAmount", "TaxableSalesRefundedAmount"),
        )
        for level, them in levels.items()
        for collected in (_sum(them, "TaxCollectedAmount", "TaxRefundedAmount"),)
    ]


def _sum(elements: Sequence[Element], plus: str, minus: str) -> Decimal | None:
    """
    What was collected, less what was given back; None if there is neither.
    """
    collected = [_amount(it, plus) for it in elements]
    refunded = [_amount(it, minus) for it in elements]
    found = [it for it in collected if it is not None]
    found += [-it for it in refunded if it is not None]

    return sum(found, Decimal()) if found else None


def _total(element: Element) -> Decimal:
    path = "{*}TransactionSummary/{*}TransactionTotalGrandAmount"
    total, found = _amount(element, path), element.find(path)
    if total is None:
        msg = "TransactionTotalGrandAmount is missing"
        raise RecordError(msg)
    if (direction := found.get("direction", "").strip().lower()) == "refunded":
        return -abs(total)
    if direction not in ("", "collected"):
        msg = f"TransactionTotalGrandAmount has a direction that is not known: {direction[:40]!r}"
        raise RecordError(msg)

    return total


def _text(element: Element, name: str) -> str | None:
    return text_of(element.find(name if name.startswith("{") else f"{{*}}{name}"))


def _amount(element: Element, name: str) -> Decimal | None:
    """
    An amount as it is, with its digits.
    """
    if (text := _text(element, name)) is None:
        return None
    if NUMBER(text) is None:
        msg = f"{name.rpartition('}')[2]} is no plain number: {text[:40]!r}"
        raise RecordError(msg)

    return Decimal(text)


def _date(text: str, name: str) -> date:
    """
    A date, with or without a time behind it, of which nothing is taken.
    """
    with suppress(ValueError):
        if (found := _DATE(text)) is not None:
            return date.fromisoformat(found[1])

    msg = f"{name} is no date: {text[:40]!r}"
    raise RecordError(msg)


def _time(text: str, name: str) -> time:
    with suppress(ValueError):
        return time.fromisoformat(text)

    msg = f"{name} is no time: {text[:40]!r}"
    raise RecordError(msg)
