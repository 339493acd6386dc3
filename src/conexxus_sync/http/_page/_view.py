"""
The values of the page's template; no HTML.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Self
from urllib.parse import quote

import attrs

from conexxus_sync.health._health import ServiceState
from conexxus_sync.health._overview import Day, DayState, Overview
from conexxus_sync.model.alerts import AlertGroup, AlertName
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.formatting import WEEKDAYS, counted, tiny_date
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import Batch
from conexxus_sync.views.phrases import age, clock_time, run_duration, summary, zone_name
from conexxus_sync.views.text import (
    MARKS,
    day_sentence,
    headline,
    last_due_date,
    needs_attention,
    weeks,
    what_to_do,
)

from ._plots import Plot, Value


LISTED_RUNS = 10
LISTED_ISSUES = 10
LISTED_DAYS = 5

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
class Button:
    """
    Something that can be done now.

    Attributes:
        address: Of the form, or of the page that asks first.
        asks: Whether it is a link to such a page.
    """

    label: str
    address: str
    asks: bool = False
    enabled: bool = True


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
        buttons: What can be done, most urgent first.
        plots: Sales for each date, and changes by each pull.
        rows: The last runs of all kinds.
        busy: Whether a run is at work, in whichever process.
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
    buttons: list[Button]
    plots: list[Plot]
    rows: list[Row]
    busy: bool
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
            buttons=list(_buttons(overview)),
            plots=[plot for plot in (_sales_plot(overview), _items_plot(overview)) if plot],
            rows=list(_rows(overview)),
            busy=bool(overview.running or overview.elsewhere),
            latencies=_latencies(overview.calls),
            unlisted_aside=_aside(overview),
            unlisted_batches=overview.open_batches - len(overview.batches),
        )

    def when(self, moment: datetime) -> str:
        """
        The store's time, with the date where that is another one.
        """
        return clock_time(moment, self.overview.timezone, self.overview.today)

    def soon(self, moment: datetime | None) -> str:
        """
        When something begins; `now` if it is due.
        """
        if moment is None:
            return "not planned"

        return "now" if moment <= self.overview.now else self.when(moment)

    @property
    def zone(self) -> str:
        """
        The store's time zone, in words.
        """
        return zone_name(self.overview.timezone, self.overview.now)

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


def _buttons(overview: Overview) -> Iterator[Button]:
    """
    The remedies of the alerts, gravest first; then what can always be done.
    """
    busy, health = bool(overview.running or overview.elsewhere), overview.health
    enabled = health.state is not ServiceState.DISABLED
    sync = Button(label="Sync now", address="page/sync", enabled=enabled and not busy)
    push = Button(label="Push sales that are due", address="page/push", enabled=not busy)
    probe = Button(label="Test the connection", address="page/probe", enabled=enabled)
    remedies: dict[AlertName, Button | None] = {
        AlertName.SALES_PARKED: _decide(overview),
        AlertName.CATALOG_REFUSED: _review(overview),
        AlertName.API_DOWN: probe,
        AlertName.DATE_OVERDUE: push if health.sales.enabled else None,
        AlertName.DELIVERY_UNKNOWN: push if health.sales.enabled else None,
        AlertName.PUSH_FAILED: push if health.sales.enabled else None,
        AlertName.SYNC_FAILED: sync,
        AlertName.SYNC_STALE: sync,
    }
    urgent = [remedies.get(group.cause.name) for group in AlertGroup.of(health.alerts)]
    always = [sync, push if health.sales.enabled else None]

    yield from dict.fromkeys(button for button in (*urgent, *always) if button is not None)


def _decide(overview: Overview) -> Button | None:
    parked = [batch for batch in overview.batches if batch.parked]

    if not parked:
        return None

    sales = counted(sum(batch.transactions for batch in parked), "parked sale")

    return Button(label=f"Decide about {sales}", address=parked_address(parked[0]), asks=True)


def _review(overview: Overview) -> Button | None:
    if overview.refused is None:
        return None

    address = f"confirm/{overview.refused.run.id}"

    return Button(label="Review the refused catalogue", address=address, asks=True)


def parked_address(batch: Batch) -> str:
    """
    Of the page that asks what became of *batch*.
    """
    return f"parked/{quote(batch.key, safe='')}"


def _sales_plot(overview: Overview) -> Plot | None:
    return Plot.of(
        "Sales per business date",
        [
            Value(
                number=day.delivered,
                label=tiny_date(day.business_date),
                title=day_sentence(day, overview.timezone, overview.today),
                tone="bad" if day.state is DayState.MISSING else "good",
            )
            for day in overview.days
        ],
    )


def _items_plot(overview: Overview) -> Plot | None:
    return Plot.of(
        "Items changed per pull",
        [
            Value(
                number=run.created + run.updated + run.removed,
                label=_when(run, overview),
                title=f"{_when(run, overview)}: {summary(run)}, {run_duration(run)}",
                tone=_run_tone(run),
            )
            for run in reversed(overview.pulls)
        ],
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
