"""
Rate limits of the routes that start something.
"""

import threading
from collections import OrderedDict

import attrs


# Callers that are told apart; the one who has been quiet longest goes.
_MOST_CALLERS = 1_000


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
class TokenBucket:
    """
    Spends the permits of one rate.  Threads may share it.
    """

    rate: Rate
    _left: float = attrs.field(init=False)
    _seen: float | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.rate.burst

    def wait(self, now: float) -> float:
        """
        Take a permit.

        Args:
            now: On a clock that only goes forward, in seconds.

        Returns:
            0 if it was there; else, after how many seconds there is one.
        """
        per_second = self.rate.per_minute / 60

        with self._lock:
            passed = 0 if self._seen is None else now - self._seen
            self._seen = now
            self._left = min(self.rate.burst, self._left + passed * per_second)
            if self._left < 1:
                return (1 - self._left) / per_second
            self._left -= 1

        return 0


@attrs.define
class Buckets:
    """
    The buckets of one rate: one for all, or one for each caller.  Threads may
    share it.
    """

    rate: Rate
    _of: OrderedDict[str, TokenBucket] = attrs.field(factory=OrderedDict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def wait(self, caller: str, now: float) -> float:
        """
        Take a permit, as in `TokenBucket.wait`.
        """
        key = caller if self.rate.per_caller else ""

        with self._lock:
            bucket = self._of.setdefault(key, TokenBucket(self.rate))
            self._of.move_to_end(key)
            if len(self._of) > _MOST_CALLERS:
                self._of.popitem(last=False)

        return bucket.wait(now)
