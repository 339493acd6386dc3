"""
Ten set-ups that are broken, with real causes: `conexxus doctor` and the command
that fails name the cause and what to do, and after that it works.
"""

import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError

import attrs
import pytest
import trustme


NOBODY = 65534
PUSH = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")
FULL = "database or disk is full. Free space on its disk (or that of SQLITE_TMPDIR)"
ACCEPTED = "Sales of 2 January 2026: 2 sales, 7.30, accepted by the back office."


@pytest.fixture
def shell(shell):
    """
    Every command in a process of its own.
    """
    shell.environ["CONEXXUS_STORE"] = shell.store
    return shell


def said(shell, *arguments, code):
    """
    All that a command wrote, in one line; it ended with *code*.
    """
    result = shell.run(*arguments, "--log-format", "text")
    text = " ".join((result.stdout + result.stderr).split())
    assert result.returncode == code, text
    return text


def problem(shell, check, *, code):
    """
    What doctor says of *check*, and the entry of the documentation that it names.
    """
    result = shell.run("doctor", "--json")
    assert result.returncode == code, result.stdout
    (found,) = [it for it in json.loads(result.stdout) if it["check"] == check]
    assert found["level"] == "problem"
    return found["message"], found["help"].partition("#")[2]


def all_is_well(shell):
    """
    Doctor has no problem, and both directions work.
    """
    said(shell, "doctor", code=0)
    said(shell, "pull", code=0)
    assert ACCEPTED in said(shell, *PUSH, code=0)


def test_wrong_zone(shell):
    """
    A zone that there is not is refused, and the nearest is named.
    """
    shell.environ["CONEXXUS_TIMEZONE"] = "America/NewYork"
    message, entry = problem(shell, "settings", code=2)
    failed = said(shell, *PUSH, code=2)

    for text in (message, failed):
        assert re.search("CONEXXUS_TIMEZONE .*did you mean America/New_York", text)
    assert entry == "doctor-settings"

    shell.environ["CONEXXUS_TIMEZONE"] = "Amerika/NY"
    assert "did you mean" not in said(shell, *PUSH, code=2)

    shell.environ["CONEXXUS_TIMEZONE"] = "America/New_York"
    all_is_well(shell)


@pytest.mark.parametrize(
    ("machine", "zone", "warning"),
    [
        ("America/New_York", "America/Los_Angeles", "this machine is set to America/New_York"),
        ("UTC", "UTC", "set CONEXXUS_TIMEZONE to the store's own zone"),
    ],
)
def test_zone_of_another_store(shell, machine, zone, warning):
    """
    A zone in which it is another time than on this machine, and UTC, are doubted.
    """
    shell.environ.update(TZ=machine, CONEXXUS_TIMEZONE=zone)

    findings = {it["check"]: it for it in shell.json("doctor")}

    assert findings["time zone"]["level"] == "warning"
    assert warning in findings["time zone"]["message"]


def test_dead_proxy(shell):
    """
    A proxy that does not listen is told from a back office that does not.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"127.0.0.1:{taken.getsockname()[1]}"
    shell.environ["CONEXXUS_PROXY"] = f"http://till:secret@{dead}"
    message, entry = problem(shell, "back office", code=1)
    pulled, pushed = said(shell, "pull", code=1), said(shell, *PUSH, code=1)

    for text in (message, pulled, pushed):
        assert f"proxy http://{dead}: connection refused. Check CONEXXUS_PROXY." in text
        assert "secret" not in text
    assert entry == "connecterror"
    assert "Left for the next push: 2 sales." in pushed

    del shell.environ["CONEXXUS_PROXY"]
    all_is_well(shell)


def test_foreign_database(shell):
    """
    The database of another program is refused, untouched.
    """
    other = shell.folder / "pos.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE sales (id)")
        connection.execute("PRAGMA user_version = 3")
    before = other.read_bytes()
    shell.environ["CONEXXUS_STORE"] = f"sqlite:///{other}"
    message, entry = problem(shell, "store", code=1)

    for text in (message, said(shell, "pull", code=1), said(shell, *PUSH, code=1)):
        assert f"the file {other} is no store of conexxus-sdk" in text
        assert "Set CONEXXUS_STORE to a file of its own, which is created" in text
    assert entry == "storeerror"
    assert other.read_bytes() == before

    shell.environ["CONEXXUS_STORE"] = f"sqlite:///{shell.folder}/own.db"
    said(shell, "pull", code=0)
    all_is_well(shell)


@pytest.fixture
def store_of_root(shell, cli, monkeypatch):
    """
    A store in a folder that is root's too, where everybody may read.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        pytest.skip("only root makes files of root")

    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.setenv("CONEXXUS_STORE", f"sqlite:///{folder}/conexxus.db")
        monkeypatch.setenv("CONEXXUS_ORDERS", f"{folder}/sales.ndjson")
        (folder / "sales.ndjson").write_bytes((shell.folder / "sales.ndjson").read_bytes())
        # What another user can't read is loaded by now.
        for it in ("pull",), ("doctor",), ("push", "--date", "2026-01-05"):
            assert cli(*it)[0] == 0
        monkeypatch.chdir(folder)
        yield folder / "conexxus.db"


