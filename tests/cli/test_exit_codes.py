from datetime import UTC, date, datetime
from itertools import product

import pytest

from conexxus_client import ConexxusError, ConfigurationError, Delivery
from conexxus_sync.cli._exit_codes import ExitCode, gravest
from conexxus_sync.cli._outcomes import code_of_error, code_of_run
from conexxus_sync.errors import DateClosedError, RunInProgressError, StoreError
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun


def run_that(status, **facts):
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return SyncRun(
        id="r1",
        kind=RunKind.INVENTORY,
        location_id="loc-001",
        start_time=at,
        end_time=at,
        status=status,
        **facts,
    )


def test_numbers_are_documented():
    """
    The numbers are a promise to scripts.
    """
    assert [
        ExitCode.SUCCESS,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.PARTIAL,
        ExitCode.REFUSED,
        ExitCode.UNKNOWN,
        ExitCode.BUSY,
    ] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (run_that(RunStatus.SUCCESS), 0),
        (run_that(RunStatus.FAILED), 1),
        (run_that(RunStatus.PARTIAL), 3),
        (run_that(RunStatus.FAILED, refused="no valid item"), 4),
        (run_that(RunStatus.FAILED, delivery_unknown=True), 5),
        (run_that(RunStatus.PARTIAL, delivery_unknown=True), 5),
    ],
)
def test_run_has_a_code(run, code):
    """
    Why a run did not succeed tells more than that it failed.
    """
    assert code == code_of_run(run)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError(["CONEXXUS_API_KEY is not configured"]), 2),
        (DateClosedError(date(2026, 1, 2), "adopted"), 2),
        (RunInProgressError("r1", kind="inventory", location_id="loc-001"), 6),
        (StoreError("disk full"), 1),
        (ConexxusError("a GET may be lost", delivery=Delivery.UNKNOWN), 1),
    ],
)
def test_error_has_a_code(error, code):
    """
    Only wrong use and a busy lease are told apart from failure.
    """
    assert code == code_of_error(error)


def test_first_in_documented_order_wins():
    """
    Of two codes, it is the one that comes first in 6, 2, 5, 4, 1, 3, 0.
    """
    order = [6, 2, 5, 4, 1, 3, 0]

    for one, other in product(ExitCode, repeat=2):
        assert min(one, other, key=order.index) == gravest([one, other])


def test_nothing_happened_is_success():
    """
    No run is no failure.
    """
    assert gravest([]) == ExitCode.SUCCESS
