"""
Two processes with fifty services each, for the same locations in one
PostgreSQL, that are killed and stopped at random.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conexxus_client.testing import BackOffice, SandboxServer

from .fifty_services import LEASE_S, LOCATIONS, SALES


SCRIPT = Path(__file__).with_name("fifty_services.py")
IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
ITEMS = [{"sku": f"S{number}", "name": "x", "price": 1} for number in range(20)]
# The back office has committed what it does not answer.
FAULTS = "sales: after_commit(reset)@0.05; sales: 503@0.05"
TAKEN_OVER_WITHIN_S = LEASE_S + 5


class Pair:
    """
    Two processes; a third takes the place of one that was killed.

    Attributes:
        failed: When the process of a run, or at a location, was killed or stopped.
    """

    def __init__(self, server, refusals, arguments):
        self.server, self.refusals, self.arguments = server, refusals, arguments
        self.failed = defaultdict(list)
        self.processes = [self.start(), self.start()]

    def start(self):
        return subprocess.Popen(
            [sys.executable, SCRIPT, *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.refusals,
            text=True,
        )

    def held_by(self, pid):
        """
        What the process has leases of.
        """
        return set(
            self.server.execute(
                "SELECT location, kind, epoch, run_id FROM pair.leases"
                " WHERE pid = %s AND run_id IS NOT NULL",
                pid,
            )
        )

    def stopped(self, process):
        """
        Stop it while it holds leases; returns them.
        """
        while True:
            process.send_signal(signal.SIGSTOP)
            if held := self.held_by(process.pid):
                return held
            process.send_signal(signal.SIGCONT)

    def rounds(self, count):
        """
        Wait until each process has been at all locations so often.
        """
        for process in self.processes:
            for _ in range(count):
                process.stdout.readline()

    def fail(self, which, what):
        """
        Kill or stop one, until the other has had the time to take over.
        """
        process = self.processes[which]
        held = self.stopped(process)
        for location, _, _, run in held:
            self.failed[location].append(time.time())
            self.failed[run].append(time.time())
        process.send_signal(what)
        if what == signal.SIGKILL:
            process.communicate()
        # Pulls are rare.
        sales = {lease for lease in held if "sales" in lease}
        while sales & self.held_by(process.pid) and not self.late():
            self.server.execute("SELECT pg_sleep(0.1)")

        if what == signal.SIGKILL:
            self.processes[which] = self.start()
        else:
            process.send_signal(signal.SIGCONT)

    def late(self):
        """
        Runs, and locks of locations, that were in the way of others for too long
        after their process had failed.
        """
        self.refusals.seek(0)
        # The last line may be half written.
        refused = [line.split() for line in self.refusals if line.endswith("\n")]

        return {name for name, moment in refused if self.is_late(name, float(moment))}

    def is_late(self, name, moment):
        before = [failed for failed in self.failed.get(name, ()) if failed < moment]

        return bool(before) and moment > before[-1] + TAKEN_OVER_WITHIN_S

    def end(self):
        for process in self.processes:
            process.communicate()
            assert process.returncode == 0


def chaos(server, refusals, incidents, dice):
    """
    Returns the processes, which have ended, and their back office.
    """
    office = BackOffice(ITEMS, api_key="k", faults=FAULTS)
    day = datetime.now(UTC).date() - timedelta(days=1)

    with SandboxServer(office) as front:
        arguments = [front.url, server.url("pair"), day.isoformat(), str(time.time())]
        pair = Pair(server, refusals, arguments)
        pair.rounds(1)
        for number in range(incidents):
            what = [signal.SIGKILL, signal.SIGSTOP][number % 2]
            pair.fail(dice.randrange(2), what)
            pair.rounds(1)
        pair.rounds(2)
        pair.end()

    return pair, office


@pytest.mark.fault(
    "S11",
    "Two processes with a service for each of fifty locations are killed and stopped at random",
    "taken over within a lease and five seconds, fenced off, each sale arrives once",
)
@pytest.mark.parametrize("incidents", [pytest.param(2 if IS_SMALL else 60, marks=pytest.mark.long)])
@pytest.mark.timeout(3_600)
def test_two_processes(new_server, tmp_path, incidents):
    """
    What one held is taken over within a lease and five seconds, what goes on
    late is fenced off, and each sale arrives once.
    """
    server = new_server(max_connections=100)

    with (tmp_path / "refusals").open("a+") as refusals:
        pair, office = chaos(server, refusals, incidents, random.Random(incidents))
        late = pair.late()

    for location in LOCATIONS:
        sold = [each.id for each in office.ledger.sales(location)]
        assert sorted(sold) == [f"t{number}" for number in range(SALES)], location
    assert office.ledger.doubled() == []
    assert late == set()
    assert len(pair.failed) >= incidents
