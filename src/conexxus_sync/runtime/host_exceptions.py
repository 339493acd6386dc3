"""
Exceptions of the host: which of them end the process, and what they say, safely.
"""

import signal
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType


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
    Type and text of *exc*, and where the host raised it; of one whose text
    can't be made, its type.
    """
    try:
        text = str(exc)[:limit]
    except Exception:  # noqa: BLE001  # its text is made by the host, too
        text = "its text can't be printed"

    name = type(exc).__name__

    said = f"{name}: {text}" if text else name
    place = _place(exc)

    return f"{said} ({place})" if place else said


def _place(exc: BaseException) -> str:
    """
    Class, file and line of the host's code that *exc* came from, if it is any.

    What the host calls does not explain it: the place is the last one in the
    package in which the SDK called the host.
    """
    hosts = [frame for frame in _frames(exc) if _package(frame[0]) not in _OURS]
    of_package = [frame for frame in hosts if _package(frame[0]) == _package(hosts[0][0])]

    if not of_package:
        return ""

    frame, line = of_package[-1]
    code = frame.f_code

    return f"{code.co_qualname}, {Path(code.co_filename).name} line {line}"


_OURS = ("conexxus_client", "conexxus_sync", "importlib")


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


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
    return (frame.f_code for frame, _ in _frames(exc))


def _frames(exc: BaseException) -> Iterator[tuple[FrameType, int]]:
    """
    Every frame that *exc* came through, with its line.
    """
    return traceback.walk_tb(exc.__traceback__)
