"""
Both clients and both HTTP families behind one face.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conexxus_client import (
    AsyncConexxusClient,
    ClientConfig,
    ConexxusClient,
    RetryPolicy,
)
from conexxus_client.testing import BackOffice, SandboxServer


class SyncFace:
    """
    The synchronous client, and `pages` for a whole catalogue at once.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.client = ConexxusClient(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def pages(self, **options: Any) -> tuple[Any, list[Any]]:
        with self.client.open_catalog(**options) as read:
            return read, list(read.pages)

    def finish(self) -> None:
        self.client.close()


class AsyncFace:
    """
    The asynchronous client, driven from outside its loop.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.runner = asyncio.Runner()

        async def make() -> AsyncConexxusClient:
            return AsyncConexxusClient(*args, **options)

        try:
            self.client = self.runner.run(make())
        except BaseException:
            self.runner.close()
            raise

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            return self.runner.run(getattr(self.client, name)(*args, **options))

        return call

    def iter_items(self, **options: Any) -> Iterator[Any]:
        stream = self.client.iter_items(**options)

        try:
            while (item := self.runner.run(anext(stream, None))) is not None:
                yield item
        finally:
            self.runner.run(stream.aclose())

    def pages(self, **options: Any) -> tuple[Any, list[Any]]:
        async def read_all() -> tuple[Any, list[Any]]:
            async with self.client.open_catalog(**options) as read:
                return read, [page async for page in read.pages]

        return self.runner.run(read_all())

    def finish(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


Connect = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, backend: str) -> Iterator[Connect]:
    """
    Makes clients of either kind; they are closed at the end.
    """
    face = SyncFace if request.param == "sync" else AsyncFace
    made: list[Any] = []

    def make(url: str, *, api_key: str = "sandbox-key", **options: Any) -> Any:
        settings = {
            name: options.pop(name) for name in list(options) if name in ClientConfig.__slots__
        }
        config = ClientConfig(
            api_url=url, api_key=api_key, http_backend=backend, **{"retry_delay_ms": 1} | settings
        )
        made.append(face(config, **options))
        return made[-1]

    yield make

    for client in made:
        client.finish()


@pytest.fixture(params=["httpx", "httpx2"])
def backend(request: pytest.FixtureRequest) -> str:
    """
    The HTTP family.
    """
    return str(request.param)


@pytest.fixture
def office() -> BackOffice:
    """
    A back office; tests change it as they like.
    """
    return BackOffice()


@pytest.fixture
def server(office: BackOffice) -> Iterator[SandboxServer]:
    """
    The back office on a real port.
    """
    with SandboxServer(office) as running:
        yield running


@pytest.fixture
def no_wait() -> RetryPolicy:
    """
    Retries that wait hardly at all.
    """
    return RetryPolicy(retries=3, delay=0.001)
