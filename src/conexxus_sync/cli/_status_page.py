"""
The overview as text, for `conexxus status`.
"""

from collections.abc import Iterator
from datetime import timedelta

from conexxus_sync.health._health import ServiceState
from conexxus_sync.health._overview import Day, DayState, Overview
from conexxus_sync.model.alerts import AlertGroup, Severity
from conexxus_sync.model.formatting import WEEKDAYS, counted, sentence
from conexxus_sync.views.phrases import age, clock_time, summary
from conexxus_sync.views.text import (
    MARKS,
    day_sentence,
    headline,
    last_due_date,
    needs_attention,
    weeks,
    what_to_do,
)

from ._console import Line, Tone


# What fits on a screen, beneath everything else.
SHOWN_WEEKS = 3

_CELL = 9

_DAY_TONES: dict[DayState, Tone] = {
    DayState.MISSING: "bad",
    DayState.WAITING: "look",
    DayState.DIFFERS: "look",
    DayState.LATE: "look",
    DayState.PUSHED: "good",
    DayState.QUIET: "soft",
    DayState.AHEAD: "soft",
    DayState.UNKNOWN: "soft",
}

_NOTHING_YET = (DayState.AHEAD, DayState.UNKNOWN)

_SEVERITY_TONES: dict[Severity, Tone] = {
    Severity.CRITICAL: "bad",
    Severity.WARNING: "look",
    Severity.INFO: "soft",
}

_FRESH = (
    " Nothing is known of earlier pushes: where something else delivered sales, or another store, "
    "`conexxus push --orders ORDERS --adopt-through DATE` takes them for delivered, before the "
    "first push."
)

_CALM = (ServiceState.STARTING, ServiceState.DISABLED)


def status_page(overview: Overview) -> Iterator[Line]:
    """
    All of it, line by line.
    """
    yield from _top(overview)
    yield from _alerts(overview)
    yield from _calendar(overview)
    yield from _figures(overview)


def _top(overview: Overview) -> Iterator[Line]:
    health, night, advice = overview.health, last_due_date(overview), what_to_do(overview.health)
    zone = "no time zone set" if overview.timezone is None else overview.timezone.key

    yield [(f"{overview.location_id}  ", "strong"), (zone, "soft")]
    yield [(headline(health), _tone(overview))]

    if night is not None:
        line = day_sentence(night, overview.timezone, overview.today)
        yield [(line, "bad" if night.state is DayState.MISSING else "")]
    # The alerts that follow say it, too.
    if advice and not health.alerts:
        yield [(f"→ {advice}", "")]
    if overview.problem is not None:
        yield [(overview.problem, "bad")]

    for kind, run_id in overview.elsewhere.items():
        yield [(f"A run of the {kind} is at work: {run_id}", "")]


def _alerts(overview: Overview) -> Iterator[Line]:
    if not overview.health.alerts:
        return

    yield []

    for group in AlertGroup.of(overview.health.alerts):
        for alert in (group.cause, *group.effects):
            tag = (f"{alert.severity:<9} ", _SEVERITY_TONES[alert.severity])
            # Its cause says what to do.
            text = str(alert) if alert is group.cause else f"└ {sentence(alert.message)}"
            yield [tag, (text, "")]


def _calendar(overview: Overview) -> Iterator[Line]:
    rows = list(weeks(overview.days))[-SHOWN_WEEKS:]

    if all(day is None or day.state in _NOTHING_YET for row in rows for day in row):
        return

    yield []
    yield [("".join(name[:2].ljust(_CELL) for name in WEEKDAYS).rstrip(), "soft")]

    for row in rows:
        yield [_cell(day) for day in row]


def _cell(day: Day | None) -> tuple[str, Tone]:
    if day is None:
        return " " * _CELL, ""

    sales = f"{day.delivered:,}" if day.delivered else ""
    text = f"{day.business_date.day:>2}{MARKS[day.state] or ' '} {sales}"

    return text.ljust(_CELL), _DAY_TONES[day.state]


def _figures(overview: Overview) -> Iterator[Line]:
    health, counts = overview.health, overview.health.counts

    if counts is None:
        return

    yield []
    yield [(f"Catalogue: {counted(counts.items, 'item')}. {_last_pull(overview)}", "")]
    if overview.pulls and overview.pulls[0].file:
        yield [(f"  Its file was {overview.pulls[0].file}.", "")]
    if overview.pulls and overview.pulls[0].note:
        yield [(f"  In that pull, {overview.pulls[0].note}.", "look")]

    if (look := overview.shadow) is not None:
        when = age(look.at, overview.now)
        yield [(f"  Files, compared {when}: {look}.", "" if look.agrees else "look")]

    yield [(f"Sales: {_last_push(overview)}", "")]

    if overview.pushes and overview.pushes[0].note:
        yield [(f"  In that push, {overview.pushes[0].note}.", "look")]

    if overview.pushes and overview.pushes[0].zone_doubt:
        yield [(f"  Time zone: {overview.pushes[0].zone_doubt}.", "look")]

    # Normal where prices come without their tax, so no alert.
    if counts.mismatched_sales:
        sales = counted(counts.mismatched_sales, "sale")
        yield [(f"  Lines do not add up to the total in {sales}.", "")]

    if overview.open_batches:
        batches = counted(overview.open_batches, "batch", "batches")
        yield [(f"  {batches} not settled: `conexxus outbox list`.", "")]

    if health.api is not None:
        reached = "reached" if health.api.reached else "not reached"
        when = age(health.api.checked_at, overview.now)
        yield [(f"Back office: {reached} {when}{_took(health.api.latency)}.", "")]


def _took(latency: timedelta | None) -> str:
    return "" if latency is None else f", in {latency / timedelta(milliseconds=1):,.0f} ms"


def _last_pull(overview: Overview) -> str:
    if not overview.pulls:
        return "It was never pulled: `conexxus pull`."

    run = overview.pulls[0]
    when = clock_time(run.end_time or run.start_time, overview.timezone, overview.today)

    return f"Last pull {when}, {run.status}: {sentence(summary(run))}"


def _last_push(overview: Overview) -> str:
    if not overview.pushes:
        # The first push says so, too, but then it is too late.
        return f"none was pushed yet.{_FRESH if overview.health.sales.is_fresh else ''}"

    run = overview.pushes[0]
    when = clock_time(run.end_time or run.start_time, overview.timezone, overview.today)

    return f"last push {when}, {run.status}: {sentence(summary(run))}"


def _tone(overview: Overview) -> Tone:
    health = overview.health

    if health.state in _CALM:
        return "strong"
    if health.status == "unhealthy":
        return "bad"

    return "look" if needs_attention(health) or health.state is ServiceState.PARTIAL else "good"
