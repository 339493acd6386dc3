"""
A store is copied between SQLite and PostgreSQL, row by row, and then used no more.
"""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from databases import BOTH, other_database, postgres, store_at

from conexxus_client import ConfigurationError
from conexxus_sync import LeaseLostError, RunInProgressError, StoreError
from conexxus_sync.stores._store_copy import TABLES, copy_store, locations_of
from conexxus_sync.stores.sqlite import SqliteStore


# The database of the source; the target is in the other one.
DATABASES = BOTH
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
NIGHT = "INSERT INTO told_nights (location, business_date, complete) VALUES (?, '2026-01-02', 1)"


@pytest.fixture
def source(tmp_path):
    store = store_at(tmp_path / "from.db")
    with store.at("loc-001").write() as state:
        state.freezes.advance()
        state.session.execute(NIGHT, ("loc-001",))
    return store


@pytest.fixture
def target(tmp_path):
    with other_database():
        return store_at(tmp_path / "to.db")


def copied(source, target, **options):
    return copy_store(source, target, now=NOW, **options)


def put(store, statement, *parameters):
    with store.at("loc-001").write() as state:
        return state.session.execute(statement, parameters)


def got(store, statement):
    with store.at("loc-001").read() as state:
        return state.session.execute(statement).fetchall()


def test_copy(source, target):
    """
    The target holds the same, and a second copy finds it so.
    """
    first = copied(source, target)
    second = copied(source, target)

    assert (first.was_there, second.was_there) == (False, True)
    assert first.rows == second.rows == {"sales_freezes": 1, "told_nights": 1}
    assert got(target, "SELECT location FROM told_nights") == [("loc-001",)]
    with target.at("loc-001").read() as state:
        numbers = state.freezes.numbers()
        assert (numbers.stored, numbers.beside) == (1, 1)


def test_there_and_back(source, target, tmp_path):
    """
    What was copied can be copied back, to another place.
    """
    back = store_at(tmp_path / "back.db")

    copied(source, target)
    copied(target, back)

    assert got(back, "SELECT location, number FROM sales_freezes") == [("loc-001", 1)]
    back.at("loc-001").leases.acquire("sales", "run", NOW)


def test_the_source_is_used_no_more(source, target):
    """
    No run begins in it; the message names the new store.
    """
    copied(source, target)

    with pytest.raises(StoreError, match="was moved to ") as caught:
        source.at("loc-002").leases.acquire("sales", "run", NOW)
    assert str(target) in str(caught.value)
    target.at("loc-001").leases.acquire("sales", "run", NOW)


def test_a_run_that_overslept(source, target):
    """
    One whose lease had ended before the copy writes nothing after it.
    """
    lease = source.at("loc-001").leases.acquire("sales", "run", NOW - timedelta(hours=1))

    copied(source, target)

    with pytest.raises(LeaseLostError), source.at("loc-001").write(lease):
        pass


def test_a_target_with_something_else(source, target):
    """
    It is refused, and nothing is changed.
    """
    put(target, NIGHT, "loc-002")

    with pytest.raises(ConfigurationError, match="something else, in sales_freezes"):
        copied(source, target)

    assert got(target, "SELECT location FROM told_nights") == [("loc-002",)]
    source.at("loc-001").leases.acquire("sales", "run", NOW)


@pytest.mark.parametrize("change", ["UPDATE told_nights SET complete = 0", "DELETE FROM notices"])
def test_a_target_that_went_on(source, target, change):
    """
    The old store is not copied again, neither over it nor elsewhere.
    """
    put(source, "INSERT INTO notices VALUES (7, 'loc-001', 'n', ?, '', '', 0, '')", b"{}")
    copied(source, target)
    put(target, change)

    with pytest.raises(ConfigurationError, match="something else"):
        copied(source, target)


def test_a_source_that_was_moved(source, target, tmp_path):
    """
    The store that it was moved to may have pushed since.
    """
    copied(source, target)

    with pytest.raises(ConfigurationError, match=r"was moved to .*, which may have pushed"):
        copied(source, store_at(tmp_path / "third.db"))
    with pytest.raises(ConfigurationError, match="was itself moved"):
        copied(target, source)


def test_a_target_that_was_lost(source, target):
    """
    It may have pushed, so the old store does not take its place.
    """
    copied(source, target)
    for table in ("told_nights", "sales_freezes"):
        put(target, f"DELETE FROM {table}")

    with pytest.raises(ConfigurationError, match="which may have pushed since"):
        copied(source, target)


@pytest.mark.parametrize("name", ["source", "target"])
def test_a_run_in_progress(source, target, name):
    """
    Nothing is copied while a run holds its lease, of either store.
    """
    used = source if name == "source" else target
    used.at("loc-007").leases.acquire("inventory", "other", NOW)

    with pytest.raises(RunInProgressError, match="inventory run other for location loc-007"):
        copied(source, target)

    assert got(target, "SELECT * FROM told_nights") == []


@pytest.mark.parametrize("name", ["source", "target"])
def test_writers_of_all_locations_wait(source, target, name):
    """
    Also those of which a store has no rows yet.
    """
    used, refused = source if name == "source" else target, []

    def write(step):
        if step == "commit":
            try:
                writer = type(used)(used.path) if isinstance(used, SqliteStore) else twin(used)
                with writer.at("loc-008").short_timeout(), writer.at("loc-008").write():
                    pass
            except StoreError as exc:
                refused.append(exc)

    copied(source, target, step=write)

    assert len(refused) == 1


