"""
What a service starts: pulls and pushes, at once or in the background.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

import attrs

from conexxus_sync.model.calendar import plain_date
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun, new_run_id
from conexxus_sync.runtime.cancellation import interruptible, is_abandoned, scheduler_scope
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.sales._ledger import refuse_closed
from conexxus_sync.scheduling._background_runs import Trigger

from ._engines import Engines


_log = safe_logger(__name__)


@attrs.define(kw_only=True, eq=False)
class ServiceCommands:
    """
    Starts runs; without a client, it skips them and says so.

    `ConexxusService` documents what each method returns and raises.

    Attributes:
        missing: Why the service is disabled, one sentence each.
    """

    engines: Engines
    missing: tuple[str, ...]
    # Replaced while a scheduler runs; nothing sets this one.
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)

    @property
    def is_stopping(self) -> bool:
        """
        Was the scheduler stopped, but has not ended yet?
        """
        return self._stop.is_set() or is_abandoned()

    @contextmanager
    def ending_with(self, stop: threading.Event) -> Iterator[None]:
        """
        A block in which calls and runs end once *stop* is set.
        """
        self._stop = stop

        try:
            with interruptible(self.engines.client, stop.is_set), scheduler_scope(stop.is_set):
                yield
        finally:
            self._stop = threading.Event()

    def pull(
        self,
        *,
        plan: bool = False,
        force: bool = False,
        reapply: bool = False,
        accept: str | None = None,
    ) -> SyncRun:
        """
        Pull now; a scheduler that ends breaks it off while it has changed nothing.
        """
        engine = self.engines.inventory(self._stop.is_set)

        if engine is None:
            location_id = self.engines.config.location_id
            return skipped_pull(location_id, self.missing, self.engines.clock.now())

        return engine.pull(plan=plan, force=force, reapply=reapply, accept=accept)

    def trigger_pull(self, *, force: bool = False, accept: str | None = None) -> Trigger:
        """
        Start a pull in a thread, unless one is in progress.
        """
        engine = self.engines.inventory(self._stop.is_set)

        if engine is None:
            return Trigger(run_id=None, skipped="; ".join(self.missing))

        with self.engines.context.store.short_timeout():
            if accept is not None:
                engine.plan(accept)

            return self.engines.background_runs.start(
                engine.acquire, lambda lease: engine.pull(lease=lease, force=force, accept=accept)
            )

    def trigger_push(self, business_date: date | None) -> Trigger:
        """
        Start a push in a thread, unless one is in progress.
        """
        if business_date is not None:
            business_date = plain_date(business_date)

        sales = self.engines.sales

        if sales is None:
            return Trigger(
                run_id=None, skipped="; ".join(self.missing) or "there is no order source"
            )

        store = self.engines.context.store

        with store.short_timeout():
            with store.read() as state:
                sales.profile_check.refuse_other(state)
                if business_date is not None:
                    refuse_closed(state, business_date)
            clock_problem = sales.clock_problem(self.engines.clock.now())
            reason = (business_date is None and clock_problem) or sales.store_age.restored()
            if reason is not None:
                return Trigger(run_id=None, skipped=str(reason))

            return self.engines.background_runs.start(
                sales.acquire, lambda lease: sales.push(business_date, automatic=False, lease=lease)
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
