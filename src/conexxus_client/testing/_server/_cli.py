"""
The sandbox's command: serves a back office until a signal.
"""

import _thread
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conexxus_client.testing._back_office import API_KEY, BackOffice
from conexxus_client.testing._catalogue._catalog_sources import SAMPLE, CatalogLike

from ._sandbox_server import SandboxServer


SLICE_SECONDS = 0.5


def run_server(
    port: int = 8080,
    host: str = "127.0.0.1",
    *,
    items: int | None = None,
    catalog: Path | str | None = None,
    api_key: str = API_KEY,
    page_size: int | None = None,
    faults: str = "",
    ledger: Path | str | None = None,
    on_ready: Callable[[SandboxServer], None] | None = None,
    log: Callable[[str], None] | bool = False,
    stop: threading.Event | None = None,
    **settings: Any,
) -> None:
    """
    Serve a fake back office until SIGINT, SIGTERM or *stop*.

    Args:
        items: How many items to generate.
        catalog: A file with one JSON item a line, instead.
        ledger: A file that keeps the books, continued at the next start.
        on_ready: Called once the port is open, with the server.
        log: Called with a line for each request; True writes to stderr.
        settings: Passed on to `BackOffice`.

    Raises:
        FaultSyntaxError: The script of faults can't be read.
        OSError: The port is taken, or a file can't be read.
        ValueError: The ledger's file is not one.
    """
    office = BackOffice(
        _catalog_from(items, catalog),
        api_key=api_key,
        page_size=page_size,
        faults=faults,
        ledger=Path(ledger) if ledger else None,
        **settings,
    )
    stop = stop or threading.Event()
    server = SandboxServer(office, host=host, port=port, log=_log_function(log))

    with _signals(stop), server:
        if on_ready:
            on_ready(server)
        # In slices: a signal in the instant before a wait does not end it.
        while not stop.wait(SLICE_SECONDS):
            pass


def _catalog_from(items: int | None, catalog: Path | str | None) -> CatalogLike:
    if catalog is not None:
        return Path(catalog)

    return SAMPLE if items is None else items


def _log_function(log: Callable[[str], None] | bool) -> Callable[[str], None] | None:
    if callable(log):
        return log

    return _write_line if log else None


def _write_line(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """
    Let SIGINT and SIGTERM set *stop*, where signals can be handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(*_: object) -> None:
        # An event's lock is not reentrant: the handler may have interrupted
        # `stop.wait` while it holds it, so another thread has to set it.
        _thread.start_new_thread(stop.set, ())

    wanted = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, handle) for number in wanted]
    try:
        yield
    finally:
        for number, handler in zip(wanted, previous, strict=True):
            signal.signal(number, handler)
