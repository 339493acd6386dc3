"""
A call ends in time, whatever the server does.
"""

import socket
import subprocess
import sys
import threading
import time

import pytest

from conexxus_client import ConexxusError, DeadlineExceededError, RequestTimeoutError
from conexxus_client._codec import CatalogReader


@pytest.mark.parametrize(
    "fault",
    [
        "hang",
        "drip_head(10ms, bytes=1)",
        "drip(20ms, bytes=1)",
        "stall(10)",
        "interim",
    ],
)
def test_small_calls(connect, office, server, fault):
    """
    Silence, dripped headers, a dripped or stalled body and endless interim
    answers end when the attempt's time is over, and not before.
    """
    office.faults(f"{fault}*forever")
    client = connect(server.url, timeout_ms=250, retries=0)
    started = time.monotonic()

    with pytest.raises(RequestTimeoutError, match="after 250ms"):
        client.health()

    # Loose, for a busy machine.
    assert 0.24 <= time.monotonic() - started < 3


@pytest.mark.parametrize("fault", ["hang", "drip_head(10ms, bytes=1)", "interim", "stall(100)"])
def test_catalogue(connect, office, server, fault):
    """
    A catalogue's headers have to come in time, and its body must not stall.
    """
    office.faults(f"{fault}*forever")
    client = connect(server.url, timeout_ms=250, retries=0)

    with pytest.raises(RequestTimeoutError):
        client.fetch_items()


def test_slow_catalogue(connect, office, server):
    """
    A catalogue may take longer than the time-out, as long as it moves.
    """
    office.faults("drip(10ms, bytes=20)")
    client = connect(server.url, timeout_ms=150, retries=0)
    started = time.monotonic()

    assert len(client.fetch_items()) == 5
    assert time.monotonic() - started > 0.15


@pytest.mark.case(
    "E10", "A catalogue of a few bytes that takes long to read", "reading counts for its deadline"
)
def test_reading_counts(connect, office, server, monkeypatch):
    """
    What the reader takes for a catalogue is bounded, as the network is.
    """
    office.catalog = [{"sku": f"S{n}", "name": "n" * 500, "price": n} for n in range(2_000)]
    client = connect(server.url, retries=0)
    passed, feed = [], CatalogReader.feed

    def slow(reader, chunk):
        passed.append(600)
        return feed(reader, chunk)

    monkeypatch.setattr(CatalogReader, "feed", slow)
    client.client._core.monotonic = lambda: time.monotonic() + sum(passed)

    with pytest.raises(DeadlineExceededError):
        client.fetch_items()
    assert len(passed) <= 4


def test_next_call_succeeds(connect, office, server):
    """
    A call that ran out of time leaves the client usable.
    """
    office.faults("hang, drip(20ms, bytes=1), reset, truncate")
    client = connect(server.url, timeout_ms=600, retries=0)

    for _ in range(4):
        with pytest.raises(ConexxusError):
            client.health()

    assert client.health().ok is True


def test_names_that_never_resolve(connect, monkeypatch):
    """
    A resolver that hangs is left behind when the time is over.
    """
    release = threading.Event()

    def hang(*_, **__):
        release.wait(30)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    client = connect("https://slow.example", timeout_ms=250, retries=0)
    started = time.monotonic()

    try:
        with pytest.raises(RequestTimeoutError) as info:
            client.health()
        assert time.monotonic() - started < 3
    finally:
        release.set()

    assert info.value.delivery == "not_sent"


NO_DESCRIPTORS = """
import os, resource, sys
from conexxus_client import ClientConfig, ConexxusClient, ConnectError

config = ClientConfig(api_url=sys.argv[1], api_key="sandbox-key", retries=0)

with ConexxusClient(config) as client, ConexxusClient(config) as other:
    client.health()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
    try:
        other.health()
    except ConnectError as exc:
        print(exc.delivery, exc)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(other.health().ok)
"""


@pytest.mark.fault(
    "N23", "No file descriptor is left", "`ConnectError`, not_sent; with one, the client goes on"
)
def test_no_descriptors_left(server):
    """
    A process without a descriptor to spare sends nothing and says why; with
    one, it goes on.
    """
    done = subprocess.run(
        [sys.executable, "-c", NO_DESCRIPTORS, server.url],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [
        "not_sent Conexxus API connection failed (Too many open files).",
        "True",
    ]
