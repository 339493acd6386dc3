"""
Calls that are told to end early.

Whom to ask is a context variable, like the deadline: it belongs to what one
thread does at the moment, and no other call of the client notices.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from conexxus_client.errors import CallStoppedError, Delivery

from ._retries import Attempts


# As long as this, a call may go on after it was told to end.
SLICE_SECONDS = 0.25

_stop: ContextVar[Callable[[], bool] | None] = ContextVar("conexxus_stop", default=None)


@contextmanager
def stopping(stop: Callable[[], bool]) -> Iterator[None]:
    """
    Calls inside end soon after *stop* is true.
    """
    token = _stop.set(stop)

    try:
        yield
    finally:
        _stop.reset(token)


def is_stoppable() -> bool:
    """
    Has anybody said when to stop?
    """
    return _stop.get() is not None


def check(delivery: Delivery = Delivery.NOT_SENT) -> None:
    """
    Raises:
        CallStoppedError: This is where to end.
    """
    stop = _stop.get()

    if stop is not None and stop():
        raise CallStoppedError(delivery=delivery)


def patient(attempts: Attempts) -> Callable[[Exception], float | Literal[False]]:
    """
    The decision of *attempts*; a wait that can be cut short is over when it
    returns, because nobody can wake stamina.
    """

    def wait_after(exc: Exception) -> float | Literal[False]:
        wait = attempts.wait_after(exc)

        if wait is False or not is_stoppable():
            return wait

        try:
            for left in remaining(wait):
                check()
                time.sleep(min(left, SLICE_SECONDS))
        except CallStoppedError:
            attempts.give_up(exc)
            return False

        return 0.0

    return wait_after


def remaining(seconds: float) -> Iterator[float]:
    """
    What is left of *seconds*, as long as something is.
    """
    ends_at = time.monotonic() + seconds

    while (left := ends_at - time.monotonic()) > 0:
        yield left
