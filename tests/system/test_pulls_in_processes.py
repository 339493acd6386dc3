"""
Whole pulls in processes of their own: many at once, and one that is stopped
for longer than its lease.
"""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import RunStatus
from conexxus_sync.model.leases import LEASE_LENGTH
from peeks import peek


PULL = """
import os, signal, sys
from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import EngineContext, InventorySync, RunInProgressError, SyncConfig
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores.sqlite import SqliteStore

url, path, wait_at, count = sys.argv[1:]
start, go = os.pipe()
all(os.fork() for _ in range(int(count) - 1))

def say(*words):
    # At once: lines of several processes come in one pipe.
    os.write(1, f"{' '.join(map(str, words))}\\n".encode())

def step(name):
    if name == wait_at == "leased":
        say("holds")
        os.read(0, 1)
    elif name == wait_at:
        os.kill(os.getpid(), signal.SIGSTOP)

with ConexxusClient(ClientConfig(api_url=url, api_key="k", retries=0)) as client:
    context = EngineContext(
        store=SqliteStore(path).at("loc-001"),
        config=SyncConfig(location_id="loc-001"),
        clock=SystemClock(),
        failpoint=step,
    )
    engine = InventorySync(client=client, context=context)
    # Ends when the last of them is here.
    os.close(go)
    os.read(start, 1)
    try:
        run = engine.pull()
        say("ran", run.id, run.status, run.last_error)
    except RunInProgressError as exc:
        say("busy", exc.run_id)
"""
OLD = [{"sku": "A", "name": "old", "price": 1}]
NEW = [{"sku": "A", "name": "new", "price": 2}]


@pytest.fixture
def office():
    with SandboxServer(BackOffice(OLD, api_key="k", etag="off")) as server:
        yield server


def start(office, site, wait_at, count=1):
    """
    A process that pulls, or so many that fork from one.
    """
    return subprocess.Popen(
        [sys.executable, "-c", PULL, office.url, str(site.path), wait_at, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.fault("K06", "Sixteen pulls at once", "one runs, the others get its id")
def test_sixteen_pulls_at_once(office, site):
    """
    One of them runs; fifteen get its id, which is in the history afterwards.
    """
    with start(office, site, "leased", 16) as pulls:
        first = [pulls.stdout.readline().split() for _ in range(16)]
        outcome = pulls.communicate(".")[0].split()

    assert first.count(["holds"]) == 1
    assert (outcome[0], outcome[2]) == ("ran", "success")
    assert [said for said in first if said != ["holds"]] == [["busy", outcome[1]]] * 15
    assert [run.id for run in peek(site.store).runs.history()] == [outcome[1]]
    assert len(office.office.requests) == 1


@contextmanager
def stopped(office, site, step):
    """
    A pull that was stopped at *step*.
    """
    pull = start(office, site, step)
    try:
        _, status = os.waitpid(pull.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield pull
    finally:
        pull.kill()
        pull.communicate()


@pytest.mark.fault(
    "K05", "A pull is stopped past its lease", "fenced off: the catalogue is that of the other"
)
@pytest.mark.parametrize("step", ["request", "read", "compared", "committed"])
def test_stopped_past_its_lease(office, site, step):
    """
    A pull that is stopped keeps its lease until that expires; continued, it
    is fenced off: the catalogue is that of the run which took over.
    """
    with stopped(office, site, step) as pull:
        held = site.store.leases.holder("inventory", datetime.now(UTC))
        assert held

        site.clock.advance_to(datetime.now(UTC) + LEASE_LENGTH)
        run = site.pull(NEW)
        assert run.status is RunStatus.SUCCESS

        os.kill(pull.pid, signal.SIGCONT)
        said = pull.communicate()[0]

    assert site.shelf["A"].name == "new"
    assert said.split()[:2] == ["ran", held]
    if step == "committed":
        # All that it had to write was written before it was stopped.
        assert "success" in said
    else:
        assert f"failed inventory run {held} lost its lease to another run" in said
        assert peek(site.store).runs.get(held).status is RunStatus.FAILED
