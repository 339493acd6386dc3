"""
The sandbox as a process: signals, kills, books that go on, flat memory.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from conexxus_client.testing import FaultSyntaxError, run_server


PROGRAM = """
import sys
from conexxus_client.testing import run_server
run_server(0, on_ready=lambda server: print(server.url, flush=True), **eval(sys.argv[1]))
"""


@contextlib.contextmanager
def process(**settings):
    """
    A sandbox in a process of its own, and its URL.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, repr(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child, child.stdout.readline().strip()
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(tools, number):
    with process(log=True) as (child, url):
        push(url, tools, "t1", key="k")
        child.send_signal(number)
        _, errors = child.communicate(timeout=20)

    assert child.returncode == 0
    assert errors == "POST /api/v1/sales/push → 200  2026-01-02 loc-001: 1 taken, 0 refused\n"


def test_after_a_kill_the_next_one_goes_on_with_the_same_books(tools, tmp_path):
    ledger = str(tmp_path / "ledger.ndjson")

    with process(ledger=ledger) as (child, url):
        first = push(url, tools, "t1", key="k")
        child.kill()
    with process(ledger=ledger) as (_, url):
        again = push(url, tools, "t1", key="k")
        known = books(url)

    assert again == first
    assert (known["pushes"], known["doubled"]) == (1, [])


def test_a_sale_whose_answer_was_killed_is_in_the_books(tools, tmp_path):
    ledger = str(tmp_path / "ledger.ndjson")

    with (
        process(ledger=ledger, faults="after_commit(hang)") as (child, url),
        tools.Wire(ServerAt(url)) as wire,
    ):
        wire.send("POST", tools.PUSH, tools.body_of("t1"), **{"Idempotency-Key": "k"})
        while not books(url)["pushes"]:
            pass
        child.kill()
        with contextlib.suppress(ConnectionError):
            assert wire.rest() == b""
    with process(ledger=ledger) as (_, url):
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
def test_a_million_items_leave_memory_where_it_was(tools, tmp_path, kind):
    settings = {"items": 1_000_000}
    if kind == "file":
        settings = {"catalog": str(tmp_path / "items.ndjson")}
        line = b'{"sku":"SKU%07d","name":"Something to be sold","price":1.99,"category":"Any"}\n'
        with Path(settings["catalog"]).open("wb") as file:
            file.writelines(line % number for number in range(1_000_000))

    with process(**settings) as (child, url):
        push(url, tools, "t1", key="k")
        before = memory_of(child)
        size, tail = drained(url, tools)
        after = memory_of(child)

    assert size > 70_000_000
    assert tail.endswith(b"0\r\n\r\n")
    assert after - before < 8 * 1024 * 1024


def test_mistakes_are_reported_before_the_port_is_opened(tmp_path):
    (tmp_path / "ledger").write_text("[]\n")

    with pytest.raises(FaultSyntaxError):
        run_server(0, faults="explode")
    with pytest.raises(FileNotFoundError):
        run_server(0, catalog=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="line 1"):
        run_server(0, ledger=tmp_path / "ledger")


def test_it_runs_in_a_thread_until_it_is_told_to_stop(tools):
    stop, ready, urls, lines = threading.Event(), threading.Event(), [], []

    def on_ready(server):
        urls.append(server.url)
        ready.set()

    thread = threading.Thread(
        target=run_server,
        kwargs={"port": 0, "on_ready": on_ready, "stop": stop, "log": lines.append, "items": 3},
    )
    thread.start()
    ready.wait()
    request = urllib.request.Request(urls[0] + tools.ITEMS, headers=tools.KEY)
    with urllib.request.urlopen(request, timeout=20) as answer:
        items = json.load(answer)["data"]
    stop.set()
    thread.join()

    assert (len(items), len(lines)) == (3, 1)


def test_handlers_of_signals_are_given_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    run_server(0, on_ready=lambda _: signal.raise_signal(signal.SIGTERM))

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


class InterruptedEvent(threading.Event):
    """
    An event whose wait is interrupted by a signal at its worst moment.
    """

    def wait(self, timeout=None):
        with self._cond:
            signal.raise_signal(signal.SIGTERM)
        return super().wait(timeout)


def test_a_signal_in_the_middle_of_the_wait_does_not_lock_up():
    stop = InterruptedEvent()

    run_server(0, stop=stop)

    assert stop.is_set()