def twin(store):
    return type(store)(postgres().url(store.database.address.schema))


def test_no_source(target, tmp_path):
    """
    None is made to find out.
    """
    absent = store_at(tmp_path / "absent.db")
    if not isinstance(absent, SqliteStore):
        postgres().connection.execute(
            f"DROP SCHEMA IF EXISTS {absent.database.address.schema} CASCADE"
        )

    with pytest.raises(ConfigurationError, match="there is no store at "):
        copied(absent, target)
    assert not absent.database.exists()


def test_the_store_itself(source):
    """
    It is no copy of its own.
    """
    with pytest.raises(ConfigurationError, match="is the store itself"):
        copied(source, source)


def test_numbers_go_on(source, target):
    """
    A row that is inserted next has a higher number than any that was copied,
    notices that were given up included.
    """
    run = "INSERT INTO runs VALUES (?, 'loc-001', ?, 'sales', NULL, NULL, 0, '', NULL, '{}')"
    put(source, run, 41, "r41")
    put(source, "INSERT INTO item_runs VALUES (42, 'loc-001', 'r42')")
    put(source, "INSERT INTO given_up_notices VALUES ('loc-001', 43, '', 'refused')")

    copied(source, target)

    def next_of(statement):
        with target.at("loc-001").write() as state:
            ((number,),) = state.session.execute(f"{statement} RETURNING number").fetchall()
        return number

    run = "INSERT INTO runs (location, id, kind, planned, started_at, document)"
    assert next_of(f"{run} VALUES ('loc-001', 'new', 'sales', 0, '', '{{}}')") == 42
    assert next_of("INSERT INTO item_runs (location, run_id) VALUES ('loc-001', 'new')") == 43
    notice = "INSERT INTO notices (location, id, body, queued_at, due_at)"
    assert next_of(f"{notice} VALUES ('loc-001', 'new', '', '', '')") == 44


@pytest.fixture
def numbered(source, target):
    """
    Both stores have one number each of their own location.
    """
    for store, name, number in ((source, "loc-001", 1), (target, "loc-002", 7)):
        run = f"({number}, '{name}', 'r', 'sales', NULL, NULL, 0, '', NULL, '{{}}')"
        item = f"('{name}', 'A', 'a', '1', {number}, {number})"
        columns = "location, sku, name, price, created_in, updated_in"
        with store.at(name).write() as state:
            for statement in (
                f"INSERT INTO runs VALUES {run}",
                f"INSERT INTO sales_clocks VALUES ('{name}', {number})",
                f"INSERT INTO item_runs VALUES ({number}, '{name}', 'r')",
                f"INSERT INTO items ({columns}) VALUES {item}",
                f"INSERT INTO given_up_notices VALUES ('{name}', {number}, '', 'refused')",
            ):
                state.session.execute(statement)


def test_beside_other_locations(source, target, numbered):
    """
    What another location has in the target stays; numbers go on after it, in every
    table that has them, and a second copy finds the first.
    """
    with pytest.raises(ConfigurationError, match="something else"):
        copied(source, target)
    target.at("loc-002").leases.acquire("sales", "run", NOW)

    assert locations_of(source) == ["loc-001"]
    assert [copied(source, target, beside=True).was_there for _ in range(2)] == [False, True]

    assert locations_of(target) == ["loc-001", "loc-002"]
    tables = {"runs": "number", "sales_clocks": "run", "item_runs": "number",
              "items": "created_in, updated_in", "given_up_notices": "number"}  # fmt: skip
    found = {
        table: got(target, f"SELECT {columns} FROM {table} ORDER BY location")
        for table, columns in tables.items()
    }
    assert found == {
        **{table: [(8,), (7,)] for table in tables},
        "items": [(8, 8), (7, 7)],
    }
    with pytest.raises(StoreError, match="was moved to "):
        source.at("loc-001").leases.acquire("sales", "run", NOW)


@pytest.mark.parametrize("statement", ["DELETE FROM items", "DELETE FROM runs"])
def test_beside_what_went_on(source, target, numbered, statement):
    """
    A location that ran in the target is not copied over.
    """
    copied(source, target, beside=True)
    put(target, f"{statement} WHERE location = 'loc-001'")

    with pytest.raises(ConfigurationError, match="something else of loc-001"):
        copied(source, target, beside=True)


STEPS = ("copy runs", "copy delivered", "compare items", "commit", "mark as moved")


@pytest.mark.parametrize("step", STEPS)
def test_killed(source, target, step):
    """
    A copy that was killed at any step is made again, and then complete.
    """
    put(source, "INSERT INTO notices VALUES (7, 'loc-001', 'n', ?, '', '', 0, '')", b"{}")
    for store in (source, target):
        store.close()

    def kill(name):
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        copied(source, target, step=kill)
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL

    again = copied(source, target)

    assert again.was_there == (step == "mark as moved")
    assert again.rows == {"told_nights": 1, "sales_freezes": 1, "notices": 1}
    assert target.freeze_file.numbers()["loc-001"] == 1
    with pytest.raises(StoreError, match="was moved"):
        source.at("loc-001").leases.acquire("sales", "run", NOW)


def test_all_tables(source):
    """
    None is left out, but what is of one store.
    """
    if isinstance(source, SqliteStore):
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    else:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    names = {name for (name,) in got(source, query)}

    assert names - {"leases", "store_generation", "store_moves", "conexxus_migrations"} == set(
        TABLES
    )
