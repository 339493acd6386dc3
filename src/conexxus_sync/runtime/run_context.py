"""
Which run is at work, for whatever is logged meanwhile.

A context variable: it belongs to what one thread does at the moment, and
goes along into the threads that this one begins.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import attrs


@attrs.frozen
class _RunAtWork:
    run: str
    location: str


_at_work: ContextVar[_RunAtWork | None] = ContextVar("conexxus_run", default=None)


@contextmanager
def in_run(run_id: str, location_id: str) -> Iterator[None]:
    """
    Whatever is logged inside is about this run.
    """
    token = _at_work.set(_RunAtWork(run_id, location_id))

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
