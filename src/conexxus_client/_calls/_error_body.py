"""
Reads the body of an error answer: its beginning, as far as it arrives.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

from conexxus_client.errors import ConexxusError


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
