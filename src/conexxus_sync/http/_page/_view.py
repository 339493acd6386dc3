"""
The values of the page's template; no HTML.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Self

import attrs

from conexxus_sync.health._health import ServiceState
from conexxus_sync.health._overview import Day, DayState, Overview
from conexxus_sync.model.alerts import AlertGroup
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.catalogue import PriceChange
from conexxus_sync.model.formatting import WEEKDAYS, tiny_date
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.views.phrases import age, clock_time, run_duration, summary
from conexxus_sync.views.text import (
    MARKS,
    day_sentence,
    headline,
    last_due_date,
    needs_attention,
    weeks,
    what_to_do,
)


LISTED_RUNS = 10
LISTED_ISSUES = 10
LISTED_DAYS = 5

# What a run looks like in the strip: so high at least and at most.
BAR_LEAST, BAR_MOST = 4, 40

_TONES = {
    ServiceState.OK: "good",
    ServiceState.STARTING: "calm",
    ServiceState.DISABLED: "calm",
    ServiceState.PARTIAL: "look",
    ServiceState.STALE: "bad",
    ServiceState.FAILED: "bad",
    ServiceState.UNREACHABLE: "bad",
    ServiceState.OVERDUE: "bad",
}

LEGEND = (
    (DayState.PUSHED, "pushed"),
    (DayState.LATE, "pushed late"),
    (DayState.WAITING, "under way"),
    (DayState.MISSING, "missing, or part of it"),
    (DayState.DIFFERS, "discrepancy"),
    (DayState.QUIET, "no sales"),
)

_NEED_ATTENTION = (DayState.MISSING, DayState.WAITING, DayState.DIFFERS)


@attrs.frozen(kw_only=True)
class Cell:
    """
    A business date in the calendar.

    Attributes:
        month: Its name, where a new one begins.
    """

    day: Day
    mark: str
    month: str
    title: str
    is_today: bool


@attrs.frozen(kw_only=True)
class Bar:
    """
    A run in the strip.
    """

    x: int
    height: int
    tone: str
    title: str


@attrs.frozen(kw_only=True)
class Row:
    """
    A run in the list.
    """

    run: SyncRun
    what: str
    when: str
    took: str
    text: str
    tone: str
    issues: tuple[RunIssue, ...]
    failures: int


@attrs.frozen(kw_only=True)
class Price:
    """
    A price that would change, with the change in per cent.
    """

    change: PriceChange
    per_cent: str


@attrs.frozen(kw_only=True)
class Latencies:
    """
    How long the last answers took: a line, 120 wide and 28 high.
    """

    count: int
    most: timedelta
    points: str


@attrs.frozen(kw_only=True)
class PageView:
    """
    What the page's template shows.

    Attributes:
        groups: The alerts, under their causes.
        night: What became of the last date that was due.
        weeks: The calendar; None for a date before its first.
        listed_days: The dates that need a look; `more_days` are not listed.
        strips: The last runs of each kind, by its title.
        rows: The last runs of all kinds.
        busy: Whether a run is at work, in whichever process.
        prices: Those that a refused catalogue would change.
        unlisted_aside: How much was set aside beyond what is listed.
    """

    overview: Overview
    tone: str
    headline: str
    advice: str
    groups: list[AlertGroup]
    night: str | None
    night_state: DayState | None
    weeks: list[list[Cell | None]]
    listed_days: list[str]
    more_days: int
    strips: list[tuple[str, list[Bar]]]
    rows: list[Row]
    busy: bool
    prices: list[Price]
    latencies: Latencies | None
    unlisted_aside: int
    unlisted_batches: int

    weekdays: ClassVar = WEEKDAYS
    legend: ClassVar = tuple((state, MARKS[state], words) for state, words in LEGEND)

    @classmethod
    def of(cls, overview: Overview) -> Self:
        """
        *overview* in words and figures.
        """
        night = last_due_date(overview)
        zone, today = overview.timezone, overview.today
        listed = [day for day in overview.days if day.state in _NEED_ATTENTION]
        refused = overview.refused

        return cls(
            overview=overview,
            tone=_tone(overview),
            headline=headline(overview.health),
            advice=what_to_do(overview.health),
            groups=AlertGroup.of(overview.health.alerts),
            night=None if night is None else day_sentence(night, zone, today),
            night_state=None if night is None else night.state,
            weeks=[
                [None if day is None else _cell(day, overview) for day in week]
                for week in weeks(overview.days)
            ],
            listed_days=[day_sentence(day, zone, today) for day in listed[:LISTED_DAYS]],
            more_days=len(listed[LISTED_DAYS:]),
            strips=[
                (name, list(_strip(runs, overview)))
                for name, runs in (("Pulls", overview.pulls), ("Pushes", overview.pushes))
                if runs
            ],
            rows=list(_rows(overview)),
            busy=bool(overview.running or overview.elsewhere),
            prices=[] if refused is None else list(map(_price, refused.prices)),
            latencies=_latencies(overview.calls),
            unlisted_aside=_aside(overview),
            unlisted_batches=overview.open_batches - len(overview.batches),
        )

    def when(self, moment: datetime) -> str:
        """
        The store's time, with the date where that is another one.
        """
        return clock_time(moment, self.overview.timezone, self.overview.today)

    def age(self, moment: datetime) -> str:
        """
        How long ago *moment* was.
        """
        return age(moment, self.overview.now)

    def milliseconds(self, latency: timedelta) -> str:
        """
        *latency* in whole ones.
        """
        return f"{latency / timedelta(milliseconds=1):,.0f} ms"


def _tone(overview: Overview) -> str:
    tone = _TONES[overview.health.state]

    return "look" if tone == "good" and needs_attention(overview.health) else tone


def _aside(overview: Overview) -> int:
    """
    How much was set aside beyond what is listed.
    """
    counts, listed = overview.health.counts, overview.quarantine

    if counts is None:
        return 0

    found = counts.quarantined_items + counts.quarantined_sales

    return max(found - len(listed.items) - len(listed.sales), 0)


def _cell(day: Day, overview: Overview) -> Cell:
    begins = day == overview.days[0] or day.business_date.day == 1

    return Cell(
        day=day,
        mark=MARKS[day.state],
        month=tiny_date(day.business_date).partition(" ")[2] if begins else "",
        title=day_sentence(day, overview.timezone, overview.today),
        is_today=day.business_date == overview.today,
    )


def _strip(runs: Sequence[SyncRun], overview: Overview) -> Iterator[Bar]:
    """
    Oldest first; the higher the longer, by its logarithm: a 304 and a million
    items are seen side by side.
    """
    for number, run in enumerate(reversed(runs)):
        seconds = max((run.duration or timedelta()).total_seconds(), 0.001)
        share = (math.log10(seconds) + 3) / 6
        height = BAR_LEAST + (BAR_MOST - BAR_LEAST) * min(share, 1)
        yield Bar(
            x=number * 12,
            height=round(height),
            tone=_run_tone(run),
            title=f"{_when(run, overview)}: {summary(run)}, {run_duration(run)}",
        )


def _rows(overview: Overview) -> Iterator[Row]:
    merged = sorted([*overview.pulls, *overview.pushes], key=lambda run: run.id, reverse=True)

    for run in merged[:LISTED_RUNS]:
        day, issues = run.business_date, _issues(run)
        yield Row(
            run=run,
            what="Catalogue" if day is None else f"Sales of {tiny_date(day)}",
            when=_when(run, overview),
            took=run_duration(run),
            text=summary(run),
            tone=_run_tone(run),
            issues=issues[:LISTED_ISSUES],
            failures=max(len(issues), run.items_failed if issues else 0),
        )


def _issues(run: SyncRun) -> tuple[RunIssue, ...]:
    """
    What the row does not say already.
    """
    return tuple(it for it in run.errors if it.item or it.error != summary(run))


def _when(run: SyncRun, overview: Overview) -> str:
    return clock_time(run.end_time or run.start_time, overview.timezone, overview.today)


def _run_tone(run: SyncRun) -> str:
    if run.status is RunStatus.FAILED:
        return "bad"
    if run.status is RunStatus.PARTIAL:
        return "look"

    quiet = run.kind is RunKind.INVENTORY and not (run.created or run.updated or run.removed)

    return "calm" if quiet else "good"


def _price(change: PriceChange) -> Price:
    if not change.old:
        return Price(change=change, per_cent="")

    share = (change.new - change.old) / change.old * 100

    return Price(change=change, per_cent=f"{share:+,.0f} %")


def _latencies(calls: Sequence[ApiConnection]) -> Latencies | None:
    """
    How long answers took to come; what did not come took no time.
    """
    took = [call.latency for call in calls if call.reached and call.latency is not None]

    if len(took) < 2:
        return None

    most = max(took)
    step = 120 / (len(took) - 1)
    highest = max(most, timedelta(milliseconds=1))
    points = (
        f"{number * step:.1f},{28 - 26 * (each / highest):.1f}" for number, each in enumerate(took)
    )

    return Latencies(count=len(took), most=most, points=" ".join(points))
