"""
What DBOS needs beyond what every executor has to be: attempts, processes that are
gone, and tables that are lost.
"""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from databases import postgres, store_at

from conexxus_client import ConfigurationError
from conexxus_sync.errors import StoreError
from conexxus_sync.fleet import FleetOptions
from conexxus_sync.model.runs import RunKind

from .test_executors import Work, item, wait_for


DATABASES = ("sqlite",)
KIND = RunKind.INVENTORY
GONE = "another-boot|pid:[1]|1|1|host|0"

pytestmark = pytest.mark.long


@pytest.fixture
def work():
    work = Work()
    work.gate.set()
    return work


class Gone:
    """
    An operating system that has no process but this one.
    """

    def __init__(self):
        from conexxus_sync.runtime.processes import LinuxProcesses

        self.current = LinuxProcesses().current

    def is_gone(self, identity):
        return identity.boot == "another-boot"


@pytest.fixture
def store(tmp_path, cleanup):
    return cleanup.enter_context(closing(store_at(tmp_path / "conexxus.db", processes=Gone())))


@pytest.fixture
def new_executor(work, store, cleanup, monkeypatch):
    from conexxus_sync.fleet import _dbos_executor

    monkeypatch.setattr(_dbos_executor, "POLLED_S", 0.02)

    def make(**options):
        options = {"workers": 2, "on_free": work.freed.release, "processes": Gone(), **options}
        executor = _dbos_executor.DbosExecutor(work.perform, store=store, **options)
        return cleanup.enter_context(closing(executor))

    yield make
    work.gate.set()


def attempts(store, location="a"):
    leases = {it.location_id: it.epoch for it in store.lease_states(datetime.now(UTC))}
    return leases.get(location, 0)


def change(tmp_path, statement, *values):
    """
    Change the tables of the engine behind its back; returns how many rows.
    """
    with closing(sqlite3.connect(tmp_path / "conexxus.db.dbos")) as connection, connection:
        return connection.execute(statement, values).rowcount


def begun_elsewhere(tmp_path, executor, since):
    """
    Another executor began the run of location a at *since*.
    """
    statement = """
        UPDATE workflow_status SET status = 'PENDING', executor_id = ?, completed_at = NULL,
        started_at_epoch_ms = ?, queue_name = 'conexxus-fleet', queue_partition_key = 'a'
        WHERE workflow_uuid = 'a/inventory/0'
    """
    assert change(tmp_path, statement, executor, int(since.timestamp() * 1000)) == 1


def run(executor, work, *items):
    for it in items:
        executor.submit(it)
    work.wait_until_free(len(items))


def test_attempts(new_executor, work, store):
    """
    A run that took no lease is counted, so that the next one has another id; an id
    that ended never runs again.
    """
    executor = new_executor()
    run(executor, work, item("a"))

    assert attempts(store) == 1

    executor.submit(item("a"))
    run(executor, work, item("a", attempt=1))

    assert work.done == [item("a").key, item("a", attempt=1).key]
    assert attempts(store) == 2


def test_run_that_took_the_lease(new_executor, work, store, monkeypatch):
    """
    It was counted by its lease, and is not counted again.
    """

    def perform(item):
        leases = store.at(item.location_id).leases
        leases.release(leases.acquire(item.kind.value, "a-run", datetime.now(UTC)))

    monkeypatch.setattr(work, "perform", perform)
    run(new_executor(), work, item("a"))

    assert attempts(store) == 1


def test_store_that_was_restored(new_executor, work, store):
    """
    Where the store knows of fewer attempts than the engine, those are passed over.
    """
    executor = new_executor()
    run(executor, work, item("a", attempt=0))
    wait_for(lambda: executor.capacity() == 4)
    with store.database.write(location="a") as session:
        session.execute("DELETE FROM leases", ())
    executor.submit(item("a", attempt=0))

    assert attempts(store) == 1
    assert work.done == [item("a").key]


def test_run_that_raises(new_executor, work, monkeypatch, caplog):
    """
    Whatever it raises, its workflow ends well, and the next one runs.
    """

    def fail(item):
        raise SystemExit(3)

    monkeypatch.setattr(work, "perform", fail)
    executor = new_executor(workers=1)
    run(executor, work, item("a"), item("a", RunKind.SALES))
    wait_for(lambda: executor.capacity() == 2)
    from dbos import DBOS

    assert {it.status for it in DBOS.list_workflows()} == {"SUCCESS"}
    assert "Conexxus run a/inventory/0 failed" in caplog.text


