"""
Exit codes of the commands.
"""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """
    The outcome of a command, in one number.
    """

    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    REFUSED = 4
    UNKNOWN = 5
    BUSY = 6


_GRAVEST_FIRST = (
    ExitCode.BUSY,
    ExitCode.USAGE,
    ExitCode.UNKNOWN,
    ExitCode.REFUSED,
    ExitCode.FAILED,
    ExitCode.PARTIAL,
)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """
    The one code that stands for several outcomes.
    """
    seen = set(codes)

    return next((code for code in _GRAVEST_FIRST if code in seen), ExitCode.SUCCESS)
