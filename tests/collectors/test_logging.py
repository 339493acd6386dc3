"""
Those who watch runs.
"""

import logging
from datetime import UTC, datetime

import attrs

from conexxus_sync import LoggingCollector, RunKind, RunStatus, SyncRun


RUN = SyncRun(
    id="r1",
    kind=RunKind.INVENTORY,
    location_id="loc-001",
    status=RunStatus.PARTIAL,
    start_time=datetime(2026, 1, 2, tzinfo=UTC),
    items_processed=3,
    items_succeeded=2,
    items_failed=1,
)


def test_log_keeps_its_words(caplog):
    """
    The event and its fields are those that people already search for.
    """
    caplog.set_level(logging.INFO)

    LoggingCollector().run_finished(RUN)

    (record,) = caplog.records
    assert record.getMessage() == "Conexxus inventory sync completed"
    assert (record.processed, record.succeeded, record.failed) == (3, 2, 1)
    assert record.levelno == logging.WARNING


def test_failed_run_is_an_error(caplog):
    """
    A failure is logged as one, with its reason.
    """
    LoggingCollector().run_finished(attrs.evolve(RUN, status=RunStatus.FAILED, last_error="why"))

    (record,) = caplog.records
    assert record.getMessage() == "Conexxus inventory sync failed"
    assert (record.levelno, record.error) == (logging.ERROR, "why")


def test_notes_say_of_which_run(caplog):
    """
    A note is that of a pull, or of a push.
    """
    for kind in RunKind:
        LoggingCollector().run_finished(attrs.evolve(RUN, kind=kind, note="look"))

    found = [it.getMessage() for it in caplog.records if "note" in it.getMessage()]
    assert found == ["Conexxus inventory note: look", "Conexxus sales note: look"]
