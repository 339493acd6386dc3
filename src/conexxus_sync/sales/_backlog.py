"""
One push of several business dates, one after the other.
"""

from collections.abc import Callable
from datetime import date, datetime

import attrs

from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.runtime.run_context import in_run

from ._backoff import Trouble, longest_untried
from ._batch_sender import PATIENCE
from ._date_push import DayPush
from ._push_context import Desk
from ._run_counters import Tally


@attrs.frozen(kw_only=True)
class PushProgress:
    """
    How far a push has come.

    Attributes:
        business_date: The one just looked at.
        dates: How many were looked at.
        of: How many there are.
        transactions: How many the back office took so far.
    """

    business_date: date
    dates: int
    of: int
    transactions: int


@attrs.define(kw_only=True)
class Round:
    """
    Pushes dates, oldest first, as long as that makes sense.

    Attributes:
        new_id: Makes the id of a run.
        progress: Told after each date.
        settled: Whether nothing is left to do.
        stop: Whether the back office made clear that it takes nothing now.
        retry_after: Seconds that it asked to wait.
    """

    desk: Desk
    new_id: Callable[[datetime], str]
    progress: Callable[[PushProgress], None]
    delivered: int = 0
    settled: bool = True
    stop: bool = False
    retry_after: float = 0.0
    trouble: Trouble = attrs.field(factory=Trouble)

    def push(self, dates: list[date], run_id: str) -> list[SyncRun]:
        """
        Push *dates*.

        Args:
            run_id: Of the first run: whoever met our lease was given it, and
                can look it up later.
        """
        desk, left, runs = self.desk, list(dates), list[SyncRun]()

        with desk.store.reading() as connection:
            known = desk.outbox.dates.known(connection, desk.location_id, dates)

        while left and not self._is_over:
            business_date = self._next_date(left)
            left.remove(business_date)
            day = self._day(run_id, business_date, known=business_date in known)
            with in_run(run_id, desk.location_id):
                run = day.push()
            self._add(day)

            if run is not None:
                run_id = self.new_id(desk.clock.now())
                runs.append(run)

            self.progress(
                PushProgress(
                    business_date=business_date,
                    dates=len(dates) - len(left),
                    of=len(dates),
                    transactions=self.delivered,
                )
            )

        desk.flush()

        return runs

    @property
    def _is_over(self) -> bool:
        """
        Would the next date fare no better?
        """
        return self.stop or self.trouble.is_certain or self.desk.stopped()

    def _next_date(self, left: list[date]) -> date:
        desk = self.desk

        if not self.trouble.is_likely:
            return left[0]

        with desk.store.reading() as connection:
            return longest_untried(left, desk.outbox.attempted(connection, desk.location_id))

    def _day(self, run_id: str, business_date: date, *, known: bool) -> DayPush:
        desk = self.desk
        desk.hold()
        now = desk.clock.now()
        run = SyncRun(
            id=run_id,
            kind=RunKind.SALES,
            location_id=desk.location_id,
            business_date=business_date,
            start_time=now,
        )

        return DayPush(
            desk=desk,
            business_date=business_date,
            tally=Tally(run=run),
            known=known,
            visited_at=now,
            patience=1 if self.trouble.is_likely else PATIENCE,
        )

    def _add(self, day: DayPush) -> None:
        deliverer = day.deliverer
        self.delivered += day.tally.delivered
        self.settled = self.settled and day.settled
        self.stop = deliverer.stop
        self.retry_after = max(self.retry_after, deliverer.retry_after)

        # A host that fails says nothing about the back office.
        if not day.untold:
            self.trouble.note(settled=day.settled, exhausted=deliverer.exhausted)
