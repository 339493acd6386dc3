"""
Text about runs for the terminal. Pure functions.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from conexxus_sync.model.formatting import counted as counted
from conexxus_sync.model.formatting import long_date as long_date
from conexxus_sync.model.formatting import money, shortened
from conexxus_sync.model.runs import MAX_ERRORS, IssueKind, RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.views.phrases import moment as moment
from conexxus_sync.views.phrases import run_duration as run_duration
from conexxus_sync.views.phrases import summary as summary


if TYPE_CHECKING:
    from conexxus_sync.model.sales import Batch

SHOWN_ISSUES = 10


def run_lines(run: SyncRun) -> list[str]:
    """
    What *run* did, and what to do about it.
    """
    return list(_pull(run) if run.kind is RunKind.INVENTORY else _push(run))


def state_of(batch: "Batch") -> str:
    """
    A batch's state in a word or two.
    """
    return f"{batch.state.value}, parked" if batch.parked else batch.state.value


def _pull(run: SyncRun) -> Iterator[str]:
    where = f"Catalogue of {run.location_id}"
    host_failed = _is_host_failure(run)

    if run.refused:
        yield f"{where}: refused, and nothing was changed. {run.refused}"
    elif run.status is RunStatus.FAILED and not host_failed:
        yield _because(f"{where}: the pull failed, and nothing was changed", run)
    elif run.not_modified:
        yield f"{where}: nothing has changed in the back office since the last pull."
    else:
        received = counted(run.items_processed, "item")
        yield f"{where}: {received} received in {run_duration(run)}."
        yield (
            f"  {run.created:,} new, {run.updated:,} changed, {run.unchanged:,} as before, "
            f"{run.removed:,} gone."
        )

    if host_failed:
        yield f"  The SDK's own copy is up to date, but {run.last_error}"
        yield "  The changes are kept: the next pull hands them over first."

    yield from _bad_items(run)
    yield from (f"  {it.error}." for it in run.errors if it.kind is IssueKind.REMARK)

    if run.file is not None:
        yield f"  File: {run.file}."
    if run.note is not None:
        yield f"  Note: {run.note}."
    if run.planned and not run.refused:
        yield "  This is a plan: nothing was changed."
        yield f"  To apply exactly this: conexxus pull --accept {run.id}"
    if run.refused:
        yield f"  If you have looked and it is right: conexxus pull --accept {run.id}"


def _because(what: str, run: SyncRun) -> str:
    return f"{what}." if run.last_error is None else f"{what}: {run.last_error}"


def _is_host_failure(run: SyncRun) -> bool:
    """
    Has the mirror what was read, and the host has not?
    """
    return any(issue.kind is IssueKind.HOST for issue in run.errors)


def _bad_items(run: SyncRun) -> Iterator[str]:
    if not run.items_failed:
        return

    applied = not run.planned and not run.refused
    fate = "set aside; the other items are in force" if applied else "can't be used"
    issues = [issue for issue in run.errors if issue.kind is IssueKind.SET_ASIDE]

    yield from _listed(f"{counted(run.items_failed, 'item')} {fate}", issues, run.items_failed)

    if applied:
        yield "  To see them: conexxus quarantine list"


def _push(run: SyncRun) -> Iterator[str]:
    day = "Sales" if run.business_date is None else f"Sales of {long_date(run.business_date)}"
    accepted = f"{counted(run.items_succeeded, 'sale')}, {money(run.total or Decimal())}"
    differing = [issue for issue in run.errors if issue.kind is IssueKind.DISCREPANCY]
    aside = [issue for issue in run.errors if issue.kind is IssueKind.SET_ASIDE]
    remarks = [issue.error for issue in run.errors if issue.kind is IssueKind.REMARK]
    about_run = [
        issue.error
        for issue in run.errors
        if issue.item is None and issue.kind is not IssueKind.REMARK
    ]

    if run.delivery_unknown:
        yield (
            f"{day}: no usable answer came back, so it is unknown yet whether the sales arrived. "
            "They are kept, and nothing is doubled."
        )
    elif run.items_succeeded:
        yield f"{day}: {accepted}, accepted by the back office."
    elif about_run:
        yield _because(f"{day}: not delivered", run)
    elif aside:
        yield f"{day}: nothing was accepted by the back office."
    else:
        yield f"{day}: nothing new to send."

    if run.refused:
        accept = f"conexxus push --orders ORDERS --date {run.business_date} --accept-changes"
        yield f"  Nothing was taken back: {run.refused}."
        yield f"  If you have looked and it is right: {accept}"

    yield from (f"  {error}" for error in about_run if run.items_succeeded or run.delivery_unknown)
    yield from (f"  {remark}" for remark in remarks)

    waiting = run.items_failed - len(aside)
    if waiting > 0 and len(run.errors) < MAX_ERRORS and not run.delivery_unknown:
        yield f"  Left for the next push: {counted(waiting, 'sale')}."

    if aside:
        yield from _listed(f"{counted(len(aside), 'sale')} set aside", aside)
        yield "  To see them: conexxus quarantine list"
    if differing:
        noun = counted(len(differing), "delivered sale")
        yield from _listed(f"{noun} changed or gone at the till since", differing)
    if run.note is not None and (run.items_succeeded or run.delivery_unknown):
        yield f"  Note: {run.note}."


def _listed(title: str, issues: Sequence[RunIssue], number: int = 0) -> Iterator[str]:
    """
    Args:
        number: Of all, where not all are among *issues*.
    """
    yield f"  {title}:"

    for issue in issues[:SHOWN_ISSUES]:
        yield f"    {shortened(issue.item or '(no id)')}: {issue.text}"

    if len(issues) > SHOWN_ISSUES:
        yield f"    … and {max(number, len(issues)) - SHOWN_ISSUES:,} more"
