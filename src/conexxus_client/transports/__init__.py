"""
How requests leave the process.

The only place that knows httpx and its continuation httpx2, and what they
are built on; both are spoken to by the same code, and no public type
mentions either.
"""

from conexxus_client._calls._wire_types import AsyncTransport, Transport
from conexxus_client.config import ClientConfig


def open_transport(config: ClientConfig, http_client: object = None) -> Transport:
    """
    The transport for *config*, or one around an injected client.

    Raises:
        ConfigurationError: The family is not installed or not recognised.
    """
    if http_client is not None:
        from ._httpx import HttpxTransport

        return HttpxTransport(http_client)

    from ._httpcore import CoreTransport

    return CoreTransport(config)


def open_async_transport(config: ClientConfig, http_client: object = None) -> AsyncTransport:
    """
    `open_transport` for an event loop.
    """
    if http_client is not None:
        from ._async_httpx import AsyncHttpxTransport

        return AsyncHttpxTransport(http_client)

    from ._async_httpcore import AsyncCoreTransport

    return AsyncCoreTransport(config)
