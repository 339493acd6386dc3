"""
What a check of `conexxus doctor` found.
"""

from enum import StrEnum

import attrs

from ._exit_codes import ExitCode


class Level(StrEnum):
    """
    How a check came out.
    """

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@attrs.frozen(kw_only=True)
class Finding:
    """
    The outcome of one check.

    Attributes:
        code: What it means for the exit code.
    """

    check: str
    level: Level = Level.OK
    message: str
    code: ExitCode = ExitCode.SUCCESS


def wrong(check: str, message: str) -> Finding:
    """
    A setting is missing or wrong.
    """
    return Finding(check=check, level=Level.PROBLEM, message=message, code=ExitCode.USAGE)


def broken(check: str, message: str) -> Finding:
    """
    Something does not work.
    """
    return Finding(check=check, level=Level.PROBLEM, message=message, code=ExitCode.FAILED)
