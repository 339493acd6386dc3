"""
`LocationSummary`: how each location is, by four queries over all of them.
"""

from datetime import date, datetime

import attrs

from conexxus_sync.model.run_json import load_run
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import DateVisit

from ._batch_queries import OPEN
from ._database import Session, readable


# Every location that ever ran has a row in `leases`: from there, each subquery
# goes straight down an index, however long the history is.
_LAST_RUNS = """
SELECT r.location, r.kind, r.status, r.started_at,
    CASE WHEN r.status = 'failed' THEN r.document END
FROM leases l JOIN runs r ON r.number = (
    SELECT number FROM runs
    WHERE location = l.location AND kind = l.kind AND planned = 0 ORDER BY number DESC LIMIT 1
)
"""
_STARTS = """
SELECT f.location, f.since, f.open_from, w.before
FROM sales_floors f LEFT JOIN sales_watermarks w ON w.location = f.location
"""
# Dates before the watermark are past their last look: about nine are left.
_VISITS = """
SELECT d.location, d.business_date, d.visited_at, d.closed
FROM leases l
LEFT JOIN sales_watermarks w ON w.location = l.location
JOIN sales_dates d ON d.location = l.location AND d.business_date >= coalesce(w.before, '')
WHERE l.kind = 'sales'
"""
_OPEN_BATCHES = f"""
SELECT location, min(business_date), count(parked), count(*)
FROM batches WHERE {OPEN} GROUP BY location
"""  # noqa: S608  # a constant


@attrs.frozen(kw_only=True)
class LastRun:
    """
    The last run of one kind that ended.

    Attributes:
        error: Why it failed, if it did.
    """

    status: RunStatus
    started_at: datetime
    error: str | None = None


@attrs.define(kw_only=True)
class LocationSummary:
    """
    What the store holds of one location.

    Attributes:
        since: The first business date that is pushed and not past its last look.
        visits: When each business date from there on was looked at.
        oldest_open: The oldest business date with a batch that is not settled.
        parked: How many batches wait for a decision.
        open: How many are not settled, those among them.
    """

    pull: LastRun | None = None
    push: LastRun | None = None
    since: date | None = None
    visits: dict[date, DateVisit] = attrs.field(factory=dict)
    oldest_open: date | None = None
    parked: int = 0
    open: int = 0


def location_summaries(session: Session) -> dict[str, LocationSummary]:
    """
    How each location is that ever ran; what can't be read of one is left out.
    """
    found = dict[str, LocationSummary]()

    for location, kind, run in readable(session.execute(_LAST_RUNS).fetchall(), _last_run):
        summary = found.setdefault(location, LocationSummary())
        if kind == "inventory":
            summary.pull = run
        else:
            summary.push = run

    for location, since in readable(session.execute(_STARTS).fetchall(), _start):
        found.setdefault(location, LocationSummary()).since = since

    for location, day, visit in readable(session.execute(_VISITS).fetchall(), _visit):
        found.setdefault(location, LocationSummary()).visits[day] = visit

    for location, oldest, parked, count in session.execute(_OPEN_BATCHES).fetchall():
        summary = found.setdefault(location, LocationSummary())
        summary.oldest_open = date.fromisoformat(oldest)
        summary.parked, summary.open = parked, count

    return found


def _last_run(row: tuple[str, str, str, str, str | None]) -> tuple[str, str, LastRun]:
    location, kind, status, started_at, document = row
    error = None if document is None else load_run(document).last_error
    run = LastRun(
        status=RunStatus(status), started_at=datetime.fromisoformat(started_at), error=error
    )

    return location, kind, run


def _start(row: tuple[str, str, str | None, str | None]) -> tuple[str, date]:
    location, *dates = row

    return location, max(date.fromisoformat(it[:10]) for it in dates if it is not None)


def _visit(row: tuple[str, str, str | None, str | None]) -> tuple[str, date, DateVisit]:
    location, day, at, closed = row
    looked_at = None if at is None else datetime.fromisoformat(at)

    return location, date.fromisoformat(day), DateVisit(at=looked_at, closed=closed)
