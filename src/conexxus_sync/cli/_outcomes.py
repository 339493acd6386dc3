"""
What runs and errors mean to the shell, and to programs.
"""

from typing import Any

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.errors import DateClosedError, RunInProgressError
from conexxus_sync.model.runs import RunStatus, SyncRun

from ._exit_codes import ExitCode


def code_of_run(run: SyncRun) -> ExitCode:
    """
    How *run* ended.
    """
    if run.delivery_unknown:
        return ExitCode.UNKNOWN
    if run.refused:
        return ExitCode.REFUSED
    if run.status is RunStatus.FAILED:
        return ExitCode.FAILED

    return ExitCode.PARTIAL if run.status is RunStatus.PARTIAL else ExitCode.SUCCESS


def error_document(error: ConexxusError) -> dict[str, Any]:
    """
    *error* for programs, in place of the runs that did not take place.
    """
    document: dict[str, Any] = {"error": error.explanation, "help": error.help}

    if isinstance(error, RunInProgressError):
        document["runId"] = error.run_id
    if code_of_error(error) is ExitCode.USAGE:
        document["problems"] = list(getattr(error, "problems", [str(error)]))

    return document


def code_of_error(error: ConexxusError) -> ExitCode:
    """
    What an error means that kept a run from taking place.
    """
    if isinstance(error, RunInProgressError):
        return ExitCode.BUSY

    wrong_use = isinstance(error, ConfigurationError | DateClosedError)

    return ExitCode.USAGE if wrong_use else ExitCode.FAILED
