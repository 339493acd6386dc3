"""
A clock that nobody can set, and that does not stand still while the computer
is suspended.

`time.monotonic` does, on Linux and macOS.
"""

import time


# Linux's counts sleep; elsewhere it is that of `clock_gettime`, which on macOS
# does, too, while Windows has none, and a monotonic clock that does.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def uptime() -> float:
    """
    Seconds since some moment in the past.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
