"""
Hooks that observe the client's attempts and calls.

A hook is any callable that takes details, of an attempt or of a whole call.
What it raises is logged and goes no further.  It sees neither the key nor a
body nor a query string.

Hooks are called in line, like those of httpx and OpenTelemetry: on the thread
and event loop of the call, which waits for them.  So a hook must not block.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from conexxus_client.errors import ConexxusError


@attrs.frozen(kw_only=True)
class AttemptDetails:
    """
    One request that was sent, or should have been.

    Attributes:
        call: `health`, `catalogue` (one page of it) or `sales`.
        url: Without its query.
        number: From 1.
        duration: Seconds until the answer was read; of a catalogue, until
            its first items were.
        status: HTTP status, if an answer came.
        error: None if it succeeded.
    """

    call: str
    method: str
    url: str
    number: int
    duration: float
    status: int | None = None
    error: ConexxusError | None = None


@attrs.frozen(kw_only=True)
class CallDetails:
    """
    One call, as it ended.

    Attributes:
        call: `health`, `catalogue` (one page of it) or `sales`.
        url: Without its query.
        attempts: How many requests were sent.
        duration: Seconds, waits included.
        status: HTTP status of the last attempt, if an answer came.
        error: None if it succeeded.
    """

    call: str
    method: str
    url: str
    attempts: int
    duration: float
    status: int | None = None
    error: ConexxusError | None = None


Hook: TypeAlias = Callable[[AttemptDetails | CallDetails], None]

_logger = logging.getLogger("conexxus_client")
# Whether and where to log is the application's decision.
_logger.addHandler(logging.NullHandler())

_FAILURE_MESSAGES = {
    "catalogue": "Failed to fetch inventory items",
    "sales": "Failed to push sales",
    "summary": "Failed to fetch sales totals",
    "health": "Failed to check API health",
}


def notify(hooks: Iterable[Hook], details: AttemptDetails | CallDetails) -> None:
    """
    Log a call that failed, and call the hooks.

    Whatever a hook or a logging handler raises, the call goes on.
    """
    for receiver in (_log_failure, *hooks):
        try:
            receiver(details)
        except Exception as exc:  # noqa: BLE001  # both may raise whatever they like
            _log_hook_error(exc)


def _log_hook_error(error: Exception) -> None:
    message = "A hook of the client raised"

    try:
        _logger.error(message, exc_info=error)
    except Exception:  # noqa: BLE001  # it is the log that raises
        # Where handlers report their own errors.
        logging.Handler().handleError(logging.makeLogRecord({"msg": message}))


def _log_failure(details: AttemptDetails | CallDetails) -> None:
    if isinstance(details, CallDetails) and details.error is not None:
        _logger.error(
            _FAILURE_MESSAGES[details.call],
            extra={
                "url": details.url,
                "method": details.method,
                "status": details.status,
                "error": details.error.explanation,
                "attempts": details.attempts,
            },
        )
