"""
The totals of a business date: by register, tender and tax; and as JSON.
"""

from collections.abc import Iterable
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Context, Decimal, Inexact
from typing import Any

import attrs

from conexxus_client._receipt._amounts import SUM_DIGITS, amount_of
from conexxus_client._receipt._receipt_parts import TransactionKind
from conexxus_client.errors import DecodeError
from conexxus_client.models import Transaction

from ._fields import Fields


_EXACT = Context(prec=SUM_DIGITS, traps=[Inexact])
_ZERO = Decimal()


@attrs.frozen(kw_only=True)
class CountedTotal:
    """
    How many transactions there are, and what they come to.
    """

    count: int = 0
    total: Decimal = _ZERO

    def plus(self, amount: Decimal) -> "CountedTotal":
        """
        With one more, of this *amount*.
        """
        return CountedTotal(count=self.count + 1, total=_EXACT.add(self.total, amount))


@attrs.frozen(kw_only=True)
class TaxTotal:
    """
    What the taxes of one code come to.

    Attributes:
        taxable: The amount that is taxed, as far as it is given.
    """

    taxable: Decimal | None = None
    amount: Decimal = _ZERO


@attrs.frozen(kw_only=True)
class BookedTransaction:
    """
    One transaction in the books of a date.
    """

    id: str
    total: Decimal


@attrs.frozen(kw_only=True)
class DayTotals:
    """
    What a business date comes to.

    Transactions without a register, a tender or a tax code are in `sales`
    alone.  What was paid in and out is no revenue: it has totals of its own,
    and is in no other.

    Attributes:
        sales: All of them.
        registers: By register.
        tenders: By type, the change taken off and the tips included.
        taxes: By code.
        paid_in: What was put into the drawers; None if a back office does not
            give it.
        paid_out: What was taken out of them, likewise; negative.
        transactions: Each in the books, in any order; one that is doubled
            twice.  None if a back office does not list them.
    """

    date: Date
    location_id: str
    sales: CountedTotal
    registers: dict[str, CountedTotal] = attrs.field(factory=dict)
    tenders: dict[str, Decimal] = attrs.field(factory=dict)
    taxes: dict[str, TaxTotal] = attrs.field(factory=dict)
    paid_in: CountedTotal | None = None
    paid_out: CountedTotal | None = None
    transactions: tuple[BookedTransaction, ...] | None = None

    @classmethod
    def of(
        cls, transactions: Iterable[Transaction], *, date: Date, location_id: str
    ) -> "DayTotals":
        """
        Add up *transactions* exactly, one after the other.
        """
        adding = _Adding()

        for transaction in transactions:
            adding.add(transaction)

        return cls(
            date=date,
            location_id=location_id,
            sales=adding.sales,
            registers=adding.registers,
            tenders=adding.tenders,
            taxes=adding.taxes,
            paid_in=adding.paid[TransactionKind.PAID_IN],
            paid_out=adding.paid[TransactionKind.PAID_OUT],
            transactions=tuple(adding.transactions),
        )


class _Adding:
    """
    The sums so far.
    """

    def __init__(self) -> None:
        self.sales = CountedTotal()
        self.registers: dict[str, CountedTotal] = {}
        self.tenders: dict[str, Decimal] = {}
        self.taxes: dict[str, TaxTotal] = {}
        self.paid = dict.fromkeys(
            (TransactionKind.PAID_IN, TransactionKind.PAID_OUT), CountedTotal()
        )
        self.transactions: list[BookedTransaction] = []

    def add(self, sale: Transaction) -> None:
        self.transactions.append(BookedTransaction(id=sale.id, total=sale.total))

        if sale.kind is not None and sale.kind.moves_money_only:
            self.paid[sale.kind] = self.paid[sale.kind].plus(sale.total)
            return
        self.sales = self.sales.plus(sale.total)
        if sale.register is not None:
            so_far = self.registers.get(sale.register, CountedTotal())
            self.registers[sale.register] = so_far.plus(sale.total)
        for tender in sale.tenders:
            kept = _EXACT.subtract(tender.amount, tender.change or _ZERO)
            self.tenders[tender.type] = _EXACT.add(self.tenders.get(tender.type, _ZERO), kept)
        for tax in sale.all_taxes:
            self._add_tax(tax.code, tax.taxable, tax.amount)

    def _add_tax(self, code: str, taxable: Decimal | None, amount: Decimal) -> None:
        so_far = self.taxes.get(code, TaxTotal())
        base = so_far.taxable if taxable is None else _EXACT.add(so_far.taxable or _ZERO, taxable)
        self.taxes[code] = TaxTotal(taxable=base, amount=_EXACT.add(so_far.amount, amount))


def totals_document(totals: DayTotals) -> dict[str, Any]:
    """
    What *totals* say, by wire key.
    """
    paid = {"paidIn": totals.paid_in, "paidOut": totals.paid_out}
    booked = totals.transactions

    return {
        "date": totals.date.isoformat(),
        "locationId": totals.location_id,
        **_counted(totals.sales),
        "tenders": [{"type": type_, "amount": sum_} for type_, sum_ in totals.tenders.items()],
        "taxes": [{"code": code, **_tax(tax)} for code, tax in totals.taxes.items()],
        "registers": [
            {"register": register, **_counted(one)} for register, one in totals.registers.items()
        ],
        **{key: _counted(one) for key, one in paid.items() if one is not None and one.count},
        **(
            {}
            if booked is None
            else {"transactions": [{"id": one.id, "total": one.total} for one in booked]}
        ),
    }


def decode_day_totals(value: Any) -> DayTotals:
    """
    Read the totals of a date.

    Raises:
        DecodeError: Naming what is wrong, and where.
    """
    fields = Fields(value, "$.data")
    day = fields.day("date")

    if day is None:
        raise DecodeError("$.data.date must be a date like 2026-01-02")

    return DayTotals(
        date=day,
        location_id=fields.text("locationId"),
        sales=_read_counted(fields),
        registers=fields.named("registers", "register", _read_counted),
        tenders=fields.named("tenders", "type", lambda it: _amount(it, "amount")),
        taxes=fields.named("taxes", "code", _read_tax),
        paid_in=fields.part("paidIn", _read_counted),
        paid_out=fields.part("paidOut", _read_counted),
        transactions=_read_booked(fields),
    )


def _counted(one: CountedTotal) -> dict[str, Any]:
    return {"count": one.count, "total": one.total}


def _tax(tax: TaxTotal) -> dict[str, Any]:
    taxable = {} if tax.taxable is None else {"taxable": tax.taxable}

    return {**taxable, "amount": tax.amount}


def _read_counted(fields: Fields) -> CountedTotal:
    return CountedTotal(count=fields.count("count"), total=_amount(fields, "total"))


def _read_tax(fields: Fields) -> TaxTotal:
    return TaxTotal(
        taxable=_amount(fields, "taxable") if fields.has("taxable") else None,
        amount=_amount(fields, "amount"),
    )


def _read_booked(fields: Fields) -> tuple[BookedTransaction, ...] | None:
    if not fields.has("transactions"):
        return None

    return tuple(
        fields.each(
            "transactions",
            lambda it: BookedTransaction(id=it.text("id"), total=_amount(it, "total")),
        )
    )


def _amount(fields: Fields, key: str) -> Any:
    return fields.build(amount_of, value=fields.amount(key))
