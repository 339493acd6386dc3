"""
Cancellation: how a running pull, push or call is asked to stop.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol, runtime_checkable


_scheduler: ContextVar[Callable[[], bool] | None] = ContextVar("conexxus_scheduler", default=None)


@runtime_checkable
class Interruptible(Protocol):
    """
    A client whose calls can be stopped early.
    """

    def stopping(self, stop: Callable[[], bool]) -> AbstractContextManager[None]:
        """
        Until the end of the block, calls that this thread makes end within
        a second once *stop* is true: no wait goes on, no attempt begins, no
        answer is waited for.  Each raises its error with what is known of
        the delivery.  Other threads, and later calls, notice nothing.
        """
        ...


def interruptible(client: object, stop: Callable[[], bool]) -> AbstractContextManager[None]:
    """
    A block in which the calls of *client* end with *stop*, if it can do so.
    """
    return client.stopping(stop) if isinstance(client, Interruptible) else nullcontext()


@contextmanager
def scheduler_scope(stop: Callable[[], bool]) -> Iterator[None]:
    """
    A block of a scheduler that *stop* ends, and all that it begins.
    """
    token = _scheduler.set(stop)

    try:
        yield
    finally:
        _scheduler.reset(token)


def is_abandoned() -> bool:
    """
    Did the scheduler that began this end without it?
    """
    stop = _scheduler.get()

    return stop is not None and stop()
