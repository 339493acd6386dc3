"""
Log records on stderr: one JSON document a line, or text for people.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from conexxus_client import AttemptDetails, CallDetails, ConexxusClient


Format = Literal["text", "json"]

# Where the command line logs each run, and each attempt that failed.
RUNS = "conexxus_sync.runs"
ATTEMPTS = "conexxus_sync.attempts"
# Where the client logs calls that failed.
CALLS = "conexxus_client"

_PLAIN = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's message once more, for terminals
}


def configure(how: Format, *, runs: bool = True) -> None:
    """
    Send what is logged to stderr.

    Args:
        runs: Also what became of each run, call and attempt; a command that
            tells it anyway does without.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if how == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in (RUNS, ATTEMPTS, CALLS):
        logging.getLogger(name).setLevel(logging.INFO if runs else logging.CRITICAL)
    # The families log each request at INFO, with its URL; we log the outcome.
    for chatty in ("httpx", "httpx2", "httpcore", "httpcore2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It knows what it repeats only as a block of code.
    logging.getLogger("stamina").setLevel(logging.ERROR)


def log_attempts(client: ConexxusClient) -> None:
    """
    Log each attempt of *client* that fails, instead of what stamina says.
    """
    from stamina.instrumentation import set_on_retry_hooks

    # Where structlog is installed, stamina's own would write to stdout.
    set_on_retry_hooks(())
    client.add_hook(_log_attempt)


def _log_attempt(details: AttemptDetails | CallDetails) -> None:
    if isinstance(details, AttemptDetails) and details.error is not None:
        logging.getLogger(ATTEMPTS).warning(
            "Conexxus attempt failed",
            extra={
                "call": details.call,
                "attempt": details.number,
                "status": details.status,
                "error": str(details.error),
            },
        )


class JsonFormatter(logging.Formatter):
    """
    `{"time": …, "level": …, "event": …}` and the fields of the event.
    """

    def format(self, record: logging.LogRecord) -> str:
        """
        One line, whatever is in the record.
        """
        document = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }

        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)

        return json.dumps(document, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """
    Time, level, event and its fields as `name=value`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """
        One line; what could steer a terminal is shown as an escape.
        """
        moment = _moment(record).astimezone().strftime("%H:%M:%S")
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        line = printable(f"{moment} {record.levelname.lower():<7} {record.getMessage()}{fields}")

        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def printable(text: str) -> str:
    """
    *text* without anything that moves a cursor or starts a new line.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}
