"""
Transports: send requests over httpx or httpx2.

The only package that imports httpx, its continuation httpx2, and what they
are built on; the same code serves both, and no public type mentions either.
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

    from ._httpcore import HttpcoreTransport

    return HttpcoreTransport(config)


def open_async_transport(config: ClientConfig, http_client: object = None) -> AsyncTransport:
    """
    `open_transport` for an event loop.
    """
    if http_client is not None:
        from ._async_httpx import AsyncHttpxTransport

        return AsyncHttpxTransport(http_client)

    from ._async_httpcore import AsyncHttpcoreTransport

    return AsyncHttpcoreTransport(config)
