"""
The books as receipts that a person can read.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from conexxus_client.models import Transaction, TransactionLine

from ._ledger import Entry, Ledger
from ._sales_body import Sale


WIDTH = 44


def receipt_page(ledger: Ledger) -> str:
    """
    Every sale in the books, oldest push first.
    """
    return "\n".join(line for entry in ledger.transactions() for line in _receipt_lines(entry))


def _receipt_lines(entry: Entry) -> Iterator[str]:
    sale = entry.sale.receipt if entry.sale.wire else None
    kind = "" if sale is None or sale.kind is None else f" ({sale.kind})"
    at = "" if sale is None or sale.register is None else f", register {sale.register}"

    yield "=" * WIDTH
    yield f"{entry.location}, {entry.date}{at}: {entry.id}{kind}"
    yield entry.sale.timestamp
    if entry.times > 1:
        yield f"BOOKED {entry.times} TIMES"
    yield "-" * WIDTH
    yield from _goods(entry.sale) if sale is None else _parts(sale)
    yield ""


def _goods(sale: Sale) -> Iterator[str]:
    for line in sale.lines:
        yield _row(f"{line.quantity:f} {line.sku} @ {line.price:f}", None)
    yield _row("TOTAL", sale.total)


def _parts(sale: Transaction) -> Iterator[str]:
    for line in sale.items:
        yield _row(_title(line), line.amount)
        yield from _rows(
            "  less ",
            ((one.code or "discount", one.amount.copy_negate()) for one in line.discounts),
        )
    yield from _rows(
        "less ", ((one.code or "discount", one.amount.copy_negate()) for one in sale.discounts)
    )
    for tax in sale.taxes:
        rate = "" if tax.rate is None else f" {tax.rate:f} %"
        yield _row(f"tax {tax.code}{rate}{', included' if tax.included else ''}", tax.amount)
    if sale.rounding is not None:
        yield _row("rounding", sale.rounding)
    yield _row(f"TOTAL {sale.currency or ''}".rstrip(), sale.total)
    for tender in sale.tenders:
        yield _row(tender.type, tender.amount)
        of_it = (("change", tender.change), ("tip", tender.tip))
        yield from _rows("  ", ((name, part) for name, part in of_it if part is not None))


def _title(line: TransactionLine) -> str:
    unit = "" if line.unit in (None, "each") else f" {line.unit}"

    return f"{Decimal(line.quantity):f}{unit} {line.name or line.sent_sku} @ {line.price:f}"


def _rows(before: str, parts: Iterable[tuple[str, Decimal]]) -> Iterator[str]:
    return (_row(f"{before}{name}", amount) for name, amount in parts)


def _row(title: str, amount: Decimal | None) -> str:
    shown = "" if amount is None else f"{amount:f}"

    return f"{title:<{WIDTH - len(shown) - 1}} {shown}".rstrip()
