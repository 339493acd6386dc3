"""
Adds counts and host errors to the record of a pull.
"""

from collections.abc import Mapping, Sequence

import attrs

from conexxus_sync.model.catalogue import CatalogueDiff, UnnamedElements
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import MAX_ERRORS, IssueKind, RunIssue, RunStatus, SyncRun


def with_counts(
    run: SyncRun,
    diff: CatalogueDiff,
    issues: Sequence[RunIssue],
    remarks: Mapping[str, tuple[int, str]],
) -> SyncRun:
    """
    *run* with what was read, and what was set aside of it.

    Args:
        remarks: How often, and about which item first.
    """
    succeeded = diff.received - diff.failed
    status, last_error = RunStatus.SUCCESS, None

    if diff.failed:
        status = RunStatus.PARTIAL if succeeded else RunStatus.FAILED
        last_error = (
            f"set aside: {diff.failed:,} of {counted(diff.received, 'item')}, the first: "
            f"{issues[0].text}"
        )

    return attrs.evolve(
        run,
        status=status,
        items_processed=diff.received,
        items_succeeded=succeeded,
        items_failed=diff.failed,
        errors=[*issues[: MAX_ERRORS - len(remarks)], *map(_remark, remarks.items())],
        last_error=last_error,
    )


def _remark(remark: tuple[str, tuple[int, str]]) -> RunIssue:
    text, (count, first) = remark
    have = "has" if count == 1 else "have"
    error = f"{counted(count, 'item')} {have} {text}; the first is {first}"

    return RunIssue(item=None, error=error, kind=IssueKind.REMARK)


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


def with_unheard_removals(run: SyncRun) -> SyncRun:
    """
    *run* with a note that the host goes on to have what is gone.
    """
    items = "1 item is" if run.removed == 1 else f"{run.removed:,} items are"
    note = (
        f"the host's storage was not notified that {items} gone, because CONEXXUS_REMOVALS is "
        "keep; `conexxus pull --catalog CATALOG --removals deactivate --reapply` hands over all "
        "that are"
    )

    return attrs.evolve(run, note=note)


def with_host_error(run: SyncRun, error: str | None) -> SyncRun:
    """
    *run* with what the host raised, if it did.
    """
    if error is None or run.last_error == error:
        return run

    return attrs.evolve(
        run,
        status=RunStatus.FAILED,
        errors=[RunIssue(item=None, error=error, kind=IssueKind.HOST), *run.errors],
        last_error=error,
    )
