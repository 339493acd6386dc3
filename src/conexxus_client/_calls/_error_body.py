"""
Errors of answers that are no success: the beginning of the body, and the class by status.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

from conexxus_client.errors import (
    AuthenticationError,
    ConexxusError,
    Delivery,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    StatusError,
)


_MAX_BYTES = 64 * 1024


def read_error_body(
    chunks: Iterator[bytes], is_overdue: Callable[[], bool] = lambda: False
) -> bytes:
    """
    The beginning of a body that may be endless, broken or slow.

    Args:
        is_overdue: Whether to stop reading after a chunk.
    """
    body = b""

    try:
        for chunk in chunks:
            body += chunk
            if len(body) > _MAX_BYTES or is_overdue():
                break
    except ConexxusError:
        pass

    return body[:_MAX_BYTES]


async def read_error_body_async(
    chunks: AsyncGenerator[bytes], is_overdue: Callable[[], bool] = lambda: False
) -> bytes:
    """
    `read_error_body` for an event loop.
    """
    body = b""

    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                body += chunk
                if len(body) > _MAX_BYTES or is_overdue():
                    break
    except ConexxusError:
        pass

    return body[:_MAX_BYTES]


_BY_STATUS: dict[int, type[StatusError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}

# With these the back office certainly refused; anything else may come from
# somebody in between, after the back office has acted.
_REFUSALS = frozenset({400, 401, 403, 404, 405, 407, 409, 410, 413, 414, 415, 422, 429, 431})


def error_for(status: int, *, target: str = "", advice: str = "", **evidence: Any) -> StatusError:
    """
    Pick the most specific error for an HTTP *status* from 300.

    Args:
        target: Where a redirect points to.
        advice: What to do about it.
        evidence: What else the error's class takes.
    """
    evidence["status"] = status
    evidence["delivery"] = Delivery.REJECTED if status in _REFUSALS else Delivery.UNKNOWN

    if status < 400:
        return RedirectError(target=target, **({"advice": advice} if advice else {}), **evidence)

    fallback = ServerError if status >= 500 else StatusError
    return _BY_STATUS.get(status, fallback)(**evidence)
