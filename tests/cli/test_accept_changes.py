"""
Facts about `conexxus push --accept-changes`.
"""

from datetime import UTC, date, datetime

import pytest

from conexxus_sync.cli._run_text import run_lines
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.stores.sqlite import SqliteStore


PUSH = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")


@pytest.mark.case(
    "C3",
    "`conexxus push --date D --accept-changes`, after the order source lost all sales of a date",
    "they are taken back: the command does what the alert says",
)
def test_accepted(cli, shell, office):
    """
    What is gone is taken back when a person asks for it, and not before.
    """
    cli(*PUSH)
    (shell.folder / "sales.ndjson").write_text("")
    cli(*PUSH)
    assert len(office.ledger.sales()) == 2

    code, out, _ = cli(*PUSH, "--accept-changes")

    assert code == 0
    assert "2 sales" in out
    assert office.ledger.total() == 0


def test_without_a_date(cli):
    """
    Changes are accepted of one date, which has to be named.
    """
    code, _, err = cli("push", "--orders", "sales.ndjson", "--accept-changes")

    assert code == 2
    assert "--accept-changes needs --date" in err


def test_refused_before(cli, shell):
    """
    A push with nothing to send says that changes were refused, and what to do.
    """
    cli(*PUSH)
    store = SqliteStore(shell.folder / "conexxus.db").at("loc-001")
    with store.write() as state:
        state.sales_dates.refuse_changes(
            date(2026, 1, 2), why="all are gone", now=datetime.now(UTC)
        )

    code, out, _ = cli("push", "--orders", "sales.ndjson")

    assert code == 0
    assert "Nothing of 2026-01-02 was taken back: all are gone." in out
    assert "conexxus push --orders sales.ndjson --date 2026-01-02 --accept-changes" in out


def test_refused_run():
    """
    So does the run in which it happened.
    """
    now = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
    run = SyncRun(
        id="r1",
        kind=RunKind.SALES,
        location_id="loc-001",
        business_date=date(2026, 1, 2),
        status=RunStatus.PARTIAL,
        start_time=now,
        end_time=now,
        refused="all are gone",
        last_error="nothing was taken back: all are gone",
    )

    command = "conexxus push --orders ORDERS --date 2026-01-02 --accept-changes"
    assert run_lines(run)[1:] == [
        "  Nothing was taken back: all are gone.",
        f"  If you have looked and it is right: {command}",
    ]
