"""
Boot time: a monotonic clock that goes on while the computer is suspended.

`time.monotonic` stops then, on Linux and macOS.
"""

import time


# Linux's counts sleep; elsewhere it is that of `clock_gettime`, which on macOS
# does, too, while Windows has none, and a monotonic clock that does.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def boottime() -> float:
    """
    Seconds since some moment in the past.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