def test_store_of_root_in_the_folder_of_the_service(store_of_root, cli):
    """
    A file that may be read and not written is noticed by `doctor`, before a pull.
    """
    store_of_root.parent.chmod(0o777)
    store_of_root.chmod(0o644)

    os.seteuid(NOBODY)
    try:
        code, out, _ = cli("doctor")
    finally:
        os.seteuid(0)

    assert code == 1
    assert f"{store_of_root} belongs to root" in " ".join(out.split())


def test_store_of_root(store_of_root, cli):
    """
    A store that a command with `sudo` made: the command that gives it to the
    service is printed, once for folder and file, and works.
    """

    def as_service(*arguments):
        os.seteuid(NOBODY)
        try:
            code, out, err = cli(*arguments, "--log-format", "text")
        finally:
            os.seteuid(0)
        return code, " ".join((out + err).split())

    commands = ("doctor",), ("pull",), ("push", "--date", "2026-01-02")
    broken = [as_service(*it) for it in commands]
    for code, text in broken:
        assert code == 1
        assert f"{store_of_root.parent} belongs to root, and this process runs as " in text
        assert "run it as root" not in text
    doctor = broken[0][1]
    assert "how-to/troubleshoot.md#storeerror" in doctor

    (command,) = set(re.findall("`(chown .*?)` as root", doctor))
    subprocess.run(["sh", "-c", command], check=True)

    (*mended, pushed) = (as_service(*it) for it in commands)
    assert [code for code, _ in mended] == [0, 0]
    assert ACCEPTED in pushed[1]


