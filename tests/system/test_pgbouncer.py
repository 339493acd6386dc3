"""
PgBouncer between the SDK and a PostgreSQL.
"""

import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from servers import USER, Server

from conexxus_sync import StoreError
from conexxus_sync.stores.postgres import PostgresStore

from .postgres_branch import KINDS, Branch, new_schema


CONFIG = """
[databases]
postgres = host={server} user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = options
server_round_robin = 1
"""


def program():
    """
    Debian's pgbouncer, which scripts/test installs.
    """
    beside = Path(sys.executable).with_name("pgbouncer")
    found = str(beside) if beside.exists() else shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")

    if found is None:
        pytest.fail("pgbouncer is not there: scripts/test installs it, from Debian's package")

    return found


@contextmanager
def pooled(server, mode):
    """
    The folder of the socket of a PgBouncer before *server*.
    """
    folder = Path(tempfile.mkdtemp(dir=server.folder, prefix="pool-"))
    Server.own(folder)
    settings = folder / "pgbouncer.ini"
    settings.write_text(CONFIG.format(server=server.folder, folder=folder, mode=mode))
    with subprocess.Popen(
        [program(), settings], user=USER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(folder, process)
            yield folder
        finally:
            process.terminate()


def address(folder):
    return f"postgresql://postgres@/postgres?host={folder}&port=6432"


def url(folder, schema):
    return f"{address(folder)}&schema={schema}"


def wait_for(folder, process):
    while process.poll() is None:
        with suppress(psycopg.OperationalError):
            psycopg.connect(address(folder)).close()
            return


def grow(folder):
    """
    Make PgBouncer open more connections, which it then uses in turn.
    """
    with ExitStack() as stack:
        for _ in range(3):
            other = stack.enter_context(psycopg.connect(address(folder)))
            other.execute("SELECT 1")


@pytest.mark.parametrize("kind", KINDS)
def test_session(server, kind):
    """
    With `pool_mode = session`, it is as without PgBouncer.
    """
    with pooled(server, "session") as folder:
        branch = Branch.of(url(folder, new_schema()))

        assert not branch.run(kind)
        assert list(branch.problems(kind)) == []
        branch.store.close()


@pytest.mark.fault(
    "S11",
    "PgBouncer with `pool_mode = transaction`",
    "what a run writes is in its own schema, or the run fails and names the setting",
)
@pytest.mark.parametrize("kind", KINDS)
def test_transaction(server, kind):
    """
    With `pool_mode = transaction`, nothing is written into another schema, and
    no sale is lost or doubled.
    """
    with pooled(server, "transaction") as folder:
        branches = [Branch.of(server.url(new_schema())) for _ in range(2)]
        astray = [one.by(url(folder, one.store.address.schema)) for one in branches]
        said = [branch.run(kind, lambda _: grow(folder)) for _ in range(3) for branch in astray]
        for branch in astray:
            branch.store.close()

    for branch in branches:
        # A lease that could not be given back runs out.
        branch.till.wait(minutes=11)
    assert any("pool_mode = session" in text for text in said)
    assert [list(branch.problems(kind)) for branch in branches] == [[], []]


def test_schema_of_another_process(server):
    """
    What another process set on a shared connection makes no write go astray.
    """
    schemas = [new_schema(), new_schema()]

    with pooled(server, "transaction") as folder, ExitStack() as stack:
        # Processes have connections of their own, as have different limits.
        stores = [
            PostgresStore(f"{url(folder, schema)}&connections={5 + n}")
            for n, schema in enumerate(schemas)
        ]
        for store in stores:
            stack.callback(store.close)
            with store.at("loc-001").write() as state:
                state.freezes.advance()

        with (
            pytest.raises(StoreError, match="pool_mode = session"),
            stores[0].at("loc-001").write() as state,
        ):
            state.freezes.advance()

    for schema in schemas:
        assert server.execute(f"SELECT number FROM {schema}.sales_freezes") == [(1,)]
