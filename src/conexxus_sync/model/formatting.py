"""
Formats counts, dates and durations for people, independent of the locale.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from difflib import get_close_matches


# What stands in a command for an option that a setting makes unnecessary, by variable.
PLACEHOLDERS = {"CONEXXUS_ORDERS": " --orders ORDERS", "CONEXXUS_CATALOG": " --catalog CATALOG"}

# Until then, a time after midnight belongs to the night before.
MORNING = 12


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """
    `1 sale`, `1,204 sales`.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"


def money(amount: Decimal) -> str:
    """
    `1,204.50`: exact, with at least two decimals and no exponent.
    """
    exponent = amount.normalize().as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2

    return f"{amount:,.{decimals}f}"


def without_placeholder(text: str, variable: str) -> str:
    """
    *text*, whose commands need no option for *variable*.
    """
    return text.replace(PLACEHOLDERS[variable], "")


def sentence(text: str) -> str:
    """
    *text* with an end, so that another sentence can follow, or a part of it
    after a colon.
    """
    return text if text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def shortened(text: str, limit: int = 80) -> str:
    """
    *text*, or how it begins and how long it is.
    """
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def long_date(day: date) -> str:
    """
    `2 January 2026`, whatever the locale.
    """
    return f"{short_date(day)} {day.year}"


def weekday_date(day: date) -> str:
    """
    `Friday 2 January 2026`, whatever the locale.
    """
    return f"{WEEKDAYS[day.weekday()]} {long_date(day)}"


def short_date(day: date) -> str:
    """
    `2 January`, whatever the locale.
    """
    return f"{day.day} {_MONTHS[day.month - 1]}"


def tiny_date(day: date) -> str:
    """
    `2 Jan`, whatever the locale.
    """
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def named_date(day: date, today: date) -> str:
    """
    `Today`, `Yesterday`, or `Friday 2 January`.
    """
    named = {0: "Today", 1: "Yesterday"}.get((today - day).days)

    return named or f"{WEEKDAYS[day.weekday()]} {short_date(day)}"


def wall_time(moment: datetime, zone: tzinfo, day: date | None = None) -> str:
    """
    `23:31`; with its date if it is neither on *day* nor in the night after.
    """
    wall = moment.astimezone(zone)
    shown = f"{wall:%H:%M}"

    if (
        day is None
        or wall.date() == day
        or (wall.date() == day + timedelta(days=1) and wall.hour < MORNING)
    ):
        return shown

    return f"{short_date(wall.date())}, {shown}"


def rough_duration(duration: timedelta) -> str:
    """
    `1 minute`, `25 minutes`, `3 hours`, `4 days`: the largest unit that fits.
    """
    minutes = max(round(duration / timedelta(minutes=1)), 1)

    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s"

    return "1 minute" if minutes == 1 else f"{minutes} minutes"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

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


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """
    The nearest of *names*, to end a sentence about *name*; empty if none is near.
    """
    near = get_close_matches(name, list(names), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
