"""
The values of the template of a fleet's page; no HTML.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Self
from urllib.parse import quote

import attrs

from conexxus_sync.fleet import FleetAlert, StoreState, StoreStatus, fleet_alerts
from conexxus_sync.fleet._fleet_status import held_line
from conexxus_sync.model.alerts import Severity
from conexxus_sync.model.formatting import counted
from conexxus_sync.views.phrases import age


# The worst; a chain has thousands.
LISTED = 50

TONES = {
    StoreState.WRONG: "bad",
    StoreState.LATE: "bad",
    StoreState.PARKED: "bad",
    StoreState.FAILING: "look",
    StoreState.NEW: "calm",
    StoreState.GOOD: "good",
}


@attrs.frozen(kw_only=True)
class StateCount:
    """
    How many stores are in one state.
    """

    state: StoreState
    count: int
    tone: str
    is_chosen: bool


@attrs.frozen(kw_only=True)
class StoreRow:
    """
    One store in the list.

    Attributes:
        address: Of its own page; None where its settings are wrong.
    """

    status: StoreStatus
    address: str | None
    tone: str
    pulled: str


@attrs.frozen(kw_only=True)
class FleetView:
    """
    What the page of a fleet shows.

    Attributes:
        chosen: The state whose stores are listed; None for all that are not well.
        wanted: Part of the names of the stores that are listed.
        oldest: The oldest business date whose sales are not delivered, anywhere.
        unlisted: How many stores are not listed beyond `rows`.
        held: Which stores wait for a catalogue to be accepted, in a sentence.
    """

    now: datetime
    tone: str
    headline: str
    oldest: date | None
    oldest_count: int
    states: list[StateCount]
    alerts: list[FleetAlert]
    rows: list[StoreRow]
    unlisted: int
    chosen: StoreState | None
    wanted: str
    held: str | None

    @classmethod
    def of(
        cls,
        statuses: Iterable[StoreStatus],
        now: datetime,
        *,
        chosen: StoreState | None = None,
        wanted: str = "",
    ) -> Self:
        """
        *statuses*, worst first, in words and figures.
        """
        statuses = list(statuses)
        counts = Counter(it.state for it in statuses)
        alerts = fleet_alerts(statuses)
        listed = [it for it in statuses if _is_listed(it, chosen, wanted)]
        undelivered = Counter(it.oldest_undelivered for it in statuses if it.oldest_undelivered)
        oldest = min(undelivered, default=None)

        return cls(
            now=now,
            tone=_tone(alerts),
            headline=_headline(counts),
            oldest=oldest,
            oldest_count=0 if oldest is None else undelivered[oldest],
            states=[
                StateCount(
                    state=it,
                    count=counts[it],
                    tone=TONES[it],
                    is_chosen=not wanted and it is chosen,
                )
                for it in StoreState
                if counts[it]
            ],
            alerts=alerts,
            rows=[_row(it, now) for it in listed[:LISTED]],
            unlisted=len(listed[LISTED:]),
            chosen=chosen,
            wanted=wanted,
            held=held_line(statuses),
        )

    @property
    def address(self) -> str:
        """
        Of this page, as it is.
        """
        if self.wanted:
            return f"fleet?q={quote(self.wanted)}"

        return "fleet" if self.chosen is None else f"fleet?state={self.chosen}"


def _is_listed(status: StoreStatus, chosen: StoreState | None, wanted: str) -> bool:
    if wanted:
        return wanted.casefold() in status.location_id.casefold()
    if chosen is not None:
        return status.state is chosen

    return status.state not in (StoreState.GOOD, StoreState.NEW)


def _tone(alerts: list[FleetAlert]) -> str:
    severities = {it.severity for it in alerts}

    return "bad" if Severity.CRITICAL in severities else "look" if severities else "good"


def _headline(counts: Counter[StoreState]) -> str:
    total = counts.total()
    well = counts[StoreState.GOOD] + counts[StoreState.NEW]

    if well == total:
        return f"{counted(total, 'store')}, all well" if total != 1 else "The store is well"

    return f"{total - well:,} of {counted(total, 'store')} need a look"


def _row(status: StoreStatus, now: datetime) -> StoreRow:
    # Twice, as a slash that is decoded before the path is read would end it.
    name = quote(quote(status.location_id, safe=""), safe="")
    is_wrong = status.state is StoreState.WRONG

    return StoreRow(
        status=status,
        address=None if is_wrong else f"stores/{name}/",
        tone=TONES[status.state],
        pulled="" if status.last_pull is None else age(status.last_pull, now),
    )
