"""
The totals of a business date: by register, tender and tax.
"""

from collections.abc import Iterable
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Context, Decimal, Inexact

import attrs

from conexxus_client._receipt._amounts import SUM_DIGITS
from conexxus_client._receipt._receipt_parts import TransactionKind
from conexxus_client.models import Transaction


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
