"""
The status of a fleet: each store's state, worst first.  Pure, but for one function.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from shlex import quote

import attrs

from conexxus_sync.model.calendar import DAY, StoreCalendar
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import DateVisit
from conexxus_sync.stores import SyncStore
from conexxus_sync.stores._lease_table import LeaseState
from conexxus_sync.stores._location_summaries import LocationSummary

from ._catalogue_hold import CatalogueHold
from ._location import PUSH_SPREAD
from ._store_settings import StoreSettings, WrongStore


# A push that is later than this after its time is late.
GRACE = PUSH_SPREAD + timedelta(minutes=10)


_NEVER = DateVisit()


class StoreState(StrEnum):
    """
    How one store of a fleet is; the worst come first.
    """

    WRONG = "wrong"
    LATE = "late"
    PARKED = "parked"
    FAILING = "failing"
    NEW = "new"
    GOOD = "good"


@attrs.frozen(kw_only=True)
class StoreStatus:
    """
    How one store of a fleet is.

    Attributes:
        reason: Why, in a sentence; None if all is well.
        last_pull: When the last pull that ended began.
        oldest_undelivered: The oldest business date whose sales should have been
            delivered, and are not or not entirely.
        running: The kinds of runs that are at work.
        back_office: Where it is, without a path; None if the settings are wrong.
        credential: Which key it has, by the name of a file or of a variable.
        error: Why its last run failed, if it did.
        held_until: Until when its pulls wait for a catalogue to be accepted.
    """

    location_id: str
    state: StoreState
    reason: str | None = None
    group: str | None = None
    last_pull: datetime | None = None
    oldest_undelivered: date | None = None
    parked: int = 0
    running: tuple[str, ...] = ()
    back_office: str | None = None
    credential: str | None = None
    error: str | None = None
    held_until: datetime | None = None


def fleet_status(
    store: SyncStore,
    stores: Iterable[StoreSettings],
    wrong: Iterable[WrongStore],
    now: datetime,
    hold: CatalogueHold | None = None,
) -> list[StoreStatus]:
    """
    All stores of a fleet, worst first, by five queries.

    Raises:
        StoreError: The store can't be used.
    """
    stores = list(stores)
    found = assess_fleet(stores, wrong, store.location_summaries(), store.lease_states(now), now)
    held = {it.location_id for it in stores if hold is not None and hold.keeps(it, now)}

    if hold is None or not held:
        return found

    return [
        attrs.evolve(it, held_until=hold.until) if it.location_id in held else it for it in found
    ]


def held_line(statuses: Iterable[StoreStatus]) -> str | None:
    """
    Which pulls wait for a catalogue to be accepted, in a sentence.
    """
    held = [it.held_until for it in statuses if it.held_until]

    if not held:
        return None

    return (
        f"{counted(len(held), 'store')} {'keep' if len(held) > 1 else 'keeps'} the catalogue "
        f"until {held[0]:%Y-%m-%d %H:%M} UTC, or until `conexxus fleet accept RUN`."
    )


def assess_fleet(
    stores: Iterable[StoreSettings],
    wrong: Iterable[WrongStore],
    summaries: Mapping[str, LocationSummary],
    leases: Iterable[LeaseState],
    now: datetime,
) -> list[StoreStatus]:
    """
    The states that follow from what the store holds.
    """
    running = dict[str, tuple[str, ...]]()
    for lease in leases:
        if lease.run_id is not None:
            running[lease.location_id] = (*running.get(lease.location_id, ()), lease.kind)

    found = [
        StoreStatus(location_id=it.name, state=StoreState.WRONG, reason="; ".join(it.problems))
        for it in wrong
    ]
    for settings in stores:
        summary = summaries.get(settings.location_id, LocationSummary())
        status = _assess(settings, summary, now)
        found.append(attrs.evolve(status, running=running.get(settings.location_id, ())))

    order = list(StoreState)

    return sorted(found, key=lambda it: (order.index(it.state), it.oldest_undelivered or date.max))


def _assess(settings: StoreSettings, summary: LocationSummary, now: datetime) -> StoreStatus:
    oldest = oldest_undelivered(settings, summary, now)
    failed = [run for run in (summary.pull, summary.push) if run and run.status is RunStatus.FAILED]
    errors = [for_fleet(run.error or "the last run failed", settings.location_id) for run in failed]
    state, reason = StoreState.GOOD, None

    if summary.pull is None:
        state, reason = StoreState.NEW, "no pull has ended yet"
    if failed:
        state, reason = StoreState.FAILING, errors[0]
    if summary.parked:
        state, reason = StoreState.PARKED, f"batches that need a decision: {summary.parked}"
    if oldest is not None and (not summary.parked or oldest != summary.oldest_open):
        why = f": {errors[-1]}" if failed and failed[-1].error else ""
        state, reason = StoreState.LATE, f"sales of {oldest} are not delivered{why}"

    return StoreStatus(
        location_id=settings.location_id,
        state=state,
        reason=reason,
        group=settings.group,
        last_pull=None if summary.pull is None else summary.pull.started_at,
        oldest_undelivered=oldest,
        parked=summary.parked,
        back_office=settings.origin,
        credential=settings.credential,
        error=errors[-1] if failed else None,
    )


def for_fleet(text: str, location_id: str) -> str:
    """
    *text*, whose commands that pull one store are those of its fleet; FILE stands
    for the file of it.
    """

    def of_fleet(found: re.Match[str]) -> str:
        location = quote(location_id)
        if found[1] is None:
            return f"conexxus fleet pull FILE --plan --location {location}"
        return f"conexxus fleet accept {found[1]} FILE --location {location}"

    return _PULL.sub(of_fleet, text)


_PULL = re.compile(r"\bconexxus pull (?:--accept ([^\s`]+)|--plan\b)")


def oldest_undelivered(
    settings: StoreSettings, summary: LocationSummary, now: datetime
) -> date | None:
    """
    The oldest business date whose sales should have been delivered by *now*.
    """
    config = settings.sync
    if config.timezone is None or summary.since is None:
        return summary.oldest_open

    calendar = StoreCalendar(
        timezone=config.timezone, push_at=config.push_at, day_closes_at=config.day_closes_at
    )
    day = summary.since

    while (pushed_at := _push_moment(calendar, day)) + GRACE <= now:
        visit = summary.visits.get(day, _NEVER)
        is_done = visit.at is not None and pushed_at <= visit.at <= now
        if day == summary.oldest_open or (visit.closed is None and not is_done):
            return day
        day += DAY

    # Older than what is looked at by itself.
    is_older = summary.oldest_open is not None and summary.oldest_open < summary.since

    return summary.oldest_open if is_older else None


@lru_cache(maxsize=10_000)
def _push_moment(calendar: StoreCalendar, day: date) -> datetime:
    return calendar.push_moment(day)
