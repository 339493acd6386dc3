"""
Logging of runs: a logger whose handlers cannot break a run, and the run that
each record belongs to.

The run is a context variable: it belongs to what one thread does at the moment, and
goes along into the threads that this one begins.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs


@attrs.frozen
class _CurrentRun:
    run: str
    location: str


_at_work: ContextVar[_CurrentRun | None] = ContextVar("conexxus_run", default=None)


@contextmanager
def in_run(run_id: str, location_id: str) -> Iterator[None]:
    """
    Whatever is logged inside is about this run.
    """
    token = _at_work.set(_CurrentRun(run_id, location_id))

    try:
        yield
    finally:
        _at_work.reset(token)


class RunFilter(logging.Filter):
    """
    Gives each record the `run` and the `location` that were at work, unless
    it names them itself.

    Add it to a handler: a filter of a logger does not see what is logged
    below that logger.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """
        Every record passes.
        """
        at_work = _at_work.get()

        if at_work is not None:
            for name, value in attrs.asdict(at_work).items():
                vars(record).setdefault(name, value)

        return True


class SafeLogger(logging.LoggerAdapter[logging.Logger]):
    """
    A logger that lets nothing out that a handler or filter raises.

    `logging` asks handlers not to raise, but calls them in line, and some do.
    What they raise goes to stderr, where handlers report their own errors.
    """

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        # The frame that counts is that of our caller.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1

        try:
            self.logger.log(level, msg, *args, **kwargs)
        except Exception:  # noqa: BLE001  # a handler may raise whatever it likes
            record = self.logger.makeRecord(self.logger.name, level, "", 0, msg, args, None)
            logging.Handler().handleError(record)


def safe_logger(name: str) -> SafeLogger:
    """
    The logger of that name, made safe.
    """
    return SafeLogger(logging.getLogger(name))
