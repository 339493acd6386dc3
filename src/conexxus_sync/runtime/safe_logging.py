"""
A log whose handlers can't break what it tells of.
"""

import logging
from collections.abc import MutableMapping
from typing import Any


class SafeLogger(logging.LoggerAdapter[logging.Logger]):
    """
    A logger that lets nothing out that a handler or filter raises.

    `logging` asks handlers not to raise, but calls them in line, and some do.
    What they raise goes to stderr, where handlers report their own errors.
    """

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        # The frame that counts is that of our caller.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1

        try:
            super().log(level, msg, *args, **kwargs)
        except Exception:  # noqa: BLE001  # a handler may raise whatever it likes
            record = self.logger.makeRecord(self.logger.name, level, "", 0, msg, args, None)
            logging.Handler().handleError(record)


def safe_logger(name: str) -> SafeLogger:
    """
    The logger of that name, made safe.
    """
    return SafeLogger(logging.getLogger(name))
