"""
Both clients and both HTTP families behind one face.
"""

import asyncio
import os
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import trustme

from conexxus_client import (
    AsyncConexxusClient,
    ClientConfig,
    ConexxusClient,
    RetryPolicy,
)
from conexxus_client.testing import BackOffice, SandboxServer


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    A test is run with both clients and both families, of which the short run
    has two pairs: one of them or of their opposites, as its name has it. The
    others are run with the long proofs, at full scale.
    """
    if IS_SMALL:
        return

    for item in items:
        kinds = dict(getattr(getattr(item, "callspec", None), "indices", {}))
        if {"connect", "backend"} <= kinds.keys():
            pair = kinds.pop("connect") + kinds.pop("backend")
            name = f"{item.nodeid.partition('[')[0]} {sorted(kinds.items())}"
            if (zlib.crc32(name.encode()) + pair) % 2:
                item.add_marker(pytest.mark.long)


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

    def windows(self, **options: Any) -> list[Any]:
        with self.client.open_catalog(**options) as read:
            return list(read.windows())

    def tasks(self) -> set[Any]:
        return set()

    def finish(self) -> None:
        self.client.close()


class AsyncFace:
    """
    The asynchronous client, driven from outside its loop.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.runner = asyncio.Runner()
        self.finished = False

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

    def windows(self, **options: Any) -> list[Any]:
        async def read_all() -> list[Any]:
            async with self.client.open_catalog(**options) as read:
                return [window async for window in read.windows()]

        return self.runner.run(read_all())

    def tasks(self) -> set[Any]:
        """
        What goes on although no call does.
        """

        async def others() -> set[Any]:
            # httpcore leaves generators behind, which asyncio closes in tasks
            # of a few rounds.
            for _ in range(10):
                await asyncio.sleep(0)
            return asyncio.all_tasks() - {asyncio.current_task()}

        return self.runner.run(others())

    def finish(self) -> None:
        if self.finished:
            return
        self.finished = True
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


class RawServer:
    """
    A server that says exactly these bytes to whoever asks, and hangs up.
    """

    def __init__(self, script: bytes | Callable[[Callable[[bytes], None]], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._current: socket.socket | None = None
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._current is not None:
            with suppress(OSError):
                self._current.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._current = connection
                connection.settimeout(10)
                self.requests.append(_request(connection))
                if isinstance(self._script, bytes):
                    connection.sendall(self._script)
                else:
                    self._script(connection.sendall)
                # A polite end: what was said arrives before the hang-up does.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass


def _request(connection: socket.socket) -> bytes:
    """
    Head and body of a request; its body has a length.
    """
    data = b""
    # The answer to a TLS handshake is not waited for.
    while b"\r\n\r\n" not in data and not data.startswith(b"\x16"):
        if not (received := connection.recv(65_536)):
            raise OSError("hung up")
        data += received

    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65_536)

    return head + b"\r\n\r\n" + body


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """
    Starts servers that say what they are told.
    """
    started: list[RawServer] = []

    def start(script: Any) -> RawServer:
        started.append(RawServer(script))
        return started[-1]

    yield start

    for server in started:
        server.stop()


BODY = b'{"success":true,"data":{"status":"ok"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def tls_server():
    """
    Starts TLS servers that say they are well.
    """
    started = []

    def start(
        certificate: trustme.LeafCert,
        *,
        highest: ssl.TLSVersion | None = None,
        clients: trustme.CA | None = None,
        shown: list[Any] | None = None,
    ) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if clients is not None:
            clients.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        if highest is not None:
            if highest < ssl.TLSVersion.TLSv1_2:
                context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = highest
            context.set_ciphers("ALL:@SECLEVEL=0")
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(
            target=_serve, args=(listener, context, [] if shown is None else shown)
        )
        thread.start()
        started.append((listener, thread))
        return f"https://localhost:{listener.getsockname()[1]}"

    yield start

    for listener, thread in started:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _hang_up(connection: socket.socket) -> None:
    """
    Close it once the other side has: what it has sent must not undo the alert.
    """
    with connection:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass


def _serve(listener: socket.socket, context: ssl.SSLContext, shown: list[Any]) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        try:
            secure = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            secure.settimeout(5)
            try:
                secure.do_handshake()
            except ssl.SSLError:
                _hang_up(socket.socket(fileno=secure.detach()))
                continue
            with secure:
                secure.recv(65_536)
                if certificate := secure.getpeercert():
                    shown += [name for _, name in certificate["subjectAltName"]]
                secure.sendall(ANSWER)
        except OSError:
            continue
