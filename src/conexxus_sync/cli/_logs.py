"""
Formats log records on stderr, as JSON or text.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from conexxus_client import AttemptDetails, CallDetails, ConexxusClient
from conexxus_sync.runtime.run_logging import RunFilter


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
    handler.addFilter(RunFilter())
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
    `{"time": …, "level": …, "logger": …, "event": …}` and the fields of the
    event: one line of printable characters, whatever is in the record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """
        A field with a name of ours gets an underscore, and replaces nothing.
        """
        document: dict[str, Any] = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }

        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            document["stack"] = self.formatStack(record.stack_info)

        for name, value in _fields(record).items():
            document[f"{name}_" if name in _OURS else name] = value

        return _UNPRINTABLE.sub(_as_json_escape, _as_json(document))


class TextFormatter(logging.Formatter):
    """
    Time, level, event and its fields as `name=value`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """
        One line, those of an exception indented; what could steer a terminal
        is shown as an escape.
        """
        moment = _moment(record).astimezone().strftime("%H:%M:%S")
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        lines = [printable(f"{moment} {record.levelname.lower():<7} {record.getMessage()}{fields}")]

        if record.exc_info:
            exception = self.formatException(record.exc_info)
            lines += [f"    {printable(line)}" for line in exception.split("\n")]

        return "\n".join(lines)


def printable(text: str) -> str:
    """
    *text* without anything that moves a cursor, turns the direction of
    writing, or starts a new line.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


# Fields that every event has; no other may pass for one of them.
_OURS = {"time", "level", "logger", "event", "exception", "stack"}

# Controls, line separators, and what turns the direction of writing; JSON
# itself asks only for those below U+0020 to be escaped (RFC 8259, 7).
_UNPRINTABLE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def _as_json_escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _as_json(document: dict[str, Any]) -> str:
    """
    *document*, with the texts of what JSON has no form for.
    """
    try:
        return json.dumps(document, ensure_ascii=False, default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # NaN, a key that is no text, or something that contains itself.
        plain = {
            name: value if _is_plain(value) else str(value) for name, value in document.items()
        }
        return json.dumps(plain, ensure_ascii=False)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | bool | int)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}
