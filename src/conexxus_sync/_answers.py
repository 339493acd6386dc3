"""
What the service answers to those who start runs, or ask for them.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

import attrs

from .runs import RunIssue, RunKind, RunStatus, SyncRun, new_run_id


_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Trigger:
    """
    What became of the wish to pull.

    Attributes:
        run_id: Of the run that was started, or that is in progress; None if
            it was skipped.
        already_running: Whether it had been started before.
        skipped: Why there is no run.
    """

    run_id: str | None
    already_running: bool = False
    skipped: str | None = None


@attrs.frozen(kw_only=True)
class RunHistory:
    """
    The last runs of one kind, latest first; plans are none.
    """

    latest: SyncRun | None
    history: tuple[SyncRun, ...]


def skipped_pull(location_id: str, missing: Iterable[str], now: datetime) -> SyncRun:
    """
    A pull that was none: neither recorded nor counted.

    Args:
        missing: Why it was skipped, one sentence each.
    """
    reason = f"skipped, because {'; '.join(missing)}"
    _log.warning("Conexxus inventory sync %s", reason)

    return SyncRun(
        id=new_run_id(now),
        kind=RunKind.INVENTORY,
        location_id=location_id,
        status=RunStatus.FAILED,
        start_time=now,
        end_time=now,
        errors=[RunIssue(item=None, error=reason)],
        last_error=reason,
    )
