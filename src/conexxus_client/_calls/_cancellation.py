"""
Cancellation of the calls of one thread.

The function that decides is a context variable, like the deadline: it applies
to the calls in its scope, and to no other call of the client.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from conexxus_client.errors import CallStoppedError, Delivery


# A call goes on for at most this long after it is cancelled.
SLICE_SECONDS = 0.25

_is_cancelled: ContextVar[Callable[[], bool] | None] = ContextVar(
    "conexxus_cancellation", default=None
)


@contextmanager
def cancellation_scope(is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """
    Calls within end soon after *is_cancelled* returns true.
    """
    token = _is_cancelled.set(is_cancelled)

    try:
        yield
    finally:
        _is_cancelled.reset(token)


def is_cancellable() -> bool:
    """
    Is there a cancellation scope?
    """
    return _is_cancelled.get() is not None


def raise_if_cancelled(delivery: Delivery = Delivery.NOT_SENT) -> None:
    """
    Raises:
        CallStoppedError: The call is cancelled.
    """
    is_cancelled = _is_cancelled.get()

    if is_cancelled is not None and is_cancelled():
        raise CallStoppedError(delivery=delivery)


def countdown(seconds: float) -> Iterator[float]:
    """
    The time left of *seconds*, until it is over.
    """
    ends_at = time.monotonic() + seconds

    while (left := ends_at - time.monotonic()) > 0:
        yield left
