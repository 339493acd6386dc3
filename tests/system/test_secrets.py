"""
The key stays where it belongs.
"""

import json
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from canary import CANARY, everything_about, spelled, traces, traces_in_files
from conexxus_client.testing import BackOffice, Kind, SandboxServer
from conexxus_sync import ConexxusService, InMemoryCollector, LoggingCollector
from conexxus_sync.testing import ListOrders, sale


DAY = date(2026, 1, 2)

FAULTS = [
    "ok",
    "500, reset, 401, truncate*9, after_commit(reset)",
    "status(418)*2, 429(retry_after=0), 503*9",
    'redirect("https://other.example/login", code=307)*9',
    "refuse*9",
    "reset_upload(10)*9",
    "close*9",
    "hang*9",
    "garbage*9",
    "slow(1s)*9",
    "stall*9",
    "drip(1ms, bytes=50)*4, drip_head(1ms, bytes=9)*9",
    "interim*5, interim(2)*4",
    "goodbye*9",
    "after_commit(503)*9",
    "sales: forget(t1), double(t1), misdate(t1, date=2026-01-03)",
]


def echo(way: str, status: int) -> str:
    """
    Answers that say which key it was.
    """
    said = spelled(CANARY)[way]
    body = (
        f'{{"success":{str(status == 200).lower()},"error":"{said} is no good",'
        f'"data":{{"status":"{said}","rejected":[{{"id":"t1","error":"for {said}"}}]}}}}'
    )

    return f"status({status}, body={json.dumps(body)})*forever"


ECHOES = {
    **{f"JSON of PHP, {status}": echo("JSON of PHP", status) for status in (200, 401, 422, 503)},
    **{way: echo(way, 422) for way in spelled(CANARY) if way not in ("plain", "JSON of PHP")},
}


def test_every_fault_is_in_a_script():
    """
    The scripts have each fault that the sandbox knows.
    """
    assert not [kind for kind in Kind if kind not in " ".join(FAULTS)]


@pytest.mark.parametrize("faults", [*FAULTS, *ECHOES.values()], ids=[*FAULTS, *ECHOES])
def test_no_file_and_no_log_holds_the_key(tmp_path, caplog, capsys, faults):
    """
    After pulls and pushes that failed and succeeded, whatever the counterpart
    said, the key is in no file, no log, no run and no health.
    """
    caplog.set_level("DEBUG")
    office = BackOffice(api_key=CANARY, faults=faults)
    watch = InMemoryCollector()
    said = []

    with SandboxServer(office) as server:
        settings = {
            **server.env,
            "CONEXXUS_STORE": f"sqlite:///{tmp_path}/state.db",
            "CONEXXUS_TIMEZONE": "America/New_York",
            "CONEXXUS_TIMEOUT": "300",
            "CONEXXUS_RETRIES": "1",
            "CONEXXUS_RETRY_DELAY": "1",
        }
        assert settings["CONEXXUS_API_KEY"] == CANARY
        with ConexxusService.from_env(
            settings, orders=ListOrders([sale("t1")]), collectors=[watch, LoggingCollector()]
        ) as service:
            said += everything_about(service.health())
            # As long as somebody reads, what is new stays in the WAL.
            with closing(sqlite3.connect(tmp_path / "state.db")) as reader:
                reader.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                for _ in range(3):
                    said += everything_about(service.sync_inventory())
                    said += everything_about(service.push_sales(DAY))
                    said += everything_about(service.health())
                assert (tmp_path / "state.db-wal").stat().st_size
                assert traces_in_files(CANARY, tmp_path) == []
            # The answers came to where they are recorded.
            assert ("***" in "".join(map(str, said))) is (faults in ECHOES.values())
            said += [repr(service.metrics()), repr(vars(service))]

    assert traces_in_files(CANARY, tmp_path) == []
    assert traces(CANARY, *said, caplog.text, *capsys.readouterr()) == []


@pytest.mark.parametrize("way", spelled(CANARY))
def test_a_planted_key_is_found(tmp_path, way):
    """
    The search finds what it looks for, in a text as in a database that is
    open, however it is spelled.
    """
    form = spelled(CANARY)[way]
    database = sqlite3.connect(tmp_path / "leak.db")

    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE leak (text)")
        database.execute("INSERT INTO leak VALUES (?)", [f"the key {form}, once"])
        database.commit()
        found = dict(traces_in_files(CANARY, tmp_path))
    finally:
        database.close()

    assert way in found["leak.db-wal"]
    assert way in dict(traces_in_files(CANARY, tmp_path))["leak.db"]
    assert way in traces(CANARY, f"the key {form.upper()}, once")
