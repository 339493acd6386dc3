"""
A handler of logs may raise or hang: runs go on.
"""

import logging
import threading
from datetime import UTC, date, datetime

import pytest

from conexxus_sync import LoggingCollector, RunStatus

from .logs import handling


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


class RaisingHandler(logging.Handler):
    """
    A handler of logs that breaks the rule, and raises.
    """

    records = 0

    def emit(self, record):
        self.records += 1
        raise OSError("the disk of the logs is full")


class BrokenCollector:
    """
    Raises whatever it is told.
    """

    def run_started(self, run):
        raise RuntimeError("the disk of the metrics is full")

    run_finished = run_started


@pytest.mark.fault(
    "K10", "Collectors, a hook and a handler of logs raise", "each run has its result"
)
@pytest.mark.parametrize("logger", ["conexxus_sync", "conexxus_client"])
def test_log_handler_that_raises(new_service, office, till, clock, logger, capfd):
    """
    A handler of logs that raises breaks neither pull nor push and hides no
    result: not of what goes well, nor of what fails.
    """
    service = new_service(orders=till, collectors=[BrokenCollector(), LoggingCollector()])
    service.client.add_hook(BrokenCollector().run_started)

    with handling(RaisingHandler(), logger) as handler:
        office.faults("catalog: 503; sales: 503")
        failed, (unknown,) = service.sync_inventory(), service.push_sales(DAY)
        clock.advance(minutes=10)
        pull, (push,) = service.sync_inventory(), service.push_sales(DAY)

    assert handler.records > 0
    assert (failed.status, failed.last_error) == (
        RunStatus.FAILED,
        (
            "Conexxus API server error (503). Try again later. "
            "The answer said: A fault of the sandbox."
        ),
    )
    assert (unknown.status, unknown.delivery_unknown) == (RunStatus.FAILED, True)
    assert (pull.status, push.status) == (RunStatus.SUCCESS, RunStatus.SUCCESS)
    assert office.effective_batches == [{f"t{DAY}"}]
    assert "the disk of the logs is full" in capfd.readouterr().err


@pytest.mark.fault("K10", "A handler of logs raises in the scheduler", "it goes on")
def test_log_handler_that_raises_in_the_scheduler(new_service, office, till, clock):
    """
    A scheduler whose every word fails goes on.
    """
    service, stop = new_service(orders=till), threading.Event()
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)
    service.client.add_hook(lambda details: details.call == "sales" and stop.set())
    office.faults("catalog: 503")

    with handling(RaisingHandler(), "conexxus_sync", "conexxus_client"):
        service.run_forever(stop)

    assert office.requests["sales"] == 1


@pytest.mark.fault("K10", "A handler of logs hangs in a collector", "runs go on")
def test_log_handler_that_hangs(new_service, gate, hasty, till):
    """
    A log that hangs holds up no collector's run for longer than a collector
    may: not even the warning that it hangs.
    """

    class HangingHandler(logging.Handler):
        def emit(self, record):
            gate.hang()

    service = new_service(collectors=[LoggingCollector()], orders=till)

    with handling(HangingHandler(), "conexxus_sync"):
        logging.getLogger("conexxus_sync").setLevel(logging.INFO)
        pull, (push,) = service.sync_inventory(), service.push_sales(DAY)
        gate.opened.set()
        logging.getLogger("conexxus_sync").setLevel(logging.NOTSET)

    assert gate.reached.is_set()
    assert (pull.status, push.status) == (RunStatus.SUCCESS, RunStatus.SUCCESS)
