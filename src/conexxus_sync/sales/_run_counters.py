"""
Counts what one push of one date did, and makes its run from that.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

import attrs

from conexxus_client import exact_sum
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import MAX_ERRORS, IssueKind, RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy
from conexxus_sync.model.sum_checks import Mismatch


_CONTRADICTS = {
    DiscrepancyKind.CHANGED: "Transaction changed after it was delivered; it was not sent again",
    DiscrepancyKind.MISSING: "Transaction was delivered, but the host no longer has it",
    DiscrepancyKind.ELSEWHERE: (
        "Transaction has the id and the timestamp of one of another business date; "
        "it is taken for the same sale and was not sent again"
    ),
}

# A source that goes by nothing has sales of any date.
MAX_DATES = 3

_MISMATCHED = {
    Mismatch.LINES: ("{of} whose lines do not add up to the total, like {like}: sent as they are"),
    Mismatch.TENDERS: (
        "{of} whose tenders, less change and tips, do not come to the total, like {like}: "
        "sent as they are"
    ),
    Mismatch.TAXES: (
        "{of} whose taxes do not agree with their sum or with those of the lines, like {like}: "
        "sent as they are"
    ),
    Mismatch.DISCOUNTS: (
        "{of} whose discounts do not come to their sum, like {like}: sent as they are"
    ),
    Mismatch.KIND: (
        "{of} whose lines or signs do not fit their kind, like {like}: sent as they are"
    ),
}
_CARDS = (
    "{of} with what may be a card's number in the free text, like {like}: it was sent, but card "
    "numbers do not belong there"
)
_CORRECTED = "{of} delivered before and changed or gone since, like {like}: taken back"


@attrs.define(kw_only=True)
class RunCounters:
    """
    Counts while a date is pushed, and becomes its run at the end.

    Attributes:
        run: As it was when it started.
        left: Transactions that have to wait for another push.
        unknown: Whether the fate of a batch is unknown.
        refused: Why nothing of what changed was taken back, if that is news.
        failure: Why the date could not be pushed to the end.
        remarks: What somebody may want to look at, though nothing failed: how
            many transactions it is about, and the first, by its text.
        source_remarks: What the order source remarked, in its order.
        note: A remark about the date.
        zone_doubt: Why the time zone that is configured is perhaps not the store's.
        misdated: Sales whose time belongs to another date: how many, and the
            first, by that date.
    """

    run: SyncRun
    batches: int = 0
    delivered: int = 0
    quarantined: int = 0
    discrepancies: int = 0
    left: int = 0
    total: Decimal = Decimal()
    unknown: bool = False
    refused: str | None = None
    failure: str | None = None
    note: str | None = None
    zone_doubt: str | None = None
    issues: list[RunIssue] = attrs.field(factory=list)
    remarks: dict[str, tuple[int, str]] = attrs.field(factory=dict)
    source_remarks: list[str] = attrs.field(factory=list)
    misdated: dict[date, tuple[int, str]] = attrs.field(factory=dict)

    @property
    def has_content(self) -> bool:
        """
        Is there anything to record?  A date without sales has no run.
        """
        return bool(
            self.batches or self.quarantined or self.issues or self.refused or self.source_remarks
        )

    def add_accepted(self, transactions: int, total: Decimal) -> None:
        """
        Count what the back office took.
        """
        self.delivered += transactions
        self.total = exact_sum((self.total, total))

    def counting_quarantined(
        self, transactions: Iterable[FrozenTransaction]
    ) -> Iterator[FrozenTransaction]:
        """
        Count what is set aside, and say why, while it passes.
        """
        for transaction in transactions:
            self.quarantined += 1
            self.add_issue(transaction.id, transaction.fault or "Transaction was refused")
            yield transaction

    def add_discrepancies(self, found: Iterable[FoundDiscrepancy]) -> None:
        """
        Count delivered transactions that the host now returns otherwise.
        """
        for one in found:
            self.discrepancies += 1
            self.add_issue(one.id, _CONTRADICTS[one.kind], kind=IssueKind.DISCREPANCY)

    def add_remarks(self, members: Iterable[FrozenTransaction]) -> None:
        """
        Remark on what is about to be sent.
        """
        for member in members:
            for mismatch in member.mismatched:
                self._remark(_MISMATCHED[mismatch], member.id)
            if member.has_card_number:
                self._remark(_CARDS, member.id)
            if member.voids:
                self._remark(_CORRECTED, member.origin)

    def add_source_remark(self, text: str) -> None:
        """
        Pass on what the order source remarks, once for each text.
        """
        if text not in self.source_remarks and len(self.source_remarks) < MAX_ERRORS:
            self.source_remarks.append(text)

    def add_misdated(self, day: date, name: str) -> None:
        """
        A sale without a date of its own was made at a time of *day* instead.
        """
        count, first = self.misdated.get(day, (0, name))
        self.misdated[day] = (count + 1, first)

    def add_issue(
        self, item: str | None, error: str, *, kind: IssueKind = IssueKind.SET_ASIDE
    ) -> None:
        """
        Add to the run's errors.
        """
        if len(self.issues) < MAX_ERRORS:
            self.issues.append(RunIssue(item=item, error=error, kind=kind))

    def fail(self, error: str) -> None:
        """
        Something beyond a single transaction went wrong.
        """
        self.failure = error
        self.add_issue(None, error, kind=IssueKind.FAILURE)

    def _remark(self, text: str, name: str) -> None:
        count, first = self.remarks.get(text, (0, name))
        self.remarks[text] = (count + 1, first)

    def finished_run(self, now: datetime) -> SyncRun:
        """
        The run that is recorded.
        """
        failed = self.quarantined + self.left

        return attrs.evolve(
            self.run,
            end_time=now,
            status=self._status(failed),
            items_processed=self.delivered + failed,
            items_succeeded=self.delivered,
            items_failed=failed,
            batches=self.batches,
            total=self.total,
            delivery_unknown=self.unknown,
            refused=self.refused,
            note=self.note,
            errors=[
                *self.issues,
                *map(_told, self.remarks.items()),
                *map(_remark, self.source_remarks),
                *self._misdated(),
                *self._zone(),
            ],
            last_error=self.failure
            or self._refusal
            or (self.issues[-1].error if self.issues else None),
        )

    @property
    def _refusal(self) -> str | None:
        return None if self.refused is None else f"nothing was taken back: {self.refused}"

    def _zone(self) -> Iterator[RunIssue]:
        if self.zone_doubt is not None:
            yield RunIssue(item=None, error=self.zone_doubt, kind=IssueKind.ZONE)

    def _misdated(self) -> Iterator[RunIssue]:
        for day, (count, name) in sorted(self.misdated.items())[:MAX_DATES]:
            were = "was" if count == 1 else "were"
            error = (
                f"{counted(count, 'sale')} of {self.run.business_date} {were} made at a time "
                f"that belongs to {day}, like {name}: does the order source ask for dates in UTC?"
            )
            yield _remark(error)

    def _status(self, failed: int) -> RunStatus:
        if self.delivered == 0 and (failed or self.failure):
            return RunStatus.FAILED
        if failed or self.discrepancies or self.failure or self.refused:
            return RunStatus.PARTIAL

        return RunStatus.SUCCESS


def empty_run(lease: Lease, business_date: date | None, now: datetime, *, stopped: bool) -> SyncRun:
    """
    The run of a push that found nothing to say; of one that was *stopped*, a
    failed one.
    """
    run = SyncRun(
        id=lease.run_id,
        kind=RunKind.SALES,
        location_id=lease.location_id,
        business_date=business_date,
        status=RunStatus.SUCCESS,
        start_time=lease.renewed_at,
        end_time=now,
    )

    if not stopped:
        return run

    error = "the push was stopped; what is due goes with the next one"
    issue = RunIssue(item=None, error=error)

    return attrs.evolve(run, status=RunStatus.FAILED, errors=[issue], last_error=error)


def _told(remark: tuple[str, tuple[int, str]]) -> RunIssue:
    text, (count, name) = remark
    return _remark(text.format(of=counted(count, "transaction"), like=name))


def _remark(text: str) -> RunIssue:
    return RunIssue(item=None, error=text, kind=IssueKind.REMARK)
