"""
A real server around the shim, in a thread of its own.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from conexxus_client import ConfigurationError


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
    # Signals and logging belong to the program around it.
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
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


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        msg = f"{host}:{port} can't be listened on: {exc.strerror}"
        raise ConfigurationError([msg]) from exc

    return listener
