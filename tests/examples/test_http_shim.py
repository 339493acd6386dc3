import itertools
import re
import signal
import threading
from contextlib import contextmanager

import httpx
import pytest

from conexxus_client.testing import SandboxServer


@pytest.fixture
def asked():
    """
    Set when the catalogue was asked for.
    """
    return threading.Event()


@pytest.fixture
def server(office, asked):
    with SandboxServer(office, log=lambda _: asked.set()) as server:
        yield server


@pytest.fixture
def shim(program, server):
    return program("http_shim.py", **server.env, LOCATION_ID="loc-001", PORT="0")


@contextmanager
def running(shim):
    """
    The program, and a client for it.
    """
    with shim.start() as process:
        for line in process.stderr:
            if found := re.search(r"running on (http://\S+)", line):
                break
        try:
            with httpx.Client(base_url=found[1], trust_env=False) as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=10)
    assert "Traceback" not in err


def until_ok(client, path):
    """
    Ask until there is an answer; the suite's time-out is the limit.
    """
    for _ in itertools.count():
        answer = client.get(path)
        if answer.status_code == 200:
            return answer.json()
    raise AssertionError("unreachable")


def test_routes_stand_beside_the_shops_own(shim, asked):
    """
    The shop's routes and the SDK's four are served by one application.
    """
    prefix = "/integrations/conexxus"

    with running(shim) as client:
        assert asked.wait(30)
        product = until_ok(client, "/products/SKU0001")
        trigger = client.post(f"{prefix}/sync")
        health = client.get(f"{prefix}/health").json()
        check = client.get(f"{prefix}/test-connection").json()
        latest = client.get(f"{prefix}/metrics").json()["latest"]
        alive = client.get("/health").json()
        unknown = client.get("/products/nothing")
        foreign = client.post(f"{prefix}/sync", headers={"Origin": "https://evil.example"})

    assert product["price"] == "9.90"
    assert (trigger.status_code, trigger.json()["status"]) == (202, "processing")
    assert (health["status"], check["success"], alive) == ("healthy", True, {"status": "ok"})
    assert latest["kind"] == "inventory"
    assert (unknown.status_code, foreign.status_code) == (404, 403)


def test_memory_is_filled_again_after_a_restart(shim, asked):
    """
    A shop that keeps its products in memory has them after a restart, too.
    """
    for _ in range(2):
        asked.clear()
        with running(shim) as client:
            assert asked.wait(30)
            assert until_ok(client, "/products/SKU0999")["sku"] == "SKU0999"
