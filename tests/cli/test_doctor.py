import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.stores import open_store
from conexxus_sync.stores.sqlite import _sqlite_database


def examined(cli, *arguments):
    code, out, _ = cli("doctor", "--json", *arguments)
    return code, {finding["check"]: finding for finding in json.loads(out)}


def test_all_in_place(cli, shell):
    """
    With everything in place each line is ok; the store is named by an
    absolute path.
    """
    code, findings = examined(cli, "--store", shell.store)

    assert code == 0
    assert {finding["level"] for finding in findings.values()} == {"ok"}
    assert list(findings) == [
        "settings",
        "back office",
        "time zone",
        "location",
        "store",
        "clock",
        "webhook",
    ]


def test_not_configured(cli, monkeypatch):
    """
    What is missing is a problem; the rest is examined all the same.
    """
    monkeypatch.delenv("CONEXXUS_API_URL")

    code, findings = examined(cli)

    assert code == 2
    assert findings["settings"]["message"] == "CONEXXUS_API_URL is not configured"
    assert findings["store"]["level"] == "warning"
    assert "can be written, but its path is relative" in findings["store"]["message"]


def test_back_office_does_not_answer(cli, server):
    """
    A refused connection is a problem, with the words of the error table.
    """
    with server.refusing():
        code, findings = examined(cli)

    assert code == 1
    assert "connection refused. Check API URL." in findings["back office"]["message"]


def test_wrong_key(cli, office):
    """
    A wrong key is told from a dead back office.
    """
    office.api_key = "another"

    code, findings = examined(cli)

    assert code == 1
    assert "authentication failed. Check API key." in findings["back office"]["message"]


def test_store_can_not_be_written(cli):
    """
    A store in a folder that does not exist is a problem, and named.
    """
    code, findings = examined(cli, "--store", "sqlite:////nowhere/at/all.db")

    assert code == 1
    assert "/nowhere/at/all.db" in findings["store"]["message"]


def test_system_time_zone_is_utc(cli, monkeypatch):
    """
    A container's UTC is nobody's store time.
    """
    monkeypatch.delenv("CONEXXUS_TIMEZONE")

    code, findings = examined(cli)

    assert code == 2
    assert "set it to the store's zone" in findings["time zone"]["message"]


def test_default_location(cli, monkeypatch):
    """
    Sales of location 'default' are a warning, which is no failure.
    """
    monkeypatch.delenv("LOCATION_ID")

    code, findings = examined(cli)

    assert (code, findings["location"]["level"]) == (0, "warning")


def test_clock_was_set_back(cli, shell):
    """
    A run in the future says that the clock is wrong.
    """
    future = datetime.now(UTC) + timedelta(hours=1)
    store = open_store(shell.store).at("loc-001")
    run = SyncRun(
        id="r1",
        kind=RunKind.INVENTORY,
        location_id="loc-001",
        status=RunStatus.SUCCESS,
        start_time=future,
        end_time=future,
    )
    with store.write() as state:
        state.runs.save(run)

    code, findings = examined(cli)

    assert code == 1
    assert "Set the clock" in findings["clock"]["message"]


def test_for_people(cli):
    """
    Without `--json`, each finding is a line.
    """
    code, out, _ = cli("doctor")

    assert code == 0
    assert len(out.splitlines()) == 7
    assert "the API key is set, not shown" in out


@pytest.mark.case(
    "D4",
    "`conexxus doctor` where no temporary file can be made",
    "it tries to make one, and names that as a problem of its own",
)
def test_no_temporary_file(cli, shell, monkeypatch):
    def fail(connection):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = "SQLITE_IOERR_GETTEMPPATH"
        raise error

    monkeypatch.setattr(_sqlite_database, "try_temporary_file", fail)

    code, findings = examined(cli, "--store", shell.store)

    assert (code, findings["store"]["level"]) == (1, "ok")
    assert "no folder for temporary files" in findings["temporary files"]["message"]


def test_tips_during_the_day(cli, shell, monkeypatch):
    """
    Where sales have tips, are pushed during the day, and what changed is only
    reported, doctor warns; with one of these otherwise, it does not.
    """
    tipped = (
        '{"id":"t1","timestamp":"2026-01-02T15:00:00Z","total":4.20,'
        '"items":[{"sku":"SKU001","quantity":2,"price":2.10}],'
        '"tenders":[{"type":"card","amount":5.20,"tip":1.00}]}\n'
    )
    (shell.folder / "tips.ndjson").write_text(tipped)
    monkeypatch.setenv("CONEXXUS_PUSH_EVERY", "15m")
    _, before = examined(cli, "--store", shell.store)
    cli(
        "push", "--orders", str(shell.folder / "tips.ndjson"), "--since", "2026-01-02",
        "--store", shell.store,
    )  # fmt: skip

    code, found = examined(cli, "--store", shell.store)
    _, resent = examined(cli, "--store", shell.store, "--on-changed", "resend")
    _, off = examined(cli, "--store", shell.store, "--push-every", "off")

    assert (code, found["tips"]["level"]) == (0, "warning")
    assert not {"tips"} & (before.keys() | resent.keys() | off.keys())


def test_zone_that_sales_contradict(cli, shell):
    """
    Doctor and status name the zone of the last push that no sale was made in.
    """
    sold = '{"id":"t1","timestamp":"2026-01-02T15:00:00-08:00","total":1,"items":[]}\n'
    (shell.folder / "west.ndjson").write_text(sold)
    cli("push", "--orders", str(shell.folder / "west.ndjson"), "--date", "2026-01-02")

    _, found = examined(cli)

    assert found["time zone"]["level"] == "warning"
    assert "the UTC offset -08:00, and America/New_York has -05:00" in found["time zone"]["message"]
    assert "UTC offset -08:00" in " ".join(cli("status")[1].split())
