"""
The store of a simulated computer, in a schema of a real PostgreSQL.

What only a file has does not happen to it: it is neither copied nor restored,
and no version of the SDK changes its tables.
"""

from contextlib import contextmanager

import psycopg
from databases import postgres

from conexxus_sync.stores.postgres import PostgresStore
from conexxus_sync.stores.postgres._connections import Connections
from conexxus_sync.stores.postgres._postgres_database import PostgresDatabase

from .files import Killed


class ProcessConnection(psycopg.Connection):
    """
    A connection whose process may be killed at each statement.
    """

    owner = None

    def wait(self, *arguments, **options):
        if self.owner is not None and self.owner.is_dead:
            raise Killed
        return super().wait(*arguments, **options)

    def execute(self, query, *arguments, **options):
        owner = self.owner
        is_commit = query == "COMMIT" and owner.is_writing
        if is_commit:
            owner.commit(psycopg.OperationalError)
        found = super().execute(query, *arguments, **options)
        if query in ("COMMIT", "ROLLBACK"):
            owner.is_writing = False
        if is_commit:
            owner.step("committed")
        return found

    def really_close(self):
        self.close()


class ProcessConnections(Connections):
    """
    What one process has opened.
    """

    def open(self):
        owner = self.owner
        if owner.is_dead:
            raise Killed
        found = ProcessConnection.connect(self.address.with_password(), autocommit=True)
        found.owner = owner
        owner.opened.append(found)
        return found


class ProcessDatabase(PostgresDatabase):
    """
    What one process writes.
    """

    @contextmanager
    def transaction(self, session, **how):
        owner = self.connections.owner
        owner.step("begin")
        with super().transaction(session, **how):
            owner.is_writing = True
            yield


class Remembered:
    """
    The freezes that one process has recorded.
    """

    path = None

    def __init__(self):
        self.highest = {}

    def numbers(self):
        return self.highest

    def write(self, location, number):
        self.highest[location] = max(number, self.highest.get(location, 0))


def store_in_schema(process):
    """
    The store, as *process* has it.
    """
    store = PostgresStore(postgres().url(_schema_of(process.computer)), processes=process)
    store.freeze_file = Remembered()
    store.database = ProcessDatabase(store.address)
    store.database.connections = ProcessConnections(store.address)
    store.database.connections.owner = process

    return store


def row_in_schema(computer, statement, parameters):
    """
    What the schema has, seen from outside.
    """
    connection = postgres().connection
    connection.execute(f"SET search_path = {_schema_of(computer)}")

    return connection.execute(statement.replace("?", "%s"), parameters).fetchone()


def empty_schemas():
    postgres().give_back()


def _schema_of(computer):
    return postgres().schema_of(str(computer.path))
