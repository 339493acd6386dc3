"""
The store of a simulated computer, in a file of SQLite.

Connections are used again, with their temporary tables: to open one, and to
compile all statements anew after each table that is made, takes most of the time.
"""

import re
import sqlite3
from contextlib import closing, contextmanager

from conexxus_sync.stores.sqlite import SqliteStore, _migrations
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase, SqliteSession
from new_stores import empty_store


TEMPORARY = re.compile(r"CREATE TEMP (TABLE|VIEW)\s+(\w+)(?:\s+AS\s+(SELECT.*))?", re.DOTALL)
INDEX = "CREATE INDEX temp."


class Killed(KeyboardInterrupt):
    """
    The process ends here, without a word.
    """


def store_of(process):
    """
    The store, as *process* has it.
    """
    path = process.computer.path
    if not path.exists():
        path.write_bytes(empty_store())
    database = ProcessDatabase(path, monotonic=process.computer.monotonic)
    database.owner = process

    return SqliteStore(path, processes=process, database=database)


class ProcessDatabase(SqliteDatabase):
    """
    What one process has opened of the store.
    """

    owner = None

    def _connect(self):
        if self.owner.is_dead:
            raise Killed
        return self.owner.idle.pop() if self.owner.idle else super()._connect()


class ProcessSession(SqliteSession):
    """
    A session whose process may be killed at each statement.
    """

    owner = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.made = {}

    def execute(self, statement, *parameters):
        owner = self.owner
        if owner.is_dead:
            raise Killed
        if statement == "COMMIT" and owner.is_writing:
            owner.commit()
        if INDEX in statement:
            statement = statement.replace(INDEX, "CREATE INDEX IF NOT EXISTS temp.")
        if statement == "BEGIN IMMEDIATE":
            owner.step("begin")
        found = super().execute(statement, *parameters)
        if statement == "BEGIN IMMEDIATE":
            owner.is_writing = True
        elif statement in ("COMMIT", "ROLLBACK") and owner.is_writing:
            owner.is_writing = False
            if statement == "COMMIT":
                owner.step("committed")
        return found

    def executemany(self, statement, rows):
        if self.owner.is_dead:
            raise Killed
        return super().executemany(statement, rows)

    def create_temporary(self, *statements):
        if self._streams:
            self.end_streams()
        for statement in statements:
            if not self._is_emptied(statement):
                super().create_temporary(statement)

    def _is_emptied(self, statement):
        """
        Is what *statement* makes there already, and as good as new?
        """
        found = TEMPORARY.search(statement)
        if found is None:
            return False
        kind, name, rows = found.groups()
        if self.made.get(name) != statement:
            self.made[name] = statement
            return False
        if kind == "TABLE":
            try:
                self.execute(f"DELETE FROM temp.{name}")
            except sqlite3.OperationalError:
                # It went with the transaction that made it.
                return False
            if rows:
                self.execute(f"INSERT INTO temp.{name} {rows}")

        return True

    def close(self):
        """
        Keep it for the next unit of work of the process.
        """
        if self.owner.is_dead:
            self.really_close()
            return
        if self.in_transaction:
            super().execute("ROLLBACK")
        for memory in (self.states, self.calls, self._streams):
            memory.clear()
        self.owner.idle.append(self)

    def really_close(self):
        super().close()


@contextmanager
def simulated_connections(patch, computer):
    """
    Connections to the store of *computer* belong to the process that opens them,
    and make its tables what the version of that process needs.
    """
    connect, migrations = sqlite3.connect, _migrations._migrations

    def connect_as_process(database, *arguments, **options):
        owner = computer.running
        if database != computer.path or owner is None:
            return connect(database, *arguments, **options)
        connection = connect(database, *arguments, **{**options, "factory": ProcessSession})
        connection.owner = owner
        owner.opened.append(connection)
        return connection

    def migrations_of_process():
        # Who looks from outside has the version that is installed.
        version = (computer.running or computer).version
        later = (f"CREATE TABLE later_{number} (number INTEGER)" for number in range(version))
        return (*migrations(), *((statement,) for statement in later))

    patch.setattr(sqlite3, "connect", connect_as_process)
    patch.setattr(_migrations, "_migrations", migrations_of_process)
    yield


def make_older(path, schema):
    """
    Make the store what the version of the SDK with *schema* had of it: what came
    later takes nothing away.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        known = _migrations._migrations()
        for number in range(len(known), version):
            connection.execute(f"DROP TABLE later_{number - len(known)}")
        for migration in reversed(known[schema:version]):
            for statement in reversed(migration):
                if undone := _undone(statement):
                    connection.execute(undone)
        connection.execute(f"PRAGMA user_version = {min(version, schema)}")


def _undone(statement):
    """
    What takes back a statement of a migration; None if nothing has to.
    """
    if statement.startswith("PRAGMA application_id"):
        return "PRAGMA application_id = 0"
    if made := re.match(r"CREATE TABLE (\w+)", statement):
        return f"DROP TABLE {made[1]}"
    if added := re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", statement):
        return f"ALTER TABLE {added[1]} DROP COLUMN {added[2]}"

    # Rows of tables that are dropped, or none that were there before; or a fact that
    # was given up, which no version of before misses.
    assert statement.startswith(("INSERT", "DELETE", "UPDATE")), statement
    return None
