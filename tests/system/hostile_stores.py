"""
What the store of a hostile shop holds, to be backed up, restored and copied: a
file and the one beside it, or a schema and what the process has recorded.
"""

from pathlib import Path

import attrs
from databases import Postgres

from conexxus_sync.stores.postgres import PostgresStore, _known_freezes
from conexxus_sync.stores.sqlite import SqliteStore


@attrs.define
class StoreFile:
    """
    A store in SQLite.

    Attributes:
        keeper: Has the connections to it.
        path: Its file.
    """

    keeper: object
    path: Path

    def store(self, processes):
        return SqliteStore(self.path, processes=processes)

    def clear(self):
        self.keeper.forget(self.path.parent)

    def read(self):
        self.clear()
        return self.path.read_bytes()

    def write(self, content):
        self.clear()
        self.path.write_bytes(content)

    @property
    def freezes(self):
        """
        What outlasts the loss of the store.
        """
        return self._freeze_file.read_bytes()

    @freezes.setter
    def freezes(self, content):
        self._freeze_file.write_bytes(content)

    @property
    def _freeze_file(self):
        return self.path.with_name(f"{self.path.name}.freeze")


@attrs.define
class StoreSchema:
    """
    A store in PostgreSQL.

    Attributes:
        server: Where it is.
        schema: Its name.
    """

    server: Postgres
    schema: str

    def store(self, processes):
        return PostgresStore(self.server.url(self.schema), processes=processes)

    def clear(self):
        """
        All shops share the schema.
        """
        self.server.empty(self.schema)

    def read(self):
        """
        Rows of all tables, and the last number of each sequence.
        """
        query = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = %s"
        numbers = self.server.connection.execute(query, (self.schema,)).fetchall()

        return {table: self._copied(table) for table in self.server.tables(self.schema)}, numbers

    def _copied(self, table):
        statement = f"COPY {self.schema}.{table} TO STDOUT"
        with self.server.connection.cursor().copy(statement) as rows:
            return b"".join(map(bytes, rows))

    def write(self, content):
        tables, numbers = content
        freezes = self.freezes
        self.clear()
        self.freezes = freezes

        for table, rows in tables.items():
            if rows:
                statement = f"COPY {self.schema}.{table} FROM STDIN"
                with self.server.connection.cursor().copy(statement) as copy:
                    copy.write(rows)
        for name, last in numbers:
            self.server.connection.execute(
                "SELECT setval(%s, %s, %s)", (f"{self.schema}.{name}", last or 1, last is not None)
            )

    @property
    def freezes(self):
        return dict(_known_freezes._numbers)

    @freezes.setter
    def freezes(self, numbers):
        _known_freezes._numbers.clear()
        _known_freezes._numbers.update(numbers)
