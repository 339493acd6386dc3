"""
Two processes run one fleet, some of whose back offices hang, answer 429, or lose
answers, and are killed at random.
"""

import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest
from databases import Chosen, postgres, store_at, url_of

from conexxus_client.testing import BackOffice, SandboxServer

from .fleet_process import IS_SMALL, KEY, SALES, STORES, location


SCRIPT = Path(__file__).with_name("fleet_process.py")
DATABASES = ("sqlite", "postgres")
EXECUTORS = ("local", "dbos")
ITEMS = [{"sku": f"S{number}", "name": "x", "price": 1} for number in range(20)]

# The back offices of the stores, in turn: what each does now and then.  A sale whose
# answer is lost is in the books.
FAULTS = (
    "",
    "sales: after_commit(reset)@0.04; sales: 503@0.03",
    "429(retry_after=2)@0.05",
    "catalog: slow(3s)@0.05",
)


class Worker:
    """
    One process of the fleet.

    Attributes:
        lines: What it has written down.
        killed_at: When it was killed, if it was.
    """

    def __init__(self, arguments, written, script=SCRIPT):
        self.lines, self.killed_at = [], None
        self.process = subprocess.Popen(
            [sys.executable, script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self.read, args=(written,))
        self.reader.start()

    def read(self, written):
        for line in self.process.stdout:
            self.lines.append(line)
            written.put(line)

    def end(self, *, kill):
        if kill:
            self.process.kill()
            self.killed_at = time.time()
        self.process.stdin.close()
        self.process.wait(60)
        self.reader.join()
        self.process.stdout.close()


def sold(offices):
    """
    The ids of the sales in the books, by location.
    """
    return {
        location(number): sorted(
            it.id for it in offices[number % len(offices)].ledger.sales(location(number))
        )
        for number in range(STORES)
    }


def spans(workers):
    """
    From when to when each run went on, by kind and location; one that was killed
    ended then.
    """
    found = {}

    for worker in workers:
        begun = {}
        for line in worker.lines:
            what, kind, name, run, moment = line.split()
            if what == "begins":
                begun[run] = (kind, name), float(moment)
            elif what == "ends":
                key, since = begun.pop(run)
                found.setdefault(key, []).append((since, float(moment)))
        for key, since in begun.values():
            found.setdefault(key, []).append((since, worker.killed_at or since))

    return found


def overlaps(found):
    """
    The kinds and locations of which two runs went on at one time.
    """
    return [
        key
        for key, runs in found.items()
        for (_, end), (begin, _) in zip(sorted(runs), sorted(runs)[1:], strict=False)
        if begin < end
    ]


def lose_the_queue(path):
    """
    Destroy the tables of the engine, while processes use them.
    """
    if Chosen.name == "sqlite":
        for end in ("", "-wal", "-shm"):
            Path(f"{path}.dbos{end}").unlink(missing_ok=True)
    else:
        schema = postgres().schema_of(str(path))
        # To drop it would deadlock with them.
        postgres().connection.execute(f"ALTER SCHEMA {schema}_dbos RENAME TO {schema}_lost")


@pytest.mark.fault(
    "S11",
    "Two processes run one fleet, and are killed at random; some back offices hang or answer 429",
    "each sale arrives once, and no location has two runs of one kind at a time",
)
@pytest.mark.long
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("kills", [2 if IS_SMALL else 20])
@pytest.mark.timeout(1_800)
def test_two_processes(tmp_path, database, kills, executor):
    """
    Each sale arrives once, and no location has two runs of one kind at a time;
    what hangs costs no other location its turn.  Where they share a queue, that is
    lost in the midst of it.
    """
    dice, written = random.Random(kills), SimpleQueue()
    # Long over, at any hour.
    now = datetime.now(UTC)
    day = now.date() - timedelta(days=2)
    offices = [BackOffice(ITEMS, api_key=KEY, faults=it, seed=7) for it in FAULTS]
    everything = {location(it): [f"t{number}" for number in range(SALES)] for it in range(STORES)}

    with ExitStack() as stack:
        urls = [stack.enter_context(SandboxServer(it)).url for it in offices]
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        urls.insert(0, f"http://127.0.0.1:{silent.getsockname()[1]}")
        # A store that is new holds past dates back.
        store = stack.enter_context(closing(store_at(tmp_path / "conexxus.db")))
        with store.at("").keep_open():
            for name in everything:
                with store.at(name).write() as state:
                    state.sales_dates.set_start_date(day, now)

        path = tmp_path / "conexxus.db"
        arguments = [executor, url_of(path), day.isoformat(), *urls]
        at_work, ended = [Worker(arguments, written) for _ in range(2)], []

        for number in range(kills):
            if executor == "dbos" and number == kills // 2:
                lose_the_queue(path)
            for _ in range(dice.randrange(30, 60)):
                written.get(timeout=300)
            worker = at_work.pop(dice.randrange(2))
            worker.end(kill=True)
            ended.append(worker)
            at_work.append(Worker(arguments, written))

        for _ in range(50 * STORES):
            if sold(offices) == everything:
                break
            written.get(timeout=300)
        for worker in at_work:
            worker.end(kill=False)

    found = spans([*ended, *at_work])

    assert sold(offices) == everything
    assert [it.ledger.doubled() for it in offices] == [[]] * len(offices)
    assert overlaps(found) == []
    assert {name for _, name in found} >= {*everything, "hanging-0"}
