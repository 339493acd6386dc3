"""
The texts of notices. Pure functions.
"""

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

import attrs

from conexxus_sync.model.alerts import AlertGroup, AlertName
from conexxus_sync.model.date_reconciliation import ComparedDate
from conexxus_sync.model.formatting import (
    counted,
    money,
    rough_duration,
    sentence,
    short_date,
    wall_time,
)
from conexxus_sync.model.notices import ActiveAlert
from conexxus_sync.model.reconciled_table import gravest_rows, reconciled_table


# Beyond that, a chat shows a wall; what was cut off is in `conexxus status`.
LONGEST = 600

# A day's tenders and taxes, and a few registers; in lines that an e-mail takes.
REPORTED_ROWS = 20
REPORT_WIDTH = 80
_FENCE = "```"

_ENDED = {
    AlertName.STORE_UNUSABLE: "the SDK's own store can be used again",
    AlertName.DATE_OVERDUE: "no business date is overdue any more",
    AlertName.ORDERS_HANG: "the order source returns again",
    AlertName.SALES_PARKED: "no batch of sales is parked any more",
    AlertName.DELIVERY_UNKNOWN: "no batch of sales is of unknown fate any more",
    AlertName.PUSH_FAILED: "the push of sales no longer fails",
    AlertName.CLOCK_DOUBTED: "the clock of this machine can be believed again",
    AlertName.MISCONFIGURED: "the settings let sales be pushed again",
    AlertName.API_DOWN: "the back office answers again",
    AlertName.CATALOG_REFUSED: "the catalogue is no longer refused",
    AlertName.SYNC_FAILED: "the pull of the catalogue no longer fails",
    AlertName.SYNC_STALE: "the catalogue is being pulled again",
    AlertName.REMOVALS_WAIT: "removals from the catalogue no longer wait",
    AlertName.ERROR_RATE: "no more than one in ten items or sales fails any more",
    AlertName.CHANGES_REFUSED: "changes of delivered sales are no longer refused",
    AlertName.DISCREPANCY: "no delivered sale differs from the till any more",
    AlertName.BOOKS_DIFFER: "the books of till and back office agree",
    AlertName.SALES_HELD: "past sales are no longer held back",
    AlertName.SALES_SILENT: "there are sales again",
    AlertName.SALES_SET_ASIDE: "no sale is set aside any more",
    AlertName.ITEMS_SET_ASIDE: "no item is set aside any more",
    AlertName.CHANGES_PENDING: "the host has taken all changes of the catalogue",
    AlertName.NOT_CONFIGURED: "everything that is needed is configured now",
}


def alert_started(group: AlertGroup, location_id: str, since: datetime, zone: tzinfo) -> str:
    """
    `loc-001: no good answer from the back office since 14:05: … Therefore: …`
    """
    alert = group.cause
    message = alert.message

    if alert.name is AlertName.API_DOWN and not alert.about:
        _, _, why = message.partition(": ")
        message = f"no good answer from the back office since {wall_time(since, zone)}: {why}"

    text = str(attrs.evolve(alert, message=message))

    if group.effects:
        effects = " ".join(sentence(effect.message) for effect in group.effects)
        text = f"{sentence(text)} Therefore: {effects}"

    return _line(location_id, text)


def alert_resolved(alert: ActiveAlert, location_id: str, lasted: timedelta) -> str:
    """
    `loc-001: the back office answers again, after 25 minutes.`
    """
    if alert.about:
        return _line(location_id, f"resolved after {rough_duration(lasted)}: {alert.about}.")

    return _line(location_id, f"{_ENDED[alert.name]}, after {rough_duration(lasted)}.")


def daily_report(location_id: str, day: date, text: str, compared: ComparedDate | None) -> str:
    """
    `loc-001, 2 January: …`; below it the table of the date, if anything was sold.
    """
    line = _line(f"{location_id}, {short_date(day)}", text)
    rows = () if compared is None else compared.rows

    if not any(row.till or row.sent or row.back_office for row in rows):
        return line

    shown = gravest_rows(rows, REPORTED_ROWS)
    more = len(rows) - len(shown) + (compared.more if compared else 0)
    lines = reconciled_table(shown, width=REPORT_WIDTH)
    if more:
        lines.append(f"… and {counted(more, 'more row')}")

    # Chat systems show what is between such lines as it stands.
    return "\n".join((line, _FENCE, *map(_table_line, lines), _FENCE))


def trial_text(location_id: str) -> str:
    """
    The notice of a test.
    """
    return _line(location_id, "this is a test by `conexxus doctor`; nothing is wrong.")


def accepted(sales: int, total: Decimal, at: str) -> str:
    """
    `213 sales, 4,182.77, accepted 23:31`
    """
    return f"{counted(sales, 'sale')}, {money(total)}, accepted {at}"


def partly_accepted(sales: int, total: Decimal, missing: int, why: str) -> str:
    """
    `213 sales, of which 201 accepted (3,950.10) and 12 not: …`
    """
    if not sales:
        return f"{counted(missing, 'sale')}, not accepted: {why}"

    of_which = f"of which {sales:,} accepted ({money(total)}) and {missing:,} not"

    return f"{counted(sales + missing, 'sale')}, {of_which}: {why}"


def unfinished(sales: int, total: Decimal, why: str) -> str:
    """
    `201 sales, 3,950.10, accepted so far, but the day could not be pushed to its end: …`
    """
    so_far = (
        f"{counted(sales, 'sale')}, {money(total)}, accepted so far"
        if sales
        else "no sales accepted so far"
    )

    return f"{so_far}, and the day was not pushed to its end: {why}"


def without_markup(text: str) -> str:
    """
    *text* in one line, without what chat systems take for a mention, a link
    or a command: parts of it were said by the back office, or by the till.
    """
    plain = "".join(char if char.isprintable() else " " for char in text).translate(_TAMED)
    plain = " ".join(plain.split()).replace("](", "] (")

    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _table_line(line: str) -> str:
    """
    One that ends nothing: names of tenders are those of the till.
    """
    plain = "".join(char if char.isprintable() else " " for char in line)

    return plain.translate(_TAMED).replace("`", "'")


def _line(subject: str, text: str) -> str:
    text = text.strip()

    # It goes on after a colon, but a name keeps its capital.
    if text.startswith(("The ", "Sales ", "No sales ")):
        text = text[0].lower() + text[1:]

    return without_markup(f"{subject}: {text}")


_TAMED = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "@": "\N{FULLWIDTH COMMERCIAL AT}",
    }
)
