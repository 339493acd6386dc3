"""
Phrases about moments and runs, for page and terminal.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from conexxus_sync.model.formatting import WEEKDAYS, counted, money, tiny_date
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun


def moment(at: datetime | None, zone: ZoneInfo | None) -> str:
    """
    A moment in store time, to the second.
    """
    return "never" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def zone_name(zone: ZoneInfo | None, now: datetime) -> str:
    """
    `New York time (UTC-5)`, by the last part of the zone's name.
    """
    if zone is None:
        return "no time zone set"

    offset = now.astimezone(zone).utcoffset() or timedelta()
    minutes = round(offset / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes), 60)
    shown = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
    city = zone.key.rpartition("/")[2].replace("_", " ")

    return city if city == "UTC" else f"{city} time ({shown})"


def clock_time(at: datetime, zone: ZoneInfo | None, today: date) -> str:
    """
    `23:31` if that was today, or `Fri 2 Jan, 23:31`.
    """
    local = at.astimezone(zone)
    shown = f"{local:%H:%M}"

    if local.date() == today:
        return shown

    return f"{WEEKDAYS[local.weekday()][:3]} {tiny_date(local.date())}, {shown}"


def age(since: datetime, now: datetime) -> str:
    """
    `just now`, `7 minutes ago`, `3 hours ago`, `2 days ago`.
    """
    seconds = (now - since).total_seconds()

    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{counted(int(seconds // length), unit)} ago"

    return "just now"


def run_duration(run: SyncRun) -> str:
    """
    How long *run* took: `0.4 s`, `3 min 20 s`.
    """
    minutes, seconds = divmod((run.duration or timedelta()).total_seconds(), 60)

    return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def summary(run: SyncRun) -> str:
    """
    *run* in a few words, for a table.
    """
    if run.status is RunStatus.FAILED:
        return run.refused or run.last_error or "failed"
    if run.kind is RunKind.SALES:
        return f"{counted(run.items_succeeded, 'sale')}, {money(run.total or Decimal())}"
    if run.not_modified:
        return "not modified"
    if run.replayed and run.note is not None:
        return run.note

    return f"{run.created:,} new, {run.updated:,} changed, {run.removed:,} gone"
