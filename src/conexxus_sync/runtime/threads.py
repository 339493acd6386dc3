"""
Daemon threads for work that may hang and then is abandoned.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context


def start_thread(work: Callable[[], object], *, name: str) -> threading.Thread:
    """
    Begin *work* in a thread of its own, in the context of the caller.

    As a daemon, it keeps no process that wants to end.  Where no thread is to
    be had, the work is done here: that it might hang is the smaller evil.
    """
    thread = threading.Thread(target=copy_context().run, args=(work,), name=name, daemon=True)

    try:
        thread.start()
    except RuntimeError:
        work()

    return thread


def has_ended(thread: threading.Thread, *, within_s: float) -> bool:
    """
    Is *thread* over, or will it be in so many seconds?
    """
    # One that was never started can't be joined.
    if thread.is_alive():
        thread.join(within_s)

    return not thread.is_alive()
