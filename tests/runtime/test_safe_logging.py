"""
What a logger of the SDK tells its handlers.
"""

from conexxus_sync.runtime.run_logging import safe_logger


def test_safe_log_names_its_caller(caplog):
    """
    What a handler is told of where a record comes from is still true.
    """
    safe_logger("conexxus_sync.here").warning("%s", "look", extra={"run": "r1"})

    (record,) = caplog.records
    assert (record.funcName, record.getMessage()) == ("test_safe_log_names_its_caller", "look")
    assert record.run == "r1"
