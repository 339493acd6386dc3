"""
PostgreSQL servers of a test's own: stopped, crashed, followed and full.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path

import attrs
import psycopg
import pytest
from databases import wheel


# PostgreSQL refuses to run as root.
USER = "pgserver" if os.geteuid() == 0 else None


@attrs.define
class Server:
    """
    A server with its data and its socket in *folder*.
    """

    folder: Path

    @classmethod
    def new(cls, folder, **settings):
        server = cls(folder)
        server.own(folder)
        subprocess.run(["cp", "-a", initialised(), server.data], check=True)
        server.configure(**settings)
        server.start()

        return server

    @property
    def data(self):
        return self.folder / "data"

    @property
    def uri(self):
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def url(self, schema, **options):
        return "&".join(
            [self.uri, f"schema={schema}", *(f"{name}={value}" for name, value in options.items())]
        )

    @contextmanager
    def connected(self):
        with closing(psycopg.connect(self.uri, autocommit=True)) as connection:
            yield connection

    def execute(self, statement, *parameters):
        with self.connected() as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def configure(self, **settings):
        """
        Effective from the next start, or `pg_reload_conf()`, on.
        """
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        options = f"-h '' -k {self.folder}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start", "-D")

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "-w", "-m", mode, "stop", "-D")

    def restart(self, mode):
        """
        "fast" ends all transactions in good order; "immediate" is a crash.
        """
        self.stop(mode)
        self.start()

    def promote(self):
        self._run("pg_ctl", "-w", "promote", "-D")

    def standby(self, folder):
        """
        A server that follows this one.
        """
        self.own(folder)
        self._run(
            "pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-d", self.uri, "-D", at=folder
        )
        standby = Server(folder)
        standby.start()

        return standby

    def end_clients(self, *, timeout=5_000):
        """
        Terminate the connections of the SDK, and wait for their end.
        """
        self.execute(
            "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
            " WHERE application_name = 'conexxus-sdk'",
            timeout,
        )

    def _run(self, program, *arguments, at=None):
        where = str((at or self.folder) / "data")
        utils = wheel().utils
        programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
        wheel().pgexec.pgexec(
            program, (*arguments, where), bin_path=programs, user=USER, cwd=self.folder
        )

    @staticmethod
    def own(folder):
        """
        Give *folder* to the user of the server.
        """
        if USER:
            utils = wheel().utils
            utils.ensure_user_exists(USER)
            utils.ensure_prefix_permissions(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
            shutil.chown(folder, USER, USER)


@cache
def initialised():
    """
    Data of a new server, of which others are copies: initdb takes seconds.
    """
    stack = ExitStack()
    atexit.register(stack.close)
    first = Server(stack.enter_context(folder_for_servers()))
    first.own(first.folder)
    options = ("--auth=trust", "--encoding=utf8", "--wal-segsize=1", "-N", "-U", "postgres")
    first._run("initdb", *options, "-D")

    return first.data


@contextmanager
def folder_for_servers():
    """
    A folder in memory, if there is such a place, that the user of a server may
    enter.
    """
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

    with tempfile.TemporaryDirectory(dir=memory, prefix="pg-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def new_server():
    """
    Makes servers, and stops them in the end.
    """
    made = []

    def make(**settings):
        folder = parent / f"{len(made)}"
        folder.mkdir()
        made.append(Server.new(folder, **settings))
        return made[-1]

    with folder_for_servers() as parent:
        yield make
        for server in made:
            with suppress(Exception):
                server.stop()


@pytest.fixture(scope="module")
def server(new_server):
    return new_server(max_connections=20, deadlock_timeout="100ms")
