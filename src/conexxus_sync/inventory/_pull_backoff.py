"""
Backoff between pulls that failed for a reason that can pass.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import attrs

from conexxus_client import (
    AnswerError,
    ConexxusError,
    ResponseTooLargeError,
    StatusError,
    TransportError,
)
from conexxus_sync.errors import SyncError
from conexxus_sync.model.runs import SyncRun


FIRST, LONGEST = timedelta(minutes=1), timedelta(minutes=15)

# After so many in a row, the wait does not grow any more.
MANY_FAILURES = 5

# Longer than that no back office is left alone.
A_DAY_S = 86_400.0


def with_retry(run: SyncRun, exc: ConexxusError, before: Sequence[SyncRun]) -> SyncRun:
    """
    *run*, which *exc* ended, with the moment of the next try, if it has one.

    Kept with the run: who calls `run_due` from cron has no other memory.

    Args:
        before: The last pulls, latest first.
    """
    if run.end_time is None or not is_passing(exc):
        return run

    failures = sum(1 for _ in takewhile(lambda it: it.retry_at is not None, before))
    not_before = None

    if exc.retry_after:
        not_before = run.end_time + timedelta(seconds=min(exc.retry_after, A_DAY_S))

    return attrs.evolve(
        run,
        retry_at=run.end_time + min(FIRST * 2**failures, LONGEST),
        not_before=not_before,
    )


def is_passing(exc: ConexxusError) -> bool:
    """
    May the same pull succeed in a while: network, 429, 5xx, a broken read, or
    a process that was stopped?
    """
    if isinstance(exc, StatusError):
        return exc.retryable

    is_broken = isinstance(exc, AnswerError) and not isinstance(exc, ResponseTooLargeError)

    return is_broken or isinstance(exc, TransportError) or type(exc) is SyncError
