"""
What the service answers to those who start runs, or ask for them.
"""

from collections.abc import Iterable
from datetime import datetime

import attrs

from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun, new_run_id
from conexxus_sync.runtime.safe_logging import safe_logger


_log = safe_logger(__name__)


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