def test_process_that_is_gone(new_executor, work, store, tmp_path):
    """
    Its runs are given up at once, and their locations are free again.
    """
    executor = new_executor()
    run(executor, work, item("a"))
    wait_for(lambda: executor.capacity() == 4)
    begun_elsewhere(tmp_path, GONE, datetime.now(UTC))
    executor.submit(item("a", attempt=1))
    executor.reconcile()
    work.wait_until_free()

    assert work.done[1:] == [item("a", attempt=1).key]


@pytest.mark.parametrize("name", ["other-boot|pid:[1]|1|1|host|0", "a-name-of-the-host"])
def test_process_on_another_machine(new_executor, work, store, tmp_path, name):
    """
    Its run is given up where no lease is held, longer ago than a lease lasts; as
    long as the lease is held, it goes on.
    """
    executor = new_executor()
    run(executor, work, item("a"))
    wait_for(lambda: executor.capacity() == 4)
    now = datetime.now(UTC)
    begun_elsewhere(tmp_path, name, now - timedelta(minutes=9))
    executor.reconcile()
    executor.submit(item("a", attempt=1))

    assert executor.capacity() == 3

    begun_elsewhere(tmp_path, name, now - timedelta(minutes=11))
    leases = store.at("a").leases
    lease = leases.acquire(KIND.value, "a-run", now)
    executor.reconcile()

    assert executor.capacity() == 3

    leases.release(lease)
    executor.reconcile()
    work.wait_until_free()

    assert work.done[1:] == [item("a", attempt=1).key]


def test_what_ended_is_deleted(new_executor, work, tmp_path, monkeypatch):
    """
    After a day; what ended today is kept.
    """
    executor = new_executor()
    run(executor, work, item("a"), item("b"))
    wait_for(lambda: executor.capacity() == 4)
    before = (datetime.now(UTC) - timedelta(days=1, minutes=1)).timestamp() * 1000
    change(
        tmp_path,
        "UPDATE workflow_status SET completed_at = ? WHERE workflow_uuid = 'a/inventory/0'",
        int(before),
    )
    executor.reconcile()
    from dbos import DBOS

    assert [it.workflow_id for it in DBOS.list_workflows()] == [item("b").key]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_tables_that_are_lost(new_executor, work, store):
    """
    The engine makes them anew, and goes on with what the store knows.
    """
    executor = new_executor()
    run(executor, work, item("a"))
    with psycopg.connect(postgres().server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {store.address.schema}_dbos CASCADE")

    with pytest.raises(StoreError, match="the queue of the fleet can't be used"):
        executor.reconcile()
    run(executor, work, item("a", attempt=1))

    assert work.done == [item("a").key, item("a", attempt=1).key]


def test_engine_of_the_host(new_executor, work, tmp_path):
    """
    The host's own engine is used, and stays launched.
    """
    from dbos import DBOS

    @DBOS.workflow()
    def of_the_host():
        return 7

    path = tmp_path / "host.db"
    dbos = DBOS(config={"name": "the-host", "system_database_url": f"sqlite:///{path}"})
    try:
        DBOS.launch()
        executor = new_executor(dbos=dbos)
        run(executor, work, item("a"))
        executor.reconcile()
        executor.close()

        assert of_the_host() == 7
        assert work.done == [item("a").key]
        assert not (tmp_path / "conexxus.db.dbos").exists()
    finally:
        DBOS.destroy()


def test_second_executor(new_executor):
    """
    One process has one; after it, there may be another.
    """
    executor = new_executor()

    with pytest.raises(ConfigurationError, match="one process has one DbosExecutor"):
        new_executor()

    executor.close()
    new_executor()


def test_fleet(new_fleet, new_front):
    """
    A fleet names it in its options.
    """
    office, url = new_front()
    rows = [{"location": f"loc-{number}", "api.url": url} for number in range(3)]
    options = FleetOptions(workers=2, rate=1000, burst=1000, executor="dbos")
    fleet = new_fleet(rows, options=options)
    fleet.run_once()
    fleet.clock.advance_to(datetime(2026, 1, 2, 23, 51, tzinfo=UTC))
    fleet.run_once()

    assert office.requests["catalog"] == 6
    assert [len(office.ledger.sales(f"loc-{number}")) for number in range(3)] == [1, 1, 1]
    assert office.ledger.doubled() == []


def test_extra_is_not_installed(new_fleet, monkeypatch):
    """
    The message says what to install.
    """
    monkeypatch.delitem(sys.modules, "conexxus_sync.fleet._dbos_executor", raising=False)
    monkeypatch.setitem(sys.modules, "dbos", None)
    rows = [{"location": "loc-0", "api.url": "http://127.0.0.1:9"}]

    with pytest.raises(ConfigurationError, match=r"pip install 'conexxus-sdk\[dbos\]'"):
        new_fleet(rows, options=FleetOptions(executor="dbos"))
