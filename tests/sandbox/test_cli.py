"""
The sandbox as a process: signals, kills, books that go on, flat memory.
"""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


@contextlib.contextmanager
def process(*options):
    """
    `conexxus sandbox` with these options, and its URL.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "conexxus_sync.cli", "sandbox", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child, json.loads(child.stdout.readline())["url"]
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def push(url, tools, *idents, key):
    headers = {**tools.KEY, "Idempotency-Key": key}
    request = urllib.request.Request(url + tools.PUSH, tools.body_of(*idents), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


def books(url):
    with urllib.request.urlopen(f"{url}/sandbox/ledger", timeout=20) as answer:
        return json.load(answer)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_good_order(tools, number, code):
    """
    Each request is in the log, and the end is said.
    """
    with process() as (child, url):
        push(url, tools, "t1", key="k")
        child.send_signal(number)
        _, errors = child.communicate(timeout=20)

    request, end = errors.splitlines()
    assert json.loads(request)["event"] == (
        "POST /api/v1/sales/push → 200  2026-01-02 loc-001: 1 taken, 0 refused"
    )
    assert (child.returncode, end) == (code, "conexxus: the sandbox has stopped.")


def test_after_a_kill_the_next_one_goes_on_with_the_same_books(tools, tmp_path):
    ledger = str(tmp_path / "ledger.ndjson")

    with process("--ledger", ledger) as (child, url):
        first = push(url, tools, "t1", key="k")
        child.kill()
    with process("--ledger", ledger) as (_, url):
        again = push(url, tools, "t1", key="k")
        known = books(url)

    assert again == first
    assert (known["pushes"], known["doubled"]) == (1, [])


def test_a_sale_whose_answer_was_killed_is_in_the_books(tools, tmp_path):
    ledger = str(tmp_path / "ledger.ndjson")

    with (
        process("--ledger", ledger, "--faults", "after_commit(hang)") as (child, url),
        tools.Wire(ServerAt(url)) as wire,
    ):
        wire.send("POST", tools.PUSH, tools.body_of("t1"), **{"Idempotency-Key": "k"})
        while not books(url)["pushes"]:
            pass
        child.kill()
        with contextlib.suppress(ConnectionError):
            assert wire.rest() == b""
    with process("--ledger", ledger) as (_, url):
        push(url, tools, "t1", key="k")

        assert (books(url)["pushes"], books(url)["doubled"]) == (1, [])


class ServerAt:
    def __init__(self, url):
        self.url = url


def memory_of(child):
    """
    The peak resident memory of *child*, in bytes.
    """
    status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def drained(url, tools):
    with tools.Wire(ServerAt(url)) as wire:
        wire.send(path=tools.ITEMS, Connection="close")
        size, tail = 0, b""
        while piece := wire.sock.recv(1 << 20):
            size += len(piece)
            tail = (tail + piece)[-200:]
    return size, tail


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("kind", ["generated", "file"])
def test_a_large_catalogue_leaves_memory_where_it_was(tools, tmp_path, kind):
    """
    Of a file, each line is checked before the start, so it has fewer items.
    """
    count = {"generated": 250_000, "file": 125_000}[kind]
    options = ["--items", str(count)]
    if kind == "file":
        options = ["--catalog", str(tmp_path / "items.ndjson")]
        line = b'{"sku":"SKU%07d","name":"Something to be sold","price":1.99,"category":"Any"}\n'
        with Path(options[1]).open("wb") as file:
            file.writelines(line % number for number in range(count))

    with process(*options) as (child, url):
        push(url, tools, "t1", key="k")
        before = memory_of(child)
        size, tail = drained(url, tools)
        after = memory_of(child)

    assert size > 70 * count
    assert tail.endswith(b"0\r\n\r\n")
    assert after - before < 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("option", "given", "said"),
    [
        ("--faults", "explode", "explode"),
        ("--catalog", "nowhere", "No such file"),
        ("--ledger", "ledger", "line 1"),
    ],
)
def test_mistakes_are_reported_before_the_port_is_opened(tmp_path, option, given, said):
    (tmp_path / "ledger").write_text("[]\n")

    done = subprocess.run(
        [sys.executable, "-m", "conexxus_sync.cli", "sandbox", "--port", "0", option, given],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
