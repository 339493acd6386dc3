"""
Sentences about health, runs and business dates, for page and terminal.

Pure: text in, text out; nothing here depends on HTML or a screen.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from conexxus_sync.health._health import ServiceHealth, ServiceState
from conexxus_sync.health._overview import Day, DayState, Overview
from conexxus_sync.model.alerts import AlertGroup, AlertName, Severity
from conexxus_sync.model.formatting import WEEKDAYS, counted, money, named_date, wall_time


def headline(health: ServiceHealth) -> str:
    """
    The state in one sentence.
    """
    if health.state is ServiceState.OK and needs_attention(health):
        return "Working, with something to look at."
    if health.state is ServiceState.FAILED:
        return _failed(health)

    return _HEADLINES[health.state]


def _failed(health: ServiceHealth) -> str:
    if health.counts is None:
        return "The SDK's own store can't be used."

    standing = {alert.name for alert in health.alerts}
    found = (said for name, said in _FAILED.items() if name in standing)

    return next(found, "Something has failed.")


def needs_attention(health: ServiceHealth) -> bool:
    """
    Is there an alert beyond what is merely worth knowing?
    """
    return any(alert.severity is not Severity.INFO for alert in health.alerts)


def what_to_do(health: ServiceHealth) -> str:
    """
    What is wrong, and what to do about it, in a sentence or two; empty if there
    is nothing.
    """
    if health.alerts and health.state is not ServiceState.STARTING:
        told = str(AlertGroup.of(health.alerts)[0].cause)
        return f"{told[:1].upper()}{told[1:]}"

    return _NOTHING_TO_DO.get(health.state, "")


def day_sentence(day: Day, zone: ZoneInfo | None, today: date) -> str:
    """
    One business date in one line, as an owner asks for it.
    """
    named = named_date(day.business_date, today)
    sums = day.sums

    if sums is None or not (sums.delivered or sums.waiting or sums.quarantined):
        what = f"till and back office differ: {day.difference}" if day.difference else ""
        return f"{named}: {what or _WITHOUT_SALES[day.state]}."

    parts = []
    if sums.delivered:
        parts.append(f"{counted(sums.delivered, 'sale')}, {money(sums.total)}")
    if sums.last_at is not None:
        parts.append(f"accepted {_accepted(sums.last_at, zone, day.business_date)}")
    if sums.waiting:
        parts.append(f"{counted(sums.waiting, 'sale')} not confirmed yet")
    if sums.quarantined:
        parts.append(f"{counted(sums.quarantined, 'sale')} set aside")
    if sums.discrepancies:
        parts.append(f"{counted(sums.discrepancies, 'sale')} changed at the till since")
    if day.state is DayState.LATE:
        parts.append("late")
    if day.difference is not None:
        parts.append(f"till and back office differ: {day.difference}")

    return f"{named}: {', '.join(parts)}."


def _accepted(at: datetime, zone: ZoneInfo | None, day: date) -> str:
    return f"{at.astimezone():%H:%M}" if zone is None else wall_time(at, zone, day)


def weeks(days: Sequence[Day]) -> Iterator[list[Day | None]]:
    """
    Rows from Monday to Sunday, with gaps before the first date and after the last.
    """
    if not days:
        return

    cells: list[Day | None] = [None] * days[0].business_date.weekday()
    cells += days
    cells += [None] * (-len(cells) % len(WEEKDAYS))

    for begin in range(0, len(cells), len(WEEKDAYS)):
        yield cells[begin : begin + len(WEEKDAYS)]


def last_due_date(overview: Overview) -> Day | None:
    """
    The last business date whose push time has come; None if there is none.
    """
    due = [day for day in overview.days if day.push_moment <= overview.now]
    known = [day for day in due if day.state is not DayState.UNKNOWN]

    return known[-1] if known else None


# A mark beside the colour: not everybody sees colours, and none on paper.
MARKS = {
    DayState.MISSING: "✕",
    DayState.WAITING: "…",
    DayState.DIFFERS: "≠",
    DayState.LATE: "◷",
    DayState.PUSHED: "✓",
    DayState.QUIET: "·",
    DayState.AHEAD: "",
    DayState.UNKNOWN: "",
}


_HEADLINES = {
    ServiceState.DISABLED: "Switched off, because it is not configured.",
    ServiceState.OVERDUE: "Sales are overdue.",
    ServiceState.UNREACHABLE: "The back office gives no good answer.",
    ServiceState.STALE: "The catalogue has not been pulled for a while.",
    ServiceState.PARTIAL: "Working, with something set aside.",
    ServiceState.STARTING: "Nothing was pulled yet.",
    ServiceState.OK: "All is well.",
}

# What failed comes before what waits: the advice below says the rest.
_FAILED = {
    AlertName.CLOCK_DOUBTED: "Sales can't be pushed.",
    AlertName.MISCONFIGURED: "Sales can't be pushed.",
    AlertName.PUSH_FAILED: "The last push of sales failed.",
    AlertName.SALES_PARKED: "Sales need your decision.",
    AlertName.DELIVERY_UNKNOWN: "It is not known whether sales arrived.",
    AlertName.CATALOG_REFUSED: "The last catalogue was refused.",
    AlertName.SYNC_FAILED: "The last pull failed.",
}

_NOTHING_TO_DO = {
    ServiceState.STARTING: "The first pull comes with its next turn, or now, if you say so.",
}

_WITHOUT_SALES = {
    DayState.MISSING: "nothing has arrived at the back office",
    DayState.WAITING: "not pushed yet",
    DayState.DIFFERS: "changed at the till since",
    DayState.LATE: "no sales",
    DayState.PUSHED: "no sales",
    DayState.QUIET: "no sales",
    DayState.AHEAD: "its push time has not come",
    DayState.UNKNOWN: "not the business of this store",
}
