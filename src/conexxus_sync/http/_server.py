"""
Runs the shim under uvicorn, in a thread.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conexxus_client import ConfigurationError

from ._middleware import MAX_HEAD
from ._routing import error


_BACKLOG = 1024
# Files that a shim may need: its connections, the store, and some to spare.
_FILES = 4096
_KEEP_ALIVE_SECONDS = 5


def address(text: str) -> tuple[str, int]:
    """
    Read `HOST:PORT`.

    Raises:
        ConfigurationError: It is something else.
    """
    host, _, port = text.rpartition(":")

    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError([f"--serve must be HOST:PORT like 127.0.0.1:3000, got {text!r}"])

    return host.strip("[]"), int(port)


@contextmanager
def serving(app: ASGIApp, host: str, port: int) -> Iterator[str]:
    """
    Serve *app* until the end of the block.

    Yields:
        Its base URL; port 0 picks a free one.

    Raises:
        ConfigurationError: The address can't be listened on.
    """
    listener = _listen(host, port)
    _allow_files(_FILES)
    server = uvicorn.Server(_settings(app))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="conexxus-shim", daemon=True
    )
    thread.start()
    shown = f"[{host}]" if ":" in host else host

    try:
        yield f"http://{shown}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class _Served:
    """
    *app*, as far as it takes a server around it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # RFC 9112, 3.2.2: a target may be a whole URL.
        if scope["path"].startswith(("http://", "https://")):
            scope["path"] = "/" + "".join(scope["path"].split("/", 3)[3:])

        async def sending(message: Message) -> None:
            # A connection whose body is not read to its end has no next request.
            if message.get("status") in (408, 413):
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            # The server ends, and has given this request its time.  Handlers
            # run in threads, so no answer has begun.
            answer = error(503, "The shim is being stopped: try again later.")
            await answer(scope, receive, send)


def _settings(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        _Served(app),
        # The one whose limit on a head can be set.
        http="h11",
        ws="none",
        # Nothing here has a lifespan, and signals and logging belong to the
        # program around it.
        lifespan="off",
        log_config=None,
        # It warns of each request that is none: anybody could fill the log.
        log_level="error",
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        msg = f"{host}:{port} can't be listened on: {exc.strerror}"
        raise ConfigurationError([msg]) from exc

    return listener


def _allow_files(wanted: int) -> None:
    """
    Raise the limit on open files, as far as this process may.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)

    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
