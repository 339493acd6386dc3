"""
What the service answers to those who start runs, or ask for them.
"""

from collections.abc import Iterable
from datetime import datetime

import attrs

from ._logs import safe_logger
from .mirror import Quarantined
from .outbox import QuarantinedTransaction
from .runs import RunIssue, RunKind, RunStatus, SyncRun, new_run_id
from .stores import SyncStore


_log = safe_logger(__name__)


@attrs.frozen(kw_only=True)
class Trigger:
    """
    What became of the wish to pull, or to push.

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


@attrs.frozen(kw_only=True)
class Quarantine:
    """
    What was set aside.
    """

    items: tuple[Quarantined, ...] = ()
    sales: tuple[QuarantinedTransaction, ...] = ()

    @classmethod
    def of(cls, store: SyncStore, location_id: str, limit: int) -> "Quarantine":
        """
        At most so many of each.

        Raises:
            StoreError: It can't be read.
        """
        return cls(
            items=tuple(store.catalog.quarantined(location_id, limit=limit)),
            sales=tuple(store.outbox.aside.quarantined(location_id, limit)),
        )


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
