"""
Formats log records on stderr, as JSON or text.
"""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from conexxus_sync.model.formatting import money
from conexxus_sync.runtime.run_logging import RunFilter

from ._arguments import Format
from ._printable import printable, redacted
from ._printed_commands import completed


# Where the command line logs each run, and each attempt that failed.
RUNS = "conexxus_sync.runs"
ATTEMPTS = "conexxus_sync.attempts"
# Where the client logs calls that failed.
CALLS = "conexxus_client"

# What a record has, whatever it is about; uvicorn's is its message once more.
_PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"}


def configure(
    how: Format, *, runs: bool = True, zone: Callable[[], ZoneInfo | None] = lambda: None
) -> None:
    """
    Send what is logged to stderr.

    Args:
        zone: Returns the store's zone, for the moments of texts.
        runs: Also what became of each run, call and attempt; a command that
            writes it anyway does without.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json_formatter() if how == "json" else TextFormatter(zone))
    handler.addFilter(RunFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in (RUNS, ATTEMPTS, CALLS):
        logging.getLogger(name).setLevel(logging.INFO if runs else logging.CRITICAL)
    # The families log each request at INFO, with its URL; we log the outcome.
    for chatty in ("httpx", "httpx2", "httpcore", "httpcore2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It knows what it repeats only as a block of code.
    logging.getLogger("stamina").setLevel(logging.ERROR)


def _json_formatter() -> logging.Formatter:
    from ._json_log import JsonFormatter

    return JsonFormatter()


class TextFormatter(logging.Formatter):
    """
    Time, level, event and its fields as `name=value`.

    Args:
        zone: Returns the store's zone; None for the system's.
    """

    def __init__(self, zone: Callable[[], ZoneInfo | None] = lambda: None) -> None:
        super().__init__()
        self._zone = zone

    @cached_property
    def zone(self) -> ZoneInfo | None:
        """
        Read when the first line is logged: not each command logs.
        """
        return self._zone()

    def format(self, record: logging.LogRecord) -> str:
        """
        One line, those of an exception indented; what could steer a terminal
        is shown as an escape.
        """
        moment = datetime.fromtimestamp(record.created, UTC).astimezone(self.zone)
        fields = "".join(
            f"  {name}={money(value) if isinstance(value, Decimal) else value}"
            for name, value in vars(record).items()
            if name not in _PLAIN
        )
        said = completed(f"{record.getMessage()}{fields}")
        lines = [printable(f"{moment:%H:%M:%S %Z} {record.levelname.lower():<7} {said}")]

        if record.exc_info:
            exception = self.formatException(record.exc_info)
            lines += [f"    {printable(line)}" for line in exception.split("\n")]

        return redacted("\n".join(lines))
