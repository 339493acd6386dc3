"""
Databases of a host application: SQLite, a real PostgreSQL and a real MariaDB, by SQLAlchemy.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import postgres


NAMES = ("sqlite", "postgresql", "mariadb")

_numbers = count(1)


@pytest.fixture(params=NAMES)
def engine(request, tmp_path):
    """
    An empty database of its own.
    """
    made = _ENGINES[request.param](tmp_path)
    try:
        yield made
    finally:
        made.dispose()


def _sqlite(folder):
    return sa.create_engine(f"sqlite:///{folder / 'shop.db'}")


def _postgresql(folder):
    url = sa.make_url(postgres().server).set(drivername="postgresql+psycopg")
    schema = f"shop_{os.getpid()}_{next(_numbers)}"
    engine = sa.create_engine(
        url, connect_args={"options": f"-csearch_path={schema} -cclient_min_messages=warning"}
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")

    return engine


def _mariadb(folder):
    name = f"shop_{next(_numbers)}"
    server = sa.create_engine(_mariadb_url(""))
    with server.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        )
    server.dispose()

    return sa.create_engine(_mariadb_url(name))


_ENGINES = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}


def _mariadb_url(name):
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={_mariadb_socket()}"


@cache
def _mariadb_socket():
    """
    A server for this process.  Without access tables, it needs no set-up.
    """
    folder = Path(tempfile.mkdtemp(prefix="conexxus-mariadb-"))
    data, socket = folder / "data", folder / "socket"
    data.mkdir()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [
                *("mariadbd", "--no-defaults", "--user=root", "--skip-grant-tables"),
                *("--skip-networking", f"--datadir={data}", f"--socket={socket}"),
                # What is proven here does not depend on the disk.
                *("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"),
            ],
            stdout=log,
            stderr=log,
        )
    atexit.register(_stop, server, folder)

    for _ in range(600):
        if socket.exists():
            return socket
        assert server.poll() is None, (folder / "log").read_text()
        time.sleep(0.05)

    raise TimeoutError((folder / "log").read_text())


def _stop(server, folder):
    server.kill()
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)
