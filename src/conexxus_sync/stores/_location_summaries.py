"""
`LocationSummary`: how each location is, by three queries over all of them.
"""

from datetime import date, datetime

import attrs

from conexxus_sync.model.run_json import load_run
from conexxus_sync.model.runs import RunStatus

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
_LAST_VISITS = """
SELECT l.location, f.since, (
    SELECT max(business_date) FROM sales_dates
    WHERE location = l.location AND visited_at IS NOT NULL
)
FROM leases l JOIN sales_floors f ON f.location = l.location WHERE l.kind = 'sales'
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
        since: The first business date that is pushed.
        visited: The last business date that was looked at.
        oldest_open: The oldest business date with a batch that is not settled.
        parked: How many batches wait for a decision.
        open: How many are not settled, those among them.
    """

    pull: LastRun | None = None
    push: LastRun | None = None
    since: date | None = None
    visited: date | None = None
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

    for location, since, visited in session.execute(_LAST_VISITS).fetchall():
        summary = found.setdefault(location, LocationSummary())
        summary.since = date.fromisoformat(since[:10])
        summary.visited = None if visited is None else date.fromisoformat(visited)

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
