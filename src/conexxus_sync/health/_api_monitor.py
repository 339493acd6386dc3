"""
Whether the back office can be reached, from the calls of all processes.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from conexxus_client import AnswerError, AttemptDetails, CallDetails, StatusError
from conexxus_sync.errors import StoreError
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.clock import TOLERANCE
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import LocationStore


_log = safe_logger(__name__)


# These judge what was sent; the connection is fine.
_CONTENT_STATUSES = (400, 409, 413, 422)

# A day of hourly pulls, and the calls of the nightly push.
REMEMBERED = 60

# Where somebody looks after it, the back office is asked more often.
FAILURE_COUNTS = timedelta(minutes=15)


def current_connection(
    calls: Iterable[ApiConnection | None], now: datetime
) -> ApiConnection | None:
    """
    What *calls* show of the connection at this moment; None if nothing does.

    The latest counts, of several the first.  A failure that is old says
    nothing of now, and a call that is yet to come was recorded by a clock that
    was ahead.
    """
    told = [call for call in calls if call is not None and call.checked_at <= now + TOLERANCE]
    last = max(told, key=lambda call: call.checked_at, default=None)

    if last is None or (not last.reached and now - last.checked_at > FAILURE_COUNTS):
        return None

    return last


def connection_from_run(run: SyncRun | None) -> ApiConnection | None:
    """
    What *run* shows of the connection: one that got an answer reached it.

    When it did is not known, but it was not before its start.
    """
    if run is None or run.status in (None, RunStatus.FAILED) or run.delivery_unknown:
        return None
    if run.kind is RunKind.SALES and not run.batches:
        return None

    return ApiConnection(reached=True, checked_at=run.start_time)


@attrs.define
class ApiMonitor:
    """
    A hook of the client that remembers how the last call went.

    Attributes:
        last: None before the first call.
    """

    clock: Clock
    last: ApiConnection | None = None
    _shared: ApiConnection | None = attrs.field(default=None, init=False)
    _recent: deque[ApiConnection] = attrs.field(
        factory=lambda: deque(maxlen=REMEMBERED), init=False
    )
    _latency: timedelta = attrs.field(factory=timedelta, init=False)

    def __call__(self, details: AttemptDetails | CallDetails) -> None:
        """
        One attempt says little; the call counts.
        """
        if isinstance(details, AttemptDetails):
            self._latency = timedelta(seconds=details.duration)
            return

        error = details.error
        # A server that answers something odd, or broken, can be reached.
        reached = (
            error is None
            or isinstance(error, AnswerError)
            or (isinstance(error, StatusError) and error.status in _CONTENT_STATUSES)
        )
        self.last = ApiConnection(
            reached=reached,
            checked_at=self.clock.now(),
            latency=self._latency,
            error=None if error is None or reached else error.explanation,
        )
        self._recent.append(self.last)

    def share(self, store: LocationStore) -> None:
        """
        Record the result of the last call in *store*, unless it is there.
        """
        call = self.last

        if call is None or call is self._shared:
            return

        try:
            with store.short_timeout(), store.write() as state:
                state.api_calls.record(call, self.clock.now())
        except StoreError as exc:
            _log.warning("What is known of the back office can't be kept: %s", exc)
        else:
            self._shared = call

    @property
    def recent(self) -> tuple[ApiConnection, ...]:
        """
        The last calls of this process, oldest first.
        """
        return tuple(self._recent)
