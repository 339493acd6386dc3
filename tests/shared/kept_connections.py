"""
Connections to SQLite that are kept after they were closed, for tests that push
thousands of times.

To open one costs more than most pushes: the file is found, its schema read,
its log opened, and emptied when the connection is closed.  None of this is what
those tests are about; `tests/stores` and the kill runs open their own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import attrs
import pytest


@attrs.define
class KeptConnections:
    """
    Takes the place of `sqlite3.connect` for files in a folder.

    A connection that is given back has no transaction and no temporary table:
    it is as good as new.

    Attributes:
        connect: The real one.
        folder: Its files are meant, at any depth.
        idle: What was given back, by path.
    """

    connect: object
    folder: Path
    idle: dict[str, list] = attrs.field(factory=dict)

    def __call__(self, database, *arguments, factory=sqlite3.Connection, **options):
        path = str(database)
        if not path.startswith(f"{self.folder}/"):
            return self.connect(database, *arguments, factory=factory, **options)
        if self.idle.get(path):
            return self.idle[path].pop()

        connection = self.connect(path, *arguments, factory=_kept(factory), **options)
        connection.keeper, connection.path = self, path

        return connection

    def give_back(self, connection, path):
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_temp_master WHERE type = 'table'"
            ).fetchall():
                connection.execute(f"DROP TABLE temp.{name}")
        except sqlite3.Error:
            # Something is still read from it.
            connection.really_close()
        else:
            self.idle.setdefault(path, []).append(connection)

    def forget(self, folder: Path) -> None:
        """
        Close what leads to files in *folder*, so that they may be copied,
        replaced or removed.
        """
        for path in [each for each in self.idle if each.startswith(f"{folder}/")]:
            for connection in self.idle.pop(path):
                with suppress(sqlite3.Error):
                    connection.really_close()


@cache
def _kept(factory):
    class Kept(factory):
        keeper = path = None

        def close(self):
            if self.keeper is None:
                self.really_close()
            else:
                self.keeper.give_back(self, self.path)

        def really_close(self):
            super().close()

    return Kept


@contextmanager
def kept_connections(folder: Path) -> Iterator[KeptConnections]:
    """
    Keep the connections to files in *folder* meanwhile.
    """
    keeper = KeptConnections(sqlite3.connect, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", keeper)
        try:
            yield keeper
        finally:
            keeper.forget(folder)
