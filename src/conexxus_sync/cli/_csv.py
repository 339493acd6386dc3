"""
Tables for spreadsheets: the catalogue, a file that is compared with it, a reconciled date.
"""

import csv
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from conexxus_sync.model.catalogue import MirrorItem
from conexxus_sync.model.date_reconciliation import DateReconciliation
from conexxus_sync.model.run_json import moment_to_json

from ._printable import printable


if TYPE_CHECKING:
    # With an extra of its own.
    from conexxus_sync.sources.naxml import Difference

# A spreadsheet runs what begins like this:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  # meant
# Where a spreadsheet takes one for the separator, a cell begins behind it.
_CELL = re.compile(r"(?<=[;\t\r\n])(?=[\s\"']*[=+\-@＝＋－＠])")  # noqa: RUF001  # meant
_COLUMNS = ("sku", "name", "price", "category", "description")


_COMPARED = ("kind", "file_sku", "catalogue_sku", "name", "line", "in_file", "in_catalogue")
_FIGURES = ("till", "sent", "accepted", "set_aside", "back_office", "difference")


def write_reconciled_csv(found: DateReconciliation) -> None:
    """
    Write the figures of a business date to stdout, one a line.
    """
    rows = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(("business_date", "location", "measure", "name", *_FIGURES, "agrees"))
    day, shown = found.business_date.isoformat(), printable if sys.stdout.isatty() else str

    for row in found.rows:
        texts = (day, found.location_id, row.measure.value, row.name or "")
        figures = (getattr(row, name) for name in _FIGURES)
        agrees = "yes" if row.agrees else "no"
        rows.writerow((*(shown(_harmless(text)) for text in texts), *figures, agrees))


def write_compared_csv(differences: Iterable["Difference"]) -> None:
    """
    Write what differs between a file and the catalogue to stdout, one a line.
    """
    rows = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(_COMPARED)
    shown = printable if sys.stdout.isatty() else str

    for it in differences:
        values = (getattr(it, name) for name in _COMPARED)
        rows.writerow(
            "" if value is None else shown(_harmless(value)) if isinstance(value, str) else value
            for value in values
        )


def write_csv(entries: Iterable[MirrorItem], *, missing: bool) -> None:
    """
    Write *entries* to stdout.

    Args:
        missing: With a column that says since when an item is gone.
    """
    # Left to itself, the module does not quote a lone carriage return.
    rows = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow((*_COLUMNS, "missing_since") if missing else _COLUMNS)
    shown = printable if sys.stdout.isatty() else str

    for entry in entries:
        item = entry.item
        texts = (item.sku, item.name, item.category, item.description)
        sku, name, *others = (shown(_harmless(text or "")) for text in texts)
        row = [sku, name, item.price, *others]

        if missing:
            row.append("" if entry.missing_since is None else moment_to_json(entry.missing_since))

        rows.writerow(row)


def _harmless(text: str) -> str:
    text = _CELL.sub("'", text)

    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text
