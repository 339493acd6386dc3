"""
Warnings of the engine that would be repeated with each push, and are not.
"""

import logging
from datetime import timedelta

import attrs

from conexxus_sync.runtime.run_logging import safe_logger

from ._clock_check import ClockProblem
from ._due_dates import HeldDates
from ._store_age import RestoredStore


# A clock that is wrong is a reason to warn again and again, but not more often.
WARN_EVERY = timedelta(minutes=15)

_log = safe_logger(__name__)


@attrs.define
class PushWarnings:
    """
    Logs why nothing is pushed, and which dates are held.
    """

    _kind: tuple[type[object], bool] | None = attrs.field(default=None, init=False)
    _warned_at: float = attrs.field(default=0.0, init=False)
    _held: HeldDates | None = attrs.field(default=None, init=False)

    def nothing_is_pushed(
        self, reason: ClockProblem | RestoredStore | None, monotonic: float
    ) -> None:
        """
        Log *reason*, if there is one, and the same kind of reason again only after a
        while: the text is another each time, as it holds the time.
        """
        kind = (type(reason), isinstance(reason, ClockProblem) and reason.last_run is None)
        is_due = monotonic - self._warned_at >= WARN_EVERY.total_seconds()

        if reason is not None and (kind != self._kind or is_due):
            self._warned_at = monotonic
            _log.warning("Conexxus sales: %s", reason)

        self._kind = kind

    def held(self, dates: HeldDates | None) -> None:
        """
        Log which *dates* are held: the alert lasts, the log needs it once.
        """
        if dates is not None:
            level = logging.DEBUG if dates == self._held else logging.WARNING
            _log.log(level, "Conexxus %s", dates)

        self._held = dates