@contextmanager
def origin(server, *, certificate=None, page=None):
    """
    What stands before the back office: a certificate, or a page instead of it.
    """

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            if page is not None:
                self.send_whole(200, "text/html", page)
                return
            size = int(self.headers.get("Content-Length") or 0)
            names = ("X-API-Key", "Idempotency-Key", "Content-Type")
            headers = {name: self.headers[name] for name in names if self.headers[name]}
            request = urllib.request.Request(
                server.url + self.path, self.rfile.read(size) or None, headers, method=self.command
            )
            try:
                reply = urllib.request.urlopen(request)
            except HTTPError as exc:
                reply = exc
            with reply:
                self.send_whole(reply.status, "application/json", reply.read())

        do_GET = do_POST = answer  # noqa: N815  # names of the standard library

        def send_whole(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as front:
        front.handle_error = lambda *arguments: None  # callers that do not trust it
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            front.socket = context.wrap_socket(front.socket, server_side=True)
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        scheme = "http" if certificate is None else "https"
        yield f"{scheme}://localhost:{front.server_port}"
        front.shutdown()
        thread.join()


def test_old_authority(shell, server):
    """
    The certificates of the authority were renewed: the setting is named, and
    doctor shows which file is used.
    """
    old, new = shell.folder / "old.pem", shell.folder / "new.pem"
    trustme.CA().cert_pem.write_to_path(old)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(new)

    with origin(server, certificate=authority.issue_cert("localhost")) as url:
        shell.environ.update(CONEXXUS_API_URL=url, CONEXXUS_CA_FILE=str(old))
        message, entry = problem(shell, "back office", code=1)
        doctor = said(shell, "doctor", code=1)
        for text in (message, said(shell, "pull", code=1), said(shell, *PUSH, code=1)):
            assert "secure connection failed" in text
            assert "Set CONEXXUS_CA_FILE to the certificates of the authority" in text
        assert entry == "tlserror"
        assert f"CONEXXUS_CA_FILE is {old}" in doctor

        shell.environ["CONEXXUS_CA_FILE"] = str(new)
        all_is_well(shell)


def test_login_page(shell, server):
    """
    The page of a network that wants a sign-in is named with its title; sales
    that met it are unknown, and are not doubled afterwards.
    """
    page = b"<html><head><title>Sign in to Shop WiFi</title></head></html>"
    right = shell.environ["CONEXXUS_API_URL"]

    with origin(server, page=page) as url:
        shell.environ["CONEXXUS_API_URL"] = url
        message, entry = problem(shell, "back office", code=1)
        for text in (message, said(shell, "pull", code=1)):
            assert "an HTML page: Sign in to Shop WiFi." in text
            assert "A login page of the network or a firewall may be in between" in text
        assert entry == "decodeerror"

    shell.environ["CONEXXUS_API_URL"] = right
    all_is_well(shell)


def test_wrong_profile(shell, office):
    """
    A profile that recognises repeated sales otherwise sends nothing; the one of
    the pushes so far does.
    """
    profile = (
        "from conexxus_client import ApiProfile\nother = ApiProfile(dedupe='transaction_id')\n"
    )
    (shell.folder / "profiles.py").write_text(profile)
    assert ACCEPTED in said(shell, *PUSH, code=0)
    shell.environ["CONEXXUS_PROFILE"] = "profiles:other"
    message, entry = problem(shell, "profile", code=2)

    for text in (message, said(shell, *PUSH, code=2)):
        assert "dedupe is transaction_id, kept is key" in text
        assert "CONEXXUS_PROFILE" in text
    assert entry == "doctor-profile"
    assert "dedupe key transaction_id differs" in said(shell, "profile", "show", code=0)

    del shell.environ["CONEXXUS_PROFILE"]
    said(shell, "doctor", code=0)
    assert "Nothing to send" in said(shell, *PUSH, code=0)
    assert office.ledger.doubled() == []


def test_profile_that_can_not_be_loaded(shell):
    """
    A profile that is none is a problem of the profile, not of the back office.
    """
    shell.environ["CONEXXUS_PROFILE"] = "profiles:missing"

    message, entry = problem(shell, "profile", code=2)

    assert message.startswith("CONEXXUS_PROFILE profiles:missing can't be used: ")
    assert entry == "doctor-profile"


@pytest.mark.parametrize(
    ("check", "setting", "method", "command"),
    [
        ("catalogue storage", "CONEXXUS_CATALOG", "apply_in(self, db, changes)", ["pull"]),
        ("order source", "CONEXXUS_ORDERS", "complete_void(self, void, sold)", [*PUSH[:1]]),
    ],
)
def test_asynchronous_adapter(shell, check, setting, method, command):
    """
    A method that would have to be awaited is named before it is called.
    """
    adapter = (
        "class Adapter:\n    def transactions(self, location, day):\n        return []\n"
        f"    async def {method}:\n        return []\n"
    )
    module = shell.folder / "adapters.py"
    module.write_text(adapter)
    shell.environ[setting] = "adapters:Adapter"
    message, entry = problem(shell, check, code=2)

    for text in (message, said(shell, *command, code=2)):
        assert f"{setting} adapters:Adapter can't be used: `{method.partition('(')[0]}`" in text
        assert "like a plain `def` that calls `asyncio.run`" in text
    assert entry == f"doctor-{check.replace(' ', '-')}"

    module.write_text(adapter.replace("async ", ""))
    said(shell, "doctor", code=0)
    said(shell, *command, code=0)


@pytest.fixture
def full_folder(tmp_path):
    """
    A folder on a disk of its own, which has no room.
    """
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if (
        sys.platform == "win32"
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("a small disk can't be mounted here")
    (folder / "ballast").write_bytes(b"")
    with pytest.raises(OSError, match="No space left"), (folder / "ballast").open("wb", 0) as file:
        file.writelines(b"x" * 4096 for _ in range(32))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def large_catalogue(office):
    office.catalog = [
        {"sku": f"L{number}", "name": "A name", "price": number, "description": f"{number} " * 200}
        for number in range(4_000)
    ]


@pytest.mark.usefixtures("large_catalogue")
def test_full_folder_of_the_system(shell, full_folder):
    """
    Temporary files lie beside the store, wherever the system has its own.
    """
    shell.environ["TMPDIR"] = str(full_folder)

    all_is_well(shell)


@pytest.mark.usefixtures("large_catalogue")
def test_full_temporary_folder(shell, full_folder):
    """
    A folder of one's own choice that is full is found before the first pull,
    and the pull says so in sentences, without a traceback; its failure is kept.
    So it is with a store that is there, and with a new one.
    """
    for store in (shell.store, f"sqlite:///{shell.folder}/new.db"):
        shell.environ.update(CONEXXUS_STORE=store, SQLITE_TMPDIR=str(full_folder))
        message, entry = problem(shell, "temporary files", code=1)
        pulled = said(shell, "pull", code=1)

        for text in (message, pulled):
            assert FULL in text
        assert entry == "doctor-temporary-files"
        assert "Traceback" not in pulled
        assert "could not be recorded" not in pulled
        elsewhere = attrs.evolve(shell, environ={**shell.environ})
        # A variable of SQLite costs each command a process of its own.
        del elsewhere.environ["SQLITE_TMPDIR"]
        assert "failed" in said(elsewhere, "runs", "--limit", "1", code=0)
        assert "The last pull failed" in said(elsewhere, "status", code=0)

    (full_folder / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(full_folder)], check=True)
    all_is_well(shell)


def test_full_disk_of_a_new_store(shell, full_folder):
    """
    A disk without room for a new store is called full.
    """
    shell.environ["CONEXXUS_STORE"] = f"sqlite:///{full_folder}/conexxus.db"

    assert "database or disk is full. Free space" in said(shell, "pull", code=1)


def test_expired_key(shell, office):
    """
    A new key in the file of the key counts from the next call on.
    """
    key = shell.folder / "key"
    key.write_text(shell.environ.pop("CONEXXUS_API_KEY"))
    shell.environ["CONEXXUS_API_KEY_FILE"] = str(key)
    office.api_key = "a-new-key"
    message, entry = problem(shell, "back office", code=1)

    for text in (message, said(shell, "pull", code=1), said(shell, *PUSH, code=1)):
        assert "Conexxus API authentication failed. Check API key." in text
    assert entry == "authenticationerror"

    key.write_text("a-new-key\n")
    all_is_well(shell)
    assert office.ledger.doubled() == []
