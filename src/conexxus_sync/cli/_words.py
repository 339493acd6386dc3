"""
Runs in words that a shop owner understands.  Pure: text in lists of lines.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from conexxus_sync.runs import RunKind, RunStatus, SyncRun


SHOWN_ISSUES = 10


def told(run: SyncRun) -> list[str]:
    """
    What *run* did, and what to do about it.
    """
    return list(_pull(run) if run.kind is RunKind.INVENTORY else _push(run))


def summary(run: SyncRun) -> str:
    """
    *run* in a few words, for a table.
    """
    if run.status is RunStatus.FAILED:
        return run.refused or run.last_error or "failed"
    if run.kind is RunKind.SALES:
        return f"{counted(run.items_succeeded, 'sale')}, {run.total or 0:,}"
    if run.not_modified:
        return "not modified"

    return f"{run.created:,} new, {run.updated:,} changed, {run.removed:,} gone"


def counted(number: int, noun: str) -> str:
    """
    `1 sale`, `1,204 sales`.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def long_date(day: date) -> str:
    """
    `2 January 2026`, whatever the locale.
    """
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment(at: datetime | None, zone: ZoneInfo | None) -> str:
    """
    A moment in store time, to the second.
    """
    return "never" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def lasting(duration: timedelta | None) -> str:
    """
    `0.4 s`, `3 min 20 s`.
    """
    if duration is None:
        return "running"

    minutes, seconds = divmod(duration.total_seconds(), 60)

    return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """
    Aligned columns of plain text.
    """
    cells = [list(headings), *[list(row) for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _pull(run: SyncRun) -> Iterator[str]:
    where = f"Catalogue of {run.location_id}"

    if run.refused:
        yield f"{where}: refused, and nothing was changed. {run.refused}"
    elif run.status is RunStatus.FAILED:
        yield f"{where}: the pull failed, and nothing was changed. {run.last_error or ''}".rstrip()
    elif run.not_modified:
        yield f"{where}: nothing has changed in the back office since the last pull."
    else:
        received = counted(run.items_processed, "item")
        yield f"{where}: {received} received in {lasting(run.duration)}."
        yield (
            f"  {run.created:,} new, {run.updated:,} changed, {run.unchanged:,} as before, "
            f"{run.removed:,} gone."
        )

    yield from _issues(run, "item", "set aside; the other items are in force")

    if run.items_failed:
        yield "  To see them: conexxus quarantine list"
    if run.planned:
        yield "  This is a plan: nothing was changed. To apply it: conexxus pull"


def _push(run: SyncRun) -> Iterator[str]:
    day = "Sales" if run.business_date is None else f"Sales of {long_date(run.business_date)}"
    accepted = f"{counted(run.items_succeeded, 'sale')}, {run.total or 0:,}"

    if run.delivery_unknown:
        yield (
            f"{day}: no usable answer came back, so nobody knows yet whether the sales arrived. "
            "They are kept; the next push asks again under the same key, and nothing is doubled."
        )
    elif run.status is RunStatus.FAILED:
        yield f"{day}: not sent. {run.last_error or ''}".rstrip()
    else:
        yield f"{day}: {accepted}, accepted by the back office."

    yield from _issues(run, "sale", "not accepted")


def _issues(run: SyncRun, noun: str, fate: str) -> Iterator[str]:
    if run.items_failed:
        yield f"  {counted(run.items_failed, noun)} {fate}:"

    named = [issue for issue in run.errors if run.items_failed or issue.error != run.last_error]

    for issue in named[:SHOWN_ISSUES]:
        yield f"    {issue.item or '(no id)'}: {issue.error}"

    if len(named) > SHOWN_ISSUES:
        yield f"    … and {max(run.items_failed, len(named)) - SHOWN_ISSUES:,} more"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
