"""
What becomes of a run.
"""

import attrs

from conexxus_sync.model.catalogue import Figures
from conexxus_sync.model.runs import RunIssue, RunStatus, SyncRun


def with_figures(run: SyncRun, figures: Figures, issues: list[RunIssue]) -> SyncRun:
    """
    *run* with what was read, and what was set aside of it.
    """
    succeeded = figures.received - figures.failed
    status, last_error = RunStatus.SUCCESS, None

    if figures.failed:
        status = RunStatus.PARTIAL if succeeded else RunStatus.FAILED
        last_error = (
            f"{figures.failed} of {figures.received} items were set aside, "
            f"the first: {issues[0].error}"
        )

    return attrs.evolve(
        run,
        status=status,
        items_processed=figures.received,
        items_succeeded=succeeded,
        items_failed=figures.failed,
        errors=issues,
        last_error=last_error,
    )


def with_host_error(run: SyncRun, error: str | None) -> SyncRun:
    """
    *run* with what the host raised, if it did.
    """
    if error is None or run.last_error == error:
        return run

    return attrs.evolve(
        run,
        status=RunStatus.FAILED,
        errors=[RunIssue(item=None, error=error), *run.errors],
        last_error=error,
    )
