"""
The record of one execution of an engine: status, counts, errors.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import attrs


MAX_ERRORS = 100


class RunKind(StrEnum):
    """
    Which engine ran.
    """

    INVENTORY = "inventory"
    SALES = "sales"


class RunStatus(StrEnum):
    """
    How it ended; `partial` means that some items failed.
    """

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"


class IssueKind(StrEnum):
    """
    What an issue of a run is about.

    `FAILURE`: the run itself, or a part of it, failed.  `HOST`: the host's
    catalogue storage failed.  `SET_ASIDE`: an item or a sale is in quarantine.
    `DISCREPANCY`: a delivered sale changed, or is gone, at the till.
    `ZONE`: the sales contradict the time zone that is configured.
    `REMARK`: something unusual, about which nothing has to be done.
    """

    FAILURE = "failure"
    HOST = "host"
    SET_ASIDE = "set_aside"
    DISCREPANCY = "discrepancy"
    ZONE = "zone"
    REMARK = "remark"


@attrs.frozen(kw_only=True)
class RunIssue:
    """
    One thing that went wrong in a run.

    Attributes:
        item: SKU or transaction id; None if it is about the run, or unknown.
        kind: What it is; by default, something set aside if there is an item,
            and else a failure.
        detail: Which rule was broken, if the error has several.
    """

    item: str | None
    error: str
    kind: IssueKind = attrs.field(converter=IssueKind)

    @kind.default
    def _default_kind(self) -> IssueKind:
        return IssueKind.FAILURE if self.item is None else IssueKind.SET_ASIDE

    detail: str | None = None

    @property
    def text(self) -> str:
        """
        The error and its detail, for people.
        """
        return self.error if self.detail is None else f"{self.error}: {self.detail}"


def _issues(issues: Iterable[RunIssue]) -> tuple[RunIssue, ...]:
    return tuple(issues)[:MAX_ERRORS]


@attrs.frozen(kw_only=True)
class SyncRun:
    """
    One execution of an engine, finished or in progress.

    For sales, items are transactions.

    Attributes:
        id: Sortable by start time.
        end_time: Never before the start, also if the clock was set back.
        status: None while it is running.
        refused: Which guard refused the catalogue, and why; for sales, why
            nothing of what changed was taken back.
        errors: At most 100.
        note: A remark, though nothing went wrong.
        file: Which file was read, where the catalogue comes from files.
        batches: Sales only: how many batches were sent.
        total: Sales only: sum of the totals delivered by this run, exact.
        delivery_unknown: Sales only: a batch's fate is unknown.
        retry_at: A pull that failed for a reason that can pass: when it is
            tried again, unless its next turn comes before.
        not_before: Until then, the back office asked not to be called.
        replayed: One item was taken out of quarantine, or one file skipped;
            like a plan, it is no pull of the catalogue and never the latest.
    """

    id: str
    kind: RunKind
    location_id: str
    business_date: date | None = None
    status: RunStatus | None = None
    start_time: datetime
    end_time: datetime | None = None
    items_processed: int = 0
    items_succeeded: int = 0
    items_failed: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    not_modified: bool = False
    planned: bool = False
    refused: str | None = None
    errors: tuple[RunIssue, ...] = attrs.field(default=(), converter=_issues)
    last_error: str | None = None
    note: str | None = None
    file: str | None = None
    batches: int | None = None
    total: Decimal | None = None
    delivery_unknown: bool = False
    replayed: bool = False
    retry_at: datetime | None = None
    not_before: datetime | None = None

    def __attrs_post_init__(self) -> None:
        # The clock may be set back while the run is at work.
        if self.end_time is not None and self.end_time < self.start_time:
            object.__setattr__(self, "end_time", self.start_time)

    @property
    def zone_doubt(self) -> str | None:
        """
        Why the store's time zone is perhaps not the one that is configured.
        """
        return next((it.error for it in self.errors if it.kind is IssueKind.ZONE), None)

    @property
    def duration(self) -> timedelta | None:
        """
        From start to end; None while it is running.
        """
        return None if self.end_time is None else self.end_time - self.start_time


def new_run_id(now: datetime, token: Callable[[int], str] = secrets.token_hex) -> str:
    """
    A new id, like `20260102T233000123Z-9f3a1c7d`: it sorts by start time.
    """
    moment = now.astimezone(UTC)

    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z-{token(4)}"


def began_at(run_id: str) -> datetime | None:
    """
    The moment in *run_id*, if `new_run_id` made it.
    """
    try:
        return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%S%f%z")
    except ValueError:
        return None
