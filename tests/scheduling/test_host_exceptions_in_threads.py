"""
Facts about a host that ends its thread.
"""

import sys
from datetime import UTC, date, datetime

import pytest

from conexxus_sync import RunStatus

from .triggered import joined


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)

CASE = pytest.mark.case(
    "E7",
    "the host's order source or catalogue storage calls sys.exit in a run that was triggered",
    "the run fails, and history and log say so",
)


class Leaving:
    def apply(self, changes):
        sys.exit(1)

    def transactions(self, location_id, business_date):
        sys.exit(1)


@CASE
@pytest.mark.parametrize("name", ["pull", "push"])
def test_triggered_run(new_service, clock, name):
    """
    A pull and a push are in the history, with what the host did.
    """
    service = new_service(orders=Leaving(), catalog=Leaving())
    clock.advance_to(PUSH_TIME)

    trigger = service.trigger_sync() if name == "pull" else service.trigger_push(DAY)
    run = service.run(joined(trigger).run_id)

    assert run.status in (RunStatus.FAILED, RunStatus.PARTIAL)
    assert any("SystemExit: 1" in issue.error for issue in run.errors)


@CASE
def test_scheduled_push(new_service, clock):
    """
    A scheduled push tells the same.
    """
    service = new_service(orders=Leaving(), catalog=Leaving())
    clock.advance_to(PUSH_TIME)
    service.run_due(clock.now().replace(hour=12))

    runs = service.run_due(clock.now())

    assert any("SystemExit: 1" in (run.last_error or "") for run in runs)


@CASE
def test_work_that_ends_its_thread(new_service, caplog):
    """
    Whatever ends the thread of a triggered run is logged, and the run is known.
    """
    service = new_service(orders=Leaving(), catalog=Leaving())
    runs = service._engines.background_runs
    sales = service.sales

    trigger = runs.start(sales.acquire, lambda lease: sys.exit(1))
    run = runs.failed(joined(trigger).run_id)

    assert run.status is RunStatus.FAILED
    assert "unexpected SystemExit" in run.last_error
    assert f"Run {trigger.run_id} failed" in caplog.text
