"""
Retries: the policy, the budget, and the attempts of one call.

Pure decisions: clock and randomness are passed in, and nothing sleeps.
"""

import os
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from weakref import WeakSet

import attrs

from conexxus_client.errors import (
    AttemptRecord,
    ConexxusError,
    ConnectError,
    ConnectionLostError,
    Delivery,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TlsError,
)

from ._wire_types import Headers


# The form of a date that servers have to send (RFC 9110, section 5.6.7).
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_FIXDATE = re.compile(
    rf"[A-Z][a-z]{{2}}, (\d\d) ({_MONTHS}) (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)

_RETRYABLE = (ConnectError, ConnectionLostError, RequestTimeoutError, ServerError)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    Exponential backoff with jitter.

    Attributes:
        retries: After the first attempt.
        delay: Seconds; retry n waits `delay * 2^(n-1)` plus jitter.
        jitter: At most this share of the wait is added by chance.
        retry_rate_limited: Whether 429 is retried.
    """

    retries: int = 3
    delay: float = 1.0
    jitter: float = 0.25
    retry_rate_limited: bool = False

    def wait(self, number: int, error: Exception, draw: float) -> float | None:
        """
        Seconds to wait before retry *number*, from 1.

        Args:
            draw: Chance, from 0 to 1.

        Returns:
            None if there is no such retry.
        """
        if number > self.retries or not self.retries_after(error):
            return None

        backoff = self.backoff(number) * (1 + self.jitter * draw)
        requested = error.retry_after if isinstance(error, ConexxusError) else None

        return max(backoff, requested or 0.0)

    def retries_after(self, error: Exception) -> bool:
        """
        Is *error* of a kind that may go away by itself?
        """
        if isinstance(error, RateLimitError):
            return self.retry_rate_limited

        return isinstance(error, _RETRYABLE) and not isinstance(error, TlsError)

    def backoff(self, number: int) -> float:
        """
        Seconds before retry *number*, without jitter.
        """
        return self.delay * 2.0 ** (number - 1)

    def longest(self, retries: int) -> float:
        """
        Seconds that *retries* waits take at most, without a `Retry-After`.
        """
        return sum(self.backoff(n) for n in range(1, retries + 1)) * (1 + self.jitter)


class RetryBudget:
    """
    Keeps many callers from hammering a back office that is down.

    A retry costs a token, a success gives a tenth of one back.
    Thread-safe.
    """

    def __init__(self, tokens: float = 100.0, refill: float = 0.1) -> None:
        self._capacity = self._tokens = tokens
        self._refill = refill
        self.renew()
        _budgets.add(self)

    def renew(self) -> None:
        """
        In a child process: a thread that is not there may have held the lock.
        """
        self._lock = threading.Lock()

    def spend(self) -> bool:
        """
        Take one token, if there is one.
        """
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def refund(self) -> None:
        """
        A call succeeded.
        """
        with self._lock:
            self._tokens = min(self._tokens + self._refill, self._capacity)


_budgets = WeakSet[RetryBudget]()


def _renew_budgets() -> None:
    for budget in _budgets:
        budget.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_budgets)


@attrs.define(kw_only=True)
class Attempts:
    """
    The attempts of one call: counts them, and decides after each.

    Attributes:
        deadline: Moment on the monotonic clock that no wait may pass.
        boottime: Clock that goes on while the computer is suspended.
        repeatable: Whether a request of unknown fate may be sent again.
        repeat_by: Moment of that clock after which it may not; None: never.
        status: HTTP status of the current attempt, once it is known.
        retries_disabled: Set once the caller has received something that can't
            be taken back, like the first items of a page.
        retried_error: The error that the next attempt follows, until it begins.
    """

    policy: RetryPolicy
    budget: RetryBudget
    deadline: float
    monotonic: Callable[[], float]
    draw: Callable[[], float]
    boottime: Callable[[], float]
    repeatable: bool = True
    repeat_by: float | None = None
    status: int | None = None
    retries_disabled: bool = False
    retried_error: ConexxusError | None = None
    records: list[AttemptRecord] = attrs.field(factory=list)
    _is_finished: bool = attrs.field(default=False, init=False)

    def begin(self) -> None:
        """
        Begin the next attempt, unless the request must not be sent again.

        Checked after the wait: the computer may have been suspended in it.

        Raises:
            ConexxusError: The error that the attempt would have followed.
        """
        if self.retried_error is not None and self._is_key_expired:
            self._is_finished = True
            raise self.retried_error

    def wait_after(self, exc: Exception) -> float | Literal[False]:
        """
        Decide about *exc*: stop, or go on after this many seconds.

        A hook of stamina gets the exception only, so the count is ours, and
        so is the clamping: stamina's own limits do not apply to a hook's wait.
        """
        if not isinstance(exc, ConexxusError):
            return False

        if self._is_finished:
            self.give_up(exc)
            return False

        wait = self._next_wait(exc)
        self.records.append(self._record(exc, wait))

        if wait is None:
            self.give_up(exc)
            return False

        self.retried_error = exc

        return wait

    def give_up(self, exc: Exception) -> None:
        """
        Complete *exc*, with which the call ends, by all attempts.
        """
        assert isinstance(exc, ConexxusError)
        exc.attempts = tuple(self.records)
        exc.delivery = self.delivery(exc.delivery)

    def delivery(self, last: Delivery) -> Delivery:
        """
        What is known over all attempts: one unknown makes all unknown.
        """
        unknown = any(record.delivery == Delivery.UNKNOWN for record in self.records)

        return Delivery.UNKNOWN if unknown else last

    @property
    def _is_key_expired(self) -> bool:
        """
        May the back office have the request, but no longer its key?
        """
        if self.repeat_by is None or self.boottime() < self.repeat_by:
            return False

        return any(record.delivery == Delivery.UNKNOWN for record in self.records)

    def _next_wait(self, exc: ConexxusError) -> float | None:
        number = len(self.records) + 1
        wait = self.policy.wait(number, exc, self.draw())

        if wait is None or self.retries_disabled:
            return None
        if exc.delivery == Delivery.UNKNOWN and not self.repeatable:
            return None
        if self.monotonic() + wait >= self.deadline:
            return None

        return wait if self.budget.spend() else None

    def _record(self, exc: ConexxusError, wait: float | None) -> AttemptRecord:
        return AttemptRecord(
            number=len(self.records) + 1,
            cause=type(exc).__name__,
            message=exc.explanation,
            delivery=exc.delivery,
            status=exc.status if isinstance(exc, StatusError) else None,
            wait=wait,
        )


def retry_after(headers: Headers) -> float | None:
    """
    Seconds that the back office asks to wait (RFC 9110, 10.2.3).

    A date is compared with the answer's own `Date`: whether the two clocks
    agree does not matter.  Of several values the longest counts; what can't
    be read is ignored.
    """
    waits = [_seconds(value, headers.get("Date")) for value in headers.all("Retry-After")]

    return max((wait for wait in waits if wait is not None), default=None)


def server_date(headers: Headers) -> datetime | None:
    """
    When the answer was given, by the clock of the back office (RFC 9110, 6.6.1).

    One from a cache is older by its `Age`.
    """
    moment = _http_date(headers.get("Date") or "")
    age = (headers.get("Age") or "0").strip()

    if moment is None or not (age.isascii() and age.isdigit()):
        return None

    try:
        return moment + timedelta(seconds=int(age[:12]))
    except OverflowError:
        return None


def _seconds(value: str, server_date: str | None) -> float | None:
    value = value.strip()

    if value.isascii() and value.isdigit():
        return float(value[:12])

    moment, now = _http_date(value), _http_date(server_date or "")

    return None if moment is None or now is None else max((moment - now).total_seconds(), 0.0)


@lru_cache(maxsize=4)  # calls of one second have one date
def _http_date(text: str) -> datetime | None:
    if not text:
        return None

    try:
        moment = _fixdate(text) or _obsolete_date(text)
    except (ValueError, IndexError, TypeError, OverflowError, OSError):
        return None

    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _fixdate(text: str) -> datetime | None:
    if (found := _FIXDATE.fullmatch(text)) is None:
        return None

    day, month, year, hour, minute, second = found.groups()
    date = int(year), _MONTHS.index(month) // 4 + 1, int(day)

    return datetime(*date, int(hour), int(minute), int(second), tzinfo=UTC)


def _obsolete_date(text: str) -> datetime:
    """
    Raises:
        OSError: There are no descriptors left to import what reads it.
    """
    from email.utils import parsedate_to_datetime  # dear to import, and seldom needed

    return parsedate_to_datetime(text)
