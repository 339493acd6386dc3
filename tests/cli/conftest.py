import json
import logging
import os
import pty
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from decimal import Decimal

import attrs
import pytest
from stamina.instrumentation import set_on_retry_hooks
from warm_process import WarmProcess

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.cli import main
from conexxus_sync.stores.sqlite import SqliteStore


CATALOG = [
    {"sku": f"SKU{number:03}", "name": f"Item {number}", "price": Decimal("1.10") + number}
    for number in range(30)
]
SALES = """\
{"id":"t1","timestamp":"2026-01-02T15:00:00Z","total":4.20,"items":[{"sku":"SKU001","quantity":2,"price":2.10}]}
{"id":"t2","timestamp":"2026-01-03T03:00:00Z","total":3.10,"items":[{"sku":"SKU002","quantity":1,"price":3.10}]}
{"id":"t3","timestamp":"2026-01-03T15:00:00Z","total":-3.10,"items":[{"sku":"SKU002","quantity":-1,"price":3.10}]}
"""


@pytest.fixture(autouse=True)
def loud_stamina():
    """
    Commands silence stamina for their whole process: here, for one test.
    """
    yield
    set_on_retry_hooks(None)


@pytest.fixture
def office():
    return BackOffice([dict(item) for item in CATALOG])


@pytest.fixture
def server(office):
    with SandboxServer(office) as server:
        yield server


@attrs.frozen
class Shell:
    """
    An operator's shell in a folder of its own.
    """

    folder: object
    environ: dict
    warm: WarmProcess

    def start(self, *arguments, **options):
        """
        A command as a process of its own.
        """
        return subprocess.Popen(
            [sys.executable, "-m", "conexxus_sync.cli", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments):
        """
        A command as a process of its own, until it ends.
        """
        if "SQLITE_TMPDIR" in self.environ:  # read when SQLite is imported
            with self.start(*arguments) as process:
                out, err = process.communicate()
            return subprocess.CompletedProcess(arguments, process.returncode, out, err)
        result = self.warm.run(arguments, folder=self.folder, environ=self.environ)
        return subprocess.CompletedProcess(arguments, *result)

    def on_a_terminal(self, *arguments, stream="stdout"):
        """
        A command whose *stream* is a terminal of 80 columns: its exit code, what
        that shows, and what the command wrote elsewhere.
        """
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        shown = []

        def read():
            with suppress(OSError):  # the other end is closed
                while part := os.read(ours, 65536):
                    shown.append(part)

        reader = threading.Thread(target=read)
        reader.start()
        code, rest = self.warm.run(
            arguments, folder=self.folder, environ=self.environ, **{stream: theirs}
        )
        os.close(theirs)
        reader.join()
        os.close(ours)
        return code, b"".join(shown).decode(), rest

    def json(self, *arguments):
        """
        What a command writes for programs.
        """
        return json.loads(self.run(*arguments, "--json").stdout)

    @property
    def store(self):
        return f"sqlite:///{self.folder / 'conexxus.db'}"


@pytest.fixture(scope="session")
def warm():
    made = WarmProcess()
    yield made
    made.close()


@pytest.fixture
def bare_shell(tmp_path, warm):
    """
    A shell in which nothing is configured.
    """
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return Shell(tmp_path, {**keep, "TZ": "UTC"}, warm)


@pytest.fixture
def shell(bare_shell, server):
    """
    A shell in which everything is configured for the sandbox, and the store is
    there.
    """
    bare_shell.environ.update(
        server.env,
        CONEXXUS_RETRIES="0",
        CONEXXUS_TIMEZONE="America/New_York",
        CONEXXUS_PUSH_AT="00:00",  # a date is due when it is over: at any hour, all is well
        LOCATION_ID="loc-001",
    )
    (bare_shell.folder / "sales.ndjson").write_text(SALES)
    with SqliteStore(bare_shell.folder / "conexxus.db").at("loc-001").write():
        pass
    return bare_shell


@pytest.fixture
def cli(shell, monkeypatch, capsys):
    """
    Run a command in this process; gives exit code, stdout and stderr.
    """
    for name in list(os.environ):
        if name.startswith("CONEXXUS_") or name == "LOCATION_ID":
            monkeypatch.delenv(name)
    for name, text in shell.environ.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(shell.folder)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    levels = {name: logger.level for name, logger in loggers()}

    def run(*arguments):
        code = main(arguments)
        return code, *capsys.readouterr()

    yield run

    root.handlers[:], root.level = before[0], before[1]
    for name, logger in loggers():
        logger.setLevel(levels.get(name, logging.NOTSET))


@attrs.frozen
class Console:
    """
    An operator's shell whose commands run in this process: a process of its
    own takes longer to start than most commands take.
    """

    folder: object
    cli: object

    def run(self, *arguments):
        """
        A command.
        """
        return subprocess.CompletedProcess(arguments, *self.cli(*arguments))

    def json(self, *arguments):
        """
        What a command writes for programs.
        """
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def console(shell, cli):
    return Console(shell.folder, cli)


def loggers():
    """
    All loggers but the root, by name.
    """
    known = logging.getLogger().manager.loggerDict
    return [(name, one) for name, one in known.items() if isinstance(one, logging.Logger)]
