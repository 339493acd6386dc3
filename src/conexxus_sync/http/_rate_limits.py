"""
Rate limits of the routes that start something.
"""

import threading
import time
from collections.abc import Callable

import attrs


# Callers that are counted apart; the one who has been quiet longest goes.
_MOST_CALLERS = 1_000

# How many times the rate of one caller all of those together have whose requests
# were forwarded: their addresses may be made up.
_FORWARDED = 8
_FORWARDED_CALLERS = "forwarded"


@attrs.frozen(kw_only=True)
class Rate:
    """
    So many a minute, and so many at once after a quiet while.

    Attributes:
        per_caller: Each address has a rate of its own: a stranger does not
            use up that of others.
    """

    per_minute: float
    burst: int
    per_caller: bool = False


# People who click, and scripts that try again, never see these.
TRIGGERS = Rate(per_minute=10, burst=5)
PROBES = Rate(per_minute=30, burst=10)


@attrs.define
class RateLimit:
    """
    Spends the permits of one rate, for all or for each caller.  Threads may
    share it.

    The generic cell rate algorithm (ITU-T I.371): a token bucket that is kept
    as the one moment at which it is full again.

    Attributes:
        monotonic: A clock that only goes forward, in seconds.
    """

    rate: Rate
    monotonic: Callable[[], float] = time.monotonic
    _full_at: dict[str, float] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def wait(self, caller: str = "", *, take: bool = True, is_forwarded: bool = False) -> float:
        """
        Take a permit, or just look for one.

        Args:
            is_forwarded: The address of the caller may be what the caller claims.

        Returns:
            0 if it was there; else, after how many seconds there is one.
        """
        is_shared = is_forwarded and self.rate.per_caller
        key = _FORWARDED_CALLERS if is_shared else caller if self.rate.per_caller else ""
        times = _FORWARDED if is_shared else 1
        seconds, burst = 60 / self.rate.per_minute / times, self.rate.burst * times

        with self._lock:
            now = self.monotonic()
            full_at = max(self._full_at.pop(key, now), now)
            wait = full_at - now - seconds * (burst - 1)
            self._full_at[key] = full_at + seconds if take and wait <= 0 else full_at
            if len(self._full_at) > _MOST_CALLERS:
                del self._full_at[next(iter(self._full_at))]

        return max(wait, 0)
