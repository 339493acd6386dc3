"""
Whether the back office can be reached, as its calls tell.
"""

from collections import deque
from datetime import datetime, timedelta

import attrs

from conexxus_client import AnswerError, AttemptDetails, CallDetails, StatusError

from .protocols import Clock


# These judge what was sent; the connection is fine.
_CONTENT_STATUSES = (400, 409, 413, 422)

# A day of hourly pulls, and the calls of the nightly push.
REMEMBERED = 60


@attrs.frozen(kw_only=True)
class ApiConnection:
    """
    How the last call of the back office went.

    Attributes:
        reached: Whether it reached the back office.
        checked_at: When it ended.
        latency: How long its last attempt took.
        error: Why it did not reach it.
    """

    reached: bool
    checked_at: datetime
    latency: timedelta
    error: str | None = None


@attrs.define
class Connection:
    """
    A hook of the client that remembers how the last call went.

    Attributes:
        last: None before the first call.
    """

    clock: Clock
    last: ApiConnection | None = None
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
        # Whoever answers something odd, or broken, can be reached.
        reached = (
            error is None
            or isinstance(error, AnswerError)
            or (isinstance(error, StatusError) and error.status in _CONTENT_STATUSES)
        )
        self.last = ApiConnection(
            reached=reached,
            checked_at=self.clock.now(),
            latency=self._latency,
            error=None if reached else str(error),
        )
        self._recent.append(self.last)

    @property
    def recent(self) -> tuple[ApiConnection, ...]:
        """
        The last calls of this process, oldest first.
        """
        return tuple(self._recent)
