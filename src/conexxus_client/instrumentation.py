"""
Watching the client at work.

A hook is any callable that takes `CallDetails`.  What it raises is logged
and goes no further; it sees neither the key nor a body.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from .errors import ConexxusError


_logger = logging.getLogger("conexxus_client")
# Whether and where to log is the application's decision.
_logger.addHandler(logging.NullHandler())

_FAILED = {
    "catalogue": "Failed to fetch inventory items",
    "sales": "Failed to push sales",
    "health": "Failed to check API health",
}


@attrs.frozen(kw_only=True)
class CallDetails:
    """
    One call, as it ended.

    Attributes:
        call: `health`, `catalogue` (one page of it) or `sales`.
        url: Without its query.
        attempts: How many requests were sent.
        duration: Seconds, waits included.
        error: None if it succeeded.
    """

    call: str
    method: str
    url: str
    attempts: int
    duration: float
    status: int | None = None
    error: ConexxusError | None = None


Hook: TypeAlias = Callable[[CallDetails], None]


def notify(hooks: Iterable[Hook], details: CallDetails) -> None:
    """
    Tell everybody who wants to know, and the log if it went wrong.
    """
    if details.error is not None:
        _logger.error(
            _FAILED[details.call],
            extra={
                "url": details.url,
                "method": details.method,
                "status": details.status,
                "error": str(details.error),
                "attempts": details.attempts,
            },
        )

    for hook in hooks:
        try:
            hook(details)
        except Exception:
            _logger.exception("A hook of the client raised")
