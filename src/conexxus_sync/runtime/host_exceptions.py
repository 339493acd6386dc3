"""
Exceptions of the host: which of them end the process, and what they say, safely.
"""

import signal
import threading
from collections.abc import Iterator
from types import CodeType


def ends_process(exc: BaseException) -> bool:
    """
    Is *exc* the end of this process, rather than an error of the host?

    That is what a signal raised in the main thread: Ctrl-C, and whatever a
    handler raises there.  A host that calls `sys.exit()` in the middle of a run
    has failed; it ends no other run.
    """
    if isinstance(exc, Exception) or threading.current_thread() is not threading.main_thread():
        return False
    if isinstance(exc, KeyboardInterrupt):
        return True

    return not _handlers().isdisjoint(_raised_in(exc))


def described(exc: BaseException, limit: int) -> str:
    """
    Type and text of *exc*; of one whose text can't be made, its type.
    """
    try:
        text = str(exc)[:limit]
    except Exception:  # noqa: BLE001  # its text is made by the host, too
        text = "its text can't be printed"

    name = type(exc).__name__

    return f"{name}: {text}" if text else name


def _handlers() -> set[CodeType]:
    """
    The code of every handler of a signal.
    """
    handlers = map(signal.getsignal, signal.valid_signals())
    codes = (
        getattr(getattr(handler, "__func__", handler), "__code__", None) for handler in handlers
    )

    return {code for code in codes if code is not None}


def _raised_in(exc: BaseException) -> Iterator[CodeType]:
    """
    The code of every frame that *exc* came through.
    """
    at = exc.__traceback__

    while at is not None:
        yield at.tb_frame.f_code
        at = at.tb_next
