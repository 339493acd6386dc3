"""
The overview for page and terminal: calendar, runs, quarantine, outbox.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import dropwhile, islice
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.calendar import DAY
from conexxus_sync.model.catalogue import AbsentItem, PlanSummary, PriceChange, QuarantinedItem
from conexxus_sync.model.date_reconciliation import ComparedDate
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.model.sales import (
    OPEN_STATES,
    Batch,
    DateTotals,
    DateVisit,
    QuarantinedTransaction,
)
from conexxus_sync.model.shadow import ShadowLook
from conexxus_sync.sales import LATE_AFTER, DueDates, SalesLedger, has_sales
from conexxus_sync.stores import LocationStore, State

from ._health import ServiceHealth


# Five weeks: what a person remembers, and a month's end is always in it.
SHOWN_DAYS = 35
SHOWN_RUNS = 24
SHOWN_QUARANTINED = 10
SHOWN_BATCHES = 10
SHOWN_PRICES = 50
SHOWN_RECONCILED = 7


class DayState(StrEnum):
    """
    How one business date stands, gravest first.

    `MISSING`: it, or part of it, should have arrived by now.  `WAITING`: not
    everything has arrived, and that is no surprise yet.  `DIFFERS`: something
    was set aside, it changed at the till since, or the back office's books
    are not those of the till.  `LATE`: all is there,
    but half of it came late.
    `QUIET`: looked at, and nothing was sold.  `AHEAD`: its time has not come.
    `UNKNOWN`: before this store began, or closed.
    """

    MISSING = "missing"
    WAITING = "waiting"
    DIFFERS = "differs"
    LATE = "late"
    PUSHED = "pushed"
    QUIET = "quiet"
    AHEAD = "ahead"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Day:
    """
    One business date.

    Attributes:
        sums: What is known of its sales; None if there are none.
        push_moment: When it is pushed for the first time.
        difference: What differs between till and back office, if they were
            compared.
    """

    business_date: date
    state: DayState
    sums: DateTotals | None = None
    push_moment: datetime
    difference: str | None = None

    @property
    def delivered(self) -> int:
        """
        How many sales the back office has.
        """
        return 0 if self.sums is None else self.sums.delivered

    @property
    def total(self) -> Decimal:
        """
        Their exact sum.
        """
        return Decimal(0) if self.sums is None else self.sums.total


@attrs.frozen(kw_only=True)
class RefusedCatalogue:
    """
    The last catalogue, where a guard refused it.

    Attributes:
        run: The run that read it; its id is what is accepted.
        summary: All that it would do, in figures.
        prices: What it would do to prices, at most `SHOWN_PRICES`.
        more: Whether there are more price changes.
        absent: The items in force that it lacks, likewise; and `more_absent`.
    """

    run: SyncRun
    summary: PlanSummary
    prices: tuple[PriceChange, ...] = ()
    more: bool = False
    absent: tuple[AbsentItem, ...] = ()
    more_absent: bool = False


@attrs.frozen(kw_only=True)
class Quarantine:
    """
    What was set aside.
    """

    items: tuple[QuarantinedItem, ...] = ()
    sales: tuple[QuarantinedTransaction, ...] = ()

    @classmethod
    def of(cls, state: State, limit: int) -> "Quarantine":
        """
        At most so many of each.

        Raises:
            StoreError: It can't be read.
        """
        return cls(
            items=tuple(state.mirror.quarantined(limit=limit)),
            sales=tuple(state.sales_quarantine.transactions(limit)),
        )


@attrs.frozen(kw_only=True)
class Overview:
    """
    What page and terminal show.

    Attributes:
        timezone: The store's; None if it is not configured.
        running: Runs at work in this process, with what they processed so far.
        expected: How many items the pull at work will bring, if that is known.
        calls: The last calls of this process, oldest first.
        elsewhere: Ids of runs that another process is at, by kind.
        days: The last business dates since this store began, oldest first;
            empty if this location has no sales.
        pulls: The last pulls, latest first; likewise `pushes`.
        refused: The catalogue that waits to be accepted; None if there is none.
        batches: That are not settled, at most `SHOWN_BATCHES`.
        open_batches: How many there are.
        reconciled: The last dates that were reconciled, latest first, at most
            `SHOWN_RECONCILED`.
        next_pull: When the schedule has the next pull; None if that is not
            known; likewise `next_push`.
        shadow: What the last comparison with files found; None if there was none.
        problem: Why some of it is missing.
    """

    now: datetime
    location_id: str
    timezone: ZoneInfo | None
    health: ServiceHealth
    running: tuple[SyncRun, ...] = ()
    expected: int | None = None
    calls: tuple[ApiConnection, ...] = ()
    elsewhere: dict[RunKind, str] = attrs.field(factory=dict)
    days: tuple[Day, ...] = ()
    pulls: tuple[SyncRun, ...] = ()
    pushes: tuple[SyncRun, ...] = ()
    refused: RefusedCatalogue | None = None
    quarantine: Quarantine = attrs.field(factory=Quarantine)
    batches: tuple[Batch, ...] = ()
    open_batches: int = 0
    reconciled: dict[date, ComparedDate] = attrs.field(factory=dict)
    next_pull: datetime | None = None
    next_push: datetime | None = None
    shadow: ShadowLook | None = None
    problem: str | None = None

    @property
    def today(self) -> date:
        """
        The calendar date in the store.
        """
        return self.now.astimezone(self.timezone).date()


def read_overview(
    store: LocationStore,
    config: SyncConfig,
    *,
    health: ServiceHealth,
    running: tuple[SyncRun, ...],
    expected: int | None,
    calls: tuple[ApiConnection, ...],
    now: datetime,
) -> Overview:
    """
    Ask *store* for all of it; what can't be read is left out, and why is said.

    A store that *health* could not read is not asked again.
    """
    bare = Overview(
        now=now,
        location_id=config.location_id,
        timezone=config.timezone,
        health=health,
        running=running,
        expected=expected,
        calls=calls,
    )

    if health.counts is None:
        return attrs.evolve(bare, problem=health.last_error)

    try:
        return _filled(bare, store, config)
    except ConexxusError as exc:
        return attrs.evolve(bare, problem=str(exc))


def _filled(bare: Overview, store: LocationStore, config: SyncConfig) -> Overview:
    with store.snapshot() as state:
        pulls = state.runs.history(RunKind.INVENTORY, SHOWN_RUNS)
        schedule = PullSchedule(config.location_id, config.sync_every)
        counts = state.outbox.counts()

        return attrs.evolve(
            bare,
            elsewhere=dict(_elsewhere(bare, store)),
            days=tuple(dropwhile(_is_unknown, _days(store, state, config, bare))),
            pulls=tuple(pulls),
            pushes=tuple(state.runs.history(RunKind.SALES, SHOWN_RUNS)),
            refused=_refused(state, pulls[0]) if pulls else None,
            quarantine=Quarantine.of(state, SHOWN_QUARANTINED),
            batches=tuple(state.outbox.batches(OPEN_STATES, SHOWN_BATCHES)),
            next_pull=schedule.next_pull(state.runs.latest(RunKind.INVENTORY), bare.now),
            open_batches=sum(counts.get(it, 0) for it in OPEN_STATES),
            reconciled=_reconciled(state, bare.today),
            shadow=state.shadow_looks.latest() if config.shadow is not None else None,
        )


def _reconciled(state: State, today: date) -> dict[date, ComparedDate]:
    since = state.reconciliations.since(today - (SHOWN_DAYS - 1) * DAY)
    tables = [(day, one) for day, one in reversed(since.items()) if one.rows]

    return dict(tables[:SHOWN_RECONCILED])


def _elsewhere(bare: Overview, store: LocationStore) -> Iterator[tuple[RunKind, str]]:
    ours = {run.kind for run in bare.running}

    for kind in RunKind:
        holder = store.leases.holder(kind.value, bare.now)
        if holder is not None and kind not in ours:
            yield kind, holder


def _refused(state: State, latest: SyncRun) -> RefusedCatalogue | None:
    if latest.refused is None or state.plans.get(latest.id) is None:
        return None

    prices = tuple(islice(state.plans.prices(latest.id), SHOWN_PRICES + 1))
    absent = tuple(islice(state.plans.absent(latest.id), SHOWN_PRICES + 1))

    return RefusedCatalogue(
        run=latest,
        summary=state.plans.summary(latest.id),
        prices=prices[:SHOWN_PRICES],
        more=len(prices) > SHOWN_PRICES,
        absent=absent[:SHOWN_PRICES],
        more_absent=len(absent) > SHOWN_PRICES,
    )


def _is_unknown(day: Day) -> bool:
    return day.state is DayState.UNKNOWN


def _days(store: LocationStore, state: State, config: SyncConfig, bare: Overview) -> Iterator[Day]:
    if not bare.health.sales.enabled and not has_sales(store):
        return

    try:
        ledger = SalesLedger.of(store, config, lookback_days=0)
    except ConfigurationError:
        # An alert says so.
        return

    overdue = frozenset(bare.health.sales.overdue)
    today = ledger.calendar.business_date(bare.now)
    first = today - (SHOWN_DAYS - 1) * DAY
    dates = ledger.dates(ledger.start_date(bare.now), bare.now, since=first)
    totals = {sums.business_date: sums for sums in state.outbox.date_totals(first)}
    compared = state.reconciliations.since(first)

    for number in range(SHOWN_DAYS):
        day = first + number * DAY
        found = _state(day, dates, totals.get(day), bare.now)
        difference = compared[day].difference if day in compared else None
        if difference is not None and found not in (DayState.MISSING, DayState.WAITING):
            found = DayState.DIFFERS
        yield Day(
            business_date=day,
            state=DayState.MISSING if day in overdue else found,
            sums=totals.get(day),
            push_moment=dates.calendar.push_moment(day),
            difference=difference,
        )


def _state(day: date, dates: DueDates, sums: DateTotals | None, now: datetime) -> DayState:
    visit = dates.visits.get(day, DateVisit())
    push, tail = dates.calendar.push_moment(day), dates.calendar.tail_moment(day)

    if sums is not None:
        if sums.waiting:
            return DayState.WAITING
        if sums.quarantined or sums.discrepancies:
            return DayState.DIFFERS
        # One that was rung up late makes no late day.
        if sums.half_at is not None and sums.half_at > max(push, tail) + LATE_AFTER:
            return DayState.LATE
        if sums.delivered and (push <= now or day < dates.start):
            return DayState.PUSHED
    if day < dates.start or visit.closed is not None:
        return DayState.UNKNOWN
    if push > now:
        return DayState.AHEAD

    return DayState.QUIET if visit.at is not None and visit.at >= push else DayState.WAITING
