"""
`TokenBucket`: how many runs begin with one credential.  Pure.
"""

import attrs


# What a back office may ask for at most, in seconds.
LONGEST_PAUSE_S = 900.0


@attrs.define
class TokenBucket:
    """
    Starts of runs with one credential: *rate* a second, and so many at once.

    All moments are seconds of one monotonic clock.
    """

    rate: float
    burst: float
    _tokens: float = attrs.field(init=False)
    _as_of: float | None = attrs.field(default=None, init=False)

    @_tokens.default
    def _full(self) -> float:
        return self.burst

    def take(self, monotonic: float) -> bool:
        """
        Take a token, if there is one.
        """
        if self.wait_s(monotonic) > 0:
            return False

        self._tokens -= 1
        return True

    def wait_s(self, monotonic: float) -> float:
        """
        In how many seconds there is a token.
        """
        if self._as_of is None:
            self._as_of = monotonic
        # A pause lies ahead: until then nothing flows.
        passed = max(monotonic - self._as_of, 0.0)
        self._as_of = max(monotonic, self._as_of)
        self._tokens = min(self._tokens + passed * self.rate, self.burst)

        missing = max(1 - self._tokens, 0.0)
        return self._as_of - monotonic + missing / self.rate

    def pause(self, monotonic: float, seconds: float) -> None:
        """
        The back office answered 429: empty it, and let nothing flow for a while.
        """
        self._tokens = 0.0
        ends_at = monotonic + min(max(seconds, 0.0), LONGEST_PAUSE_S)
        self._as_of = max(ends_at, self._as_of or ends_at)
