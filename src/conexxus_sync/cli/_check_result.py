"""
The result of one check of `conexxus doctor`.
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
class CheckResult:
    """
    The outcome of one check.

    Attributes:
        code: What it means for the exit code.
        error_help: The entry of the error that was met, which says more than
            that of the check.
    """

    check: str
    level: Level = Level.OK
    message: str
    code: ExitCode = ExitCode.SUCCESS
    error_help: str | None = None

    @property
    def help(self) -> str | None:
        """
        The entry of the documentation that says what to do; None if all is well.
        """
        if self.level is Level.OK:
            return None

        return self.error_help or f"how-to/troubleshoot.md#doctor-{self.check.replace(' ', '-')}"


def misconfigured(check: str, message: str) -> CheckResult:
    """
    A setting is missing or wrong.
    """
    return CheckResult(check=check, level=Level.PROBLEM, message=message, code=ExitCode.USAGE)


def failure(check: str, message: str, *, error_help: str | None = None) -> CheckResult:
    """
    Something does not work.
    """
    return CheckResult(
        check=check,
        level=Level.PROBLEM,
        message=message,
        code=ExitCode.FAILED,
        error_help=error_help,
    )
