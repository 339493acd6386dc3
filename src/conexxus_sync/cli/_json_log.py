"""
Log records as JSON: one line of printable characters each.

A module of its own, because only logs in JSON are worth the import.
"""

import json
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS, LogData
from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

from ._printable import printable_json, redacted
from ._printed_commands import completed


# What the fields that every event has are called in a record. A field of an
# event with one of their names gets an underscore, and replaces nothing.
_NAMES = {
    "created": "time",
    "levelname": "level",
    "name": "logger",
    "message": "event",
    "exc_info": "exception",
    "stack_info": "stack",
}
_RENAMED = {**_NAMES, **{name: f"{name}_" for name in _NAMES.values()}}


class JsonFormatter(_JsonFormatter):
    """
    `{"time": …, "level": …, "logger": …, "event": …}` and the fields of the
    event: one line of printable characters, whatever is in the record.
    """

    def __init__(self) -> None:
        super().__init__(
            ["created", "levelname", "name", "message"],
            rename_fields=_RENAMED,
            # uvicorn's message once more, for terminals.
            reserved_attrs=[*RESERVED_ATTRS, "taskName", "color_message"],
            json_serializer=_as_json,
            json_ensure_ascii=False,
        )

    def process_log_record(self, log_data: LogData) -> LogData:
        """
        Moments in UTC, to the millisecond; levels in small letters.
        """
        moment = datetime.fromtimestamp(log_data["time"], UTC)

        texts = {name: completed(it) for name, it in log_data.items() if isinstance(it, str)}

        return {
            **log_data,
            **texts,
            "time": moment.isoformat(timespec="milliseconds"),
            "level": log_data["level"].lower(),
        }


def _as_json(document: LogData, **options: Any) -> str:
    """
    *document*, with the texts of what JSON has no form for.
    """
    try:
        text = json.dumps(document, **options, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # NaN, a key that is no text, or something that contains itself.
        text = json.dumps({k: v if _is_plain(v) else str(v) for k, v in document.items()})

    return printable_json(redacted(text))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | bool | int)
