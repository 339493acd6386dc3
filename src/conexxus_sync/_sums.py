"""
Sums of money, exactly.
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext

from conexxus_client import Transaction


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """
    Sum up without rounding; a context's 28 digits are fewer than an amount's.
    """
    with localcontext(prec=100):
        return sum(amounts, Decimal())


def mismatched(transactions: Iterable[Transaction]) -> int:
    """
    Count those whose lines don't add up to their total.

    Lines less discount plus tax may differ by one cent a line.  It is a
    figure to look at, not a fault: a tax-free line sum is normal.
    """
    return sum(not _adds_up(transaction) for transaction in transactions)


def _adds_up(transaction: Transaction) -> bool:
    with localcontext(prec=100):
        lines = sum(
            (
                line.quantity * line.price if line.amount is None else line.amount
                for line in transaction.items
            ),
            Decimal(),
        )
        owed = lines - (transaction.discount or 0) + (transaction.tax or 0)
        return abs(owed - transaction.total) <= len(transaction.items) * Decimal("0.01")
