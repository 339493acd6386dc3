"""
Facts about what an order source may raise.
"""

import asyncio
import os
import signal
import sys
from datetime import date

import pytest

from conexxus_sync.model.runs import RunKind, RunStatus
from peeks import peek


DAY, EARLIER = date(2026, 1, 2), date(2026, 1, 1)

CASE = pytest.mark.case(
    "E7",
    "an order source calls sys.exit, or raises something that is no Exception or cannot be printed",
    "the date fails with a run that says so, and the other dates are pushed",
)


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Quit(BaseException):
    pass


def leave():
    sys.exit()


def raising(exc):
    def act():
        raise exc

    return act


class Source:
    """
    Acts strangely on one date, before, within or after its sales.
    """

    def __init__(self, till, act, where):
        self.till, self.act, self.where = till, act, where

    def transactions(self, location_id, business_date):
        bad = business_date == EARLIER
        if bad and self.where == "call":
            self.act()
        return self._sales(bad=bad)

    def _sales(self, *, bad):
        if bad and self.where == "first":
            self.act()
        yield self.till.sale("bad" if bad else "good")
        if bad and self.where == "last":
            self.act()


ACTS = [
    (leave, "SystemExit"),
    (raising(SystemExit(3)), "SystemExit: 3"),
    (raising(Quit("enough")), "Quit: enough"),
    (raising(asyncio.CancelledError()), "CancelledError"),
    (raising(GeneratorExit()), "GeneratorExit"),
    (raising(UnprintableError()), "UnprintableError: its text can't be printed"),
    (raising(StopIteration()), ""),
]


@CASE
@pytest.mark.parametrize("where", ["call", "first", "last"])
@pytest.mark.parametrize(("act", "said"), ACTS)
def test_any_exception_fails_its_date(till, act, said, where):
    """
    The run of the date says what it was; later dates are pushed.
    """
    till.orders = Source(till, act, where)

    bad, good = till.push()

    assert (bad.business_date, bad.status) == (EARLIER, RunStatus.FAILED)
    assert f"the order source failed for business date {EARLIER}" in bad.last_error
    assert said in bad.last_error
    assert (good.business_date, good.status) == (DAY, RunStatus.SUCCESS)
    assert till.effective() == ["good"]
    assert len(peek(till.store).runs.history(RunKind.SALES)) == 2


@CASE
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, Quit])
def test_signal_ends_the_push(till, signum, raised):
    """
    What a signal raises in the main thread is no error of the host: the push
    ends there, and nothing of the date is delivered.
    """

    def handle(signum, frame):
        raise raised

    def act():
        os.kill(os.getpid(), signum)
        for _ in range(1_000_000):
            pass

    before = signal.signal(signum, handle)
    till.orders = Source(till, act, "last")
    try:
        with pytest.raises(raised):
            till.push()
    finally:
        signal.signal(signum, before)

    assert till.effective() == []
