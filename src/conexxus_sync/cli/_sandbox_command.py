"""
`conexxus sandbox`.
"""

import json
import logging
from pathlib import Path
from typing import Any

from conexxus_client import ConfigurationError

from ._console import write_error, write_json_line, write_lines
from ._printable import conceal
from ._session import Session
from ._signals import StopEvent, service_exit_code, stop_gracefully


logger = logging.getLogger(__name__)


def sandbox(
    *,
    port: int = 8080,
    host: str = "127.0.0.1",
    items: int | None = None,
    catalog: Path | None = None,
    api_key: str = "sandbox-key",
    page_size: int | None = None,
    faults: str = "",
    ledger: Path | None = None,
    session: Session,
) -> int:
    """
    Run a fake back office to try things on, until you press Ctrl-C.

    It keeps the whole contract, and books that say which sales are effective:
    see them at /sandbox/ledger. Faults can be chosen.

    ```
    conexxus sandbox --port 8080 --items 1000
    conexxus sandbox --catalog items.ndjson --ledger books.ndjson
    conexxus sandbox --faults 'sales: 503*2, after_commit(reset)'
    ```

    Args:
        port: Where it listens; 0 takes any free one.
        host: On which address.
        items: How many items to make up.
        catalog: A file with one JSON item a line, instead.
        api_key: The key that it asks for.
        page_size: How many items a page has; all in one by default.
        faults: What goes wrong, in the fault language.
        ledger: A file that keeps the books from one start to the next.
    """
    if items is not None and catalog is not None:
        raise ConfigurationError(["--items and --catalog can't go together"])
    if not 0 <= port <= 65535:
        raise ConfigurationError([f"--port must be from 0 to 65535, got {port}"])
    if catalog is not None:
        _check(catalog)

    stop = StopEvent()

    with stop_gracefully(stop) as received:
        from conexxus_client.testing import BackOffice, SandboxServer

        settings: dict[str, Any] = {"api_key": api_key, "page_size": page_size, "faults": faults}
        if items is not None or catalog is not None:
            settings["catalog"] = catalog if items is None else items

        try:
            office = BackOffice(ledger=ledger, **settings)
            server = SandboxServer(office, host=host, port=port, log=logger.info).start()
        except (ValueError, OSError) as exc:
            raise ConfigurationError([f"the sandbox can't start: {exc}"]) from exc

        with server:
            # Its key is to be copied, though a variable has the same.
            conceal({})
            _announce(server.url, api_key, as_json=session.json)
            stop.wait()

    write_error("the sandbox has stopped.")

    return service_exit_code(received[0])


def _check(catalog: Path) -> None:
    """
    See that each line of the file is JSON, whatever else it may be.

    Raises:
        ConfigurationError: Naming the first line that is none.
    """
    try:
        with catalog.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    _read(line, f"{catalog}, line {number}")
    except OSError as exc:
        raise ConfigurationError([f"--catalog {catalog} can't be read: {exc.strerror}"]) from exc


def _read(line: bytes, where: str) -> None:
    try:
        # Numbers need no value here, and may have more digits than `int` takes.
        json.loads(line, parse_int=len, parse_float=len)
    except (ValueError, RecursionError) as exc:
        raise ConfigurationError([f"--catalog {where} is not JSON"]) from exc


def _announce(url: str, api_key: str, *, as_json: bool) -> None:
    if as_json:
        write_json_line({"url": url, "apiKey": api_key})
        return

    write_lines(
        [
            f"The sandbox listens on {url}; Ctrl-C ends it. Copy these lines into another shell:",
            "",
            f"export CONEXXUS_API_URL={url}",
            f"export CONEXXUS_API_KEY={api_key}",
            "",
            "Then try: conexxus pull",
        ]
    )
