"""
The table of a reconciled business date, in words: for terminal, page and daily report.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from .date_reconciliation import ReconciledAmount
from .text_folding import table


HEADINGS = ("", "till", "sent", "accepted", "set aside", "back office", "difference", "")


def reconciled_table(rows: Iterable[ReconciledAmount], *, width: int | None) -> list[str]:
    """
    Lines of at most *width*, with the headings.
    """
    return table(HEADINGS, [reconciled_cells(row) for row in rows], width=width)


def reconciled_cells(row: ReconciledAmount) -> tuple[str, ...]:
    """
    What stands below the headings; nothing where a side is not known.
    """
    figures = (row.till, row.sent, row.accepted, row.set_aside, row.back_office, row.difference)

    return (row.title, *map(_shown, figures), "" if row.agrees else "differs")


def gravest_rows(rows: Sequence[ReconciledAmount], limit: int) -> tuple[ReconciledAmount, ...]:
    """
    At most *limit* of them, in their order: those that differ before those that agree.
    """
    numbers = sorted(range(len(rows)), key=lambda number: rows[number].agrees)[:limit]

    return tuple(rows[number] for number in sorted(numbers))


def _shown(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,f}"
