"""
Adds counts, findings and host errors to the record of a pull.
"""

from collections.abc import Iterable

import attrs

from conexxus_client import CatalogWindow
from conexxus_sync.model.catalogue import CatalogueDiff, RejectedElement, UnnamedElements
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import MAX_ERRORS, IssueKind, RunIssue, RunStatus, SyncRun

from ._validation import remarks_on


@attrs.frozen
class Findings:
    """
    What is wrong or odd in a read.

    Attributes:
        issues: The first elements that were set aside; there may be a million.
        remarks: How often each was made, and about which item first.
    """

    issues: list[RunIssue] = attrs.field(factory=list)
    remarks: dict[str, tuple[int, str]] = attrs.field(factory=dict)

    def add(self, rejects: Iterable[RejectedElement]) -> None:
        """
        Record what was set aside; each of *rejects* is looked at.
        """
        for it in rejects:
            if len(self.issues) < MAX_ERRORS:
                self.issues.append(
                    RunIssue(
                        item=it.sku, error=it.reason, kind=IssueKind.SET_ASIDE, detail=it.detail
                    )
                )

    def remark(self, window: CatalogWindow) -> None:
        """
        Record what is odd about good items.
        """
        for text, sku in remarks_on(window.unusual):
            count, first = self.remarks.get(text, (0, sku))
            self.remarks[text] = (count + 1, first)


def with_counts(
    run: SyncRun, diff: CatalogueDiff, findings: Findings, *, is_refused: bool
) -> SyncRun:
    """
    *run* with what was read, what was set aside of it, and what changes by it,
    which is nothing if it is refused.
    """
    nothing = attrs.evolve(diff, created=0, updated=0, unchanged=0, gone=0)
    applied = nothing if is_refused else diff
    succeeded = diff.received - diff.failed
    status, last_error = RunStatus.SUCCESS, None

    if diff.failed:
        status = RunStatus.PARTIAL if succeeded else RunStatus.FAILED
        last_error = (
            f"set aside: {diff.failed:,} of {counted(diff.received, 'item')}, the first: "
            f"{findings.issues[0].text}"
        )

    return attrs.evolve(
        run,
        status=status,
        items_processed=diff.received,
        items_succeeded=succeeded,
        items_failed=diff.failed,
        created=applied.created,
        updated=applied.updated,
        unchanged=applied.unchanged,
        removed=applied.gone,
        errors=[
            *findings.issues[: MAX_ERRORS - len(findings.remarks)],
            *map(_remark, findings.remarks.items()),
        ],
        last_error=last_error,
    )


def _remark(remark: tuple[str, tuple[int, str]]) -> RunIssue:
    text, (count, first) = remark
    have = "has" if count == 1 else "have"
    error = f"{counted(count, 'item')} {have} {text}; the first is {first}"

    return RunIssue(item=None, error=error, kind=IssueKind.REMARK)


def with_results_again(run: SyncRun, last: SyncRun) -> SyncRun:
    """
    *run* with what *last*, which applied the same catalogue, found in it.
    """
    return attrs.evolve(
        run,
        status=last.status,
        items_processed=last.items_processed,
        items_succeeded=last.items_succeeded,
        items_failed=last.items_failed,
        unchanged=last.created + last.updated + last.unchanged,
        errors=last.errors,
        last_error=last.last_error,
    )


def with_waiting(run: SyncRun, unnamed: UnnamedElements) -> SyncRun:
    """
    *run* with a note on the known items that are absent, and are not removed.
    """
    if not unnamed.waiting:
        return run

    items = "known item is" if unnamed.waiting == 1 else "known items are"
    note = (
        f"{unnamed.reason}: {unnamed.waiting:,} {items} absent, and removed once these elements "
        "were the same in every read of 24 hours"
    )

    return attrs.evolve(run, note=note)


def with_unheard_removals(run: SyncRun, gone: int) -> SyncRun:
    """
    *run* with a note that the host goes on to have what is gone.
    """
    items = "1 item is" if gone == 1 else f"{gone:,} items are"
    note = (
        f"the host's storage was not notified that {items} gone, because CONEXXUS_REMOVALS is "
        "keep; `conexxus pull --catalog CATALOG --removals deactivate --reapply` hands over all "
        "that are"
    )

    return attrs.evolve(run, note=note)


def with_host_error(run: SyncRun, error: str) -> SyncRun:
    """
    *run* with what the host raised.
    """
    if run.last_error == error:
        return run

    return attrs.evolve(
        run,
        status=RunStatus.FAILED,
        errors=[RunIssue(item=None, error=error, kind=IssueKind.HOST), *run.errors],
        last_error=error,
    )


def with_whole_catalogue(run: SyncRun) -> SyncRun:
    """
    *run* with a note that the host gets more than what has changed.
    """
    if run.note is not None or not (run.not_modified or run.unchanged):
        return run

    note = "the whole catalogue is handed to the host's storage, not only what has changed"

    return attrs.evolve(run, note=note)
