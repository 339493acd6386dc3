"""
Checks whether the sums of a receipt agree; one that does not leads to a remark, not to a refusal.

Each sum may be off by one minor unit of the currency for each line.
"""

from collections.abc import Iterable, Iterator
from decimal import Context, Decimal
from enum import IntFlag

from conexxus_client import (
    Discount,
    LineKind,
    Tax,
    Transaction,
    TransactionKind,
    TransactionLine,
    currency_decimals,
)


# Enough for a product of two amounts; and not the thread's own, which a host
# application may have made to round, or to trap.
_EXACT = Context(prec=100)

_CENT = Decimal("0.01")

_TAKEN_BACK = (TransactionKind.REFUND, TransactionKind.EXCHANGE)


class Mismatch(IntFlag):
    """
    Which sums of a receipt disagree; each is one remark.
    """

    LINES = 1
    TENDERS = 2
    TAXES = 4
    DISCOUNTS = 8
    KIND = 16


# To make one takes a while, and nearly every sale has none.
NO_MISMATCH = Mismatch(0)


def mismatches(transaction: Transaction) -> Mismatch:
    """
    What of *transaction* disagrees.
    """
    is_plain = transaction.is_plain
    found = NO_MISMATCH if _adds_up(transaction, is_plain) else Mismatch.LINES

    if not is_plain:
        for mismatch, agrees in _receipt_checks(transaction):
            found |= NO_MISMATCH if agrees else mismatch

    return found


def adds_up(transaction: Transaction) -> bool:
    """
    Do the lines less discounts, with the taxes that are not included and the
    rounding, come to the total?

    Without a breakdown of the tax, prices may contain it or not; nothing says
    which.  If neither agrees, it is a figure to look at, not a fault.
    """
    return _adds_up(transaction, transaction.is_plain)


def _adds_up(transaction: Transaction, is_plain: bool) -> bool:
    discount = transaction.discount if is_plain else _discount(transaction)

    # Less what was paid, to which each line is added.
    short = _EXACT.subtract(0, _EXACT.add(transaction.total, discount or 0))
    for line in transaction.items:
        if line.amount is None:
            short = _EXACT.fma(line.quantity, line.price, short)
        else:
            short = _EXACT.add(short, line.amount)

    if not is_plain:
        if not transaction.is_revenue:
            return True
        short = _EXACT.add(short, transaction.rounding or 0)
        if taxes := transaction.all_taxes:
            added = _sum(tax.amount for tax in taxes if not _is_included(tax, transaction))
            return _is_near(_EXACT.add(short, added), transaction)

    return _is_near(short, transaction) or _is_near(
        _EXACT.add(short, transaction.tax or 0), transaction
    )


def _receipt_checks(sale: Transaction) -> Iterator[tuple[Mismatch, bool]]:
    yield Mismatch.TENDERS, not sale.tenders or _is_near(_unpaid(sale), sale)
    yield Mismatch.TAXES, _taxes_agree(sale)
    yield Mismatch.DISCOUNTS, _agrees(sale.discount, sale.all_discounts, sale)
    yield Mismatch.KIND, _fits_kind(sale)


def _unpaid(sale: Transaction) -> Decimal:
    """
    The total less the tenders, without their change and tips.
    """
    returned = _sum(part or 0 for tender in sale.tenders for part in (tender.change, tender.tip))
    paid = _sum(tender.amount for tender in sale.tenders)

    return _EXACT.subtract(_EXACT.add(sale.total, returned), paid)


def _taxes_agree(sale: Transaction) -> bool:
    """
    Do the taxes come to their sum, and those of the lines to them?
    """
    of_lines = [tax for line in sale.items for tax in line.taxes]
    codes = {tax.code for tax in of_lines} if sale.taxes else set[str]()

    return _agrees(sale.tax, sale.all_taxes, sale) and all(
        _is_near(_EXACT.subtract(_of_code(code, sale.taxes), _of_code(code, of_lines)), sale)
        for code in codes
    )


def _of_code(code: str, taxes: Iterable[Tax]) -> Decimal:
    return _sum(tax.amount for tax in taxes if tax.code == code)


def _agrees(given: Decimal | None, breakdown: Iterable[Tax | Discount], sale: Transaction) -> bool:
    """
    Is the sum that is *given* that of its *breakdown*, if there are both?
    """
    if given is None or not breakdown:
        return True

    return _is_near(_EXACT.subtract(given, _sum(part.amount for part in breakdown)), sale)


def _is_included(tax: Tax, sale: Transaction) -> bool:
    if tax.included is not None:
        return tax.included

    return any(other.included for other in sale.taxes if other.code == tax.code)


def _fits_kind(sale: Transaction) -> bool:
    """
    Do lines and signs fit the kind of receipt that *sale* is said to be?
    """
    lines, kind = sale.items, sale.kind
    if kind in _TAKEN_BACK and any(line.price < 0 for line in lines if _is_goods(line)):
        return False
    if kind is TransactionKind.REFUND:
        return not any(line.quantity > 0 for line in lines if _is_goods(line))
    if kind is TransactionKind.DEPOSIT_RETURN:
        return all(line.kind is LineKind.DEPOSIT and _value(line) <= 0 for line in lines)
    if kind is TransactionKind.PAID_IN:
        return not lines and sale.total >= 0

    return kind is not TransactionKind.PAID_OUT or (not lines and sale.total <= 0)


def _is_goods(line: TransactionLine) -> bool:
    return line.kind is None or line.kind.needs_sku


def _value(line: TransactionLine) -> Decimal:
    return _EXACT.multiply(line.quantity, line.price) if line.amount is None else line.amount


def _discount(sale: Transaction) -> Decimal:
    breakdown = sale.all_discounts
    return _sum(one.amount for one in breakdown) if breakdown else sale.discount or Decimal()


def _is_near(difference: Decimal, sale: Transaction) -> bool:
    unit = _CENT if sale.currency is None else _unit(sale.currency)
    return _EXACT.abs(difference) <= _EXACT.multiply(len(sale.items), unit)


def _unit(currency: str) -> Decimal:
    return Decimal((0, (1,), -currency_decimals(currency)))


def _sum(amounts: Iterable[Decimal | int]) -> Decimal:
    total = Decimal()
    for amount in amounts:
        total = _EXACT.add(total, amount)

    return total
