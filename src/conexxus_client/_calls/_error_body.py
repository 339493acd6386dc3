"""
As much of an error's body as can be had: the status says it all anyway.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

from conexxus_client.errors import ConexxusError


_ENOUGH = 64 * 1024


def explanation(chunks: Iterator[bytes], until: Callable[[], bool] = lambda: False) -> bytes:
    """
    The beginning of a body that may be endless, broken or slow.

    Args:
        until: Whether it has taken long enough.
    """
    body = b""

    try:
        for chunk in chunks:
            body += chunk
            if len(body) > _ENOUGH or until():
                break
    except ConexxusError:
        pass

    return body[:_ENOUGH]


async def explanation_async(
    chunks: AsyncGenerator[bytes], until: Callable[[], bool] = lambda: False
) -> bytes:
    """
    `explanation` for an event loop.
    """
    body = b""

    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                body += chunk
                if len(body) > _ENOUGH or until():
                    break
    except ConexxusError:
        pass

    return body[:_ENOUGH]
