"""
A process that is killed in the middle of a pull leaves the old catalogue or
the new one, and nobody waits for its lease.

Killed when a step is reached, and after each of the statements that follow
it.  The same harness catches designs that are wrong.
"""

import os
import shutil
import signal
import sqlite3
import warnings
from collections import Counter
from contextlib import closing, contextmanager

import pytest

from conexxus_client import encode_item
from conexxus_sync import RunStatus
from conexxus_sync.inventory import _sync as inventory
from conexxus_sync.inventory._host_delivery import HostDelivery
from conexxus_sync.inventory._pull import Pull
from conexxus_sync.model.catalogue import Checkpoint
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
from peeks import peek


STEPS = [
    "leased",
    "request",
    "page",
    "read",
    "compared",
    "merge",
    "merged",
    "commit",
    "committed",
    "host",
    "host applied",
    "release",
]
UNTIL_COMMIT = STEPS[: STEPS.index("commit") + 1]
KINDS = ["elsewhere", "here"]
SHORT, LONG = 1, 24


def catalog(prices):
    return [{"sku": sku, "name": "x", "price": price} for sku, price in prices.items()]


# Some change, one is new, one is gone, one goes bad, the rest stays.
OLD = {f"S{n:02d}": "1.00" for n in range(30)}
NEW = {**OLD, **dict.fromkeys(list(OLD)[:10], "2.00"), "X": "3.00"}
del NEW["S29"]
UPSTREAM = [*catalog(NEW), {"sku": "BAD", "name": "x", "price": "free"}]


class KilledDatabase(SqliteDatabase):
    """
    Does not wait for the disk, which outlives the process anyhow, and ends
    the process after so many statements, once it is told to.
    """

    left = None
    seen = 0

    def _connect(self):
        connection = super()._connect()
        connection.execute("PRAGMA synchronous = OFF")
        connection.set_trace_callback(self._count)
        return connection

    def _count(self, statement):
        self.seen += 1
        if self.left is None:
            return
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def killed_store(path):
    return SqliteStore(path, database=KilledDatabase(path))


class Host:
    """
    Has a table: in a database of its own, or in the SDK's.
    """

    def __init__(self, path):
        self.path = path

    def write(self, db, changes):
        for item in [*changes.created, *changes.updated]:
            db.execute("INSERT OR REPLACE INTO products VALUES (?, ?)", (item.sku, str(item.price)))
        for item in changes.removed:
            db.execute("DELETE FROM products WHERE sku = ?", (item.sku,))


class HostElsewhere(Host):
    def apply(self, changes):
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("PRAGMA synchronous = OFF")
            self.write(db, changes)


class HostHere(Host):
    def apply_in(self, connection, changes):
        self.write(connection, changes)


class Till:
    """
    One folder with the store and the host's table, and pulls into them.
    """

    make_store = staticmethod(killed_store)

    def __init__(self, new_site, folder, kind):
        self.folder, self.kind = folder, kind
        self.site = new_site(
            store=self.make_store, path=folder / "conexxus.db", removals="deactivate"
        )
        self.database = self.site.store.database
        self.products = folder / ("host.db" if kind == "elsewhere" else "conexxus.db")
        self.host = (HostElsewhere if kind == "elsewhere" else HostHere)(self.products)

    def make_table(self):
        with closing(sqlite3.connect(self.products)) as db:
            db.execute("CREATE TABLE products (sku TEXT PRIMARY KEY, price TEXT)")

    def prepare(self, old):
        with self.site.store.write():
            pass
        self.make_table()
        if old:
            assert self.pull(catalog(old)).status is RunStatus.SUCCESS

    def pull(self, upstream=UPSTREAM, failpoint=lambda step: None):
        return self.site.pull(upstream, storage=self.host, failpoint=failpoint)

    def killed(self, step, depth):
        """
        Whether a pull was killed so many statements after *step*.
        """

        def reached(name):
            if name == step:
                if depth == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                self.database.left = depth

        with warnings.catch_warnings():
            # Our threads are not at work on anything that the child needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                self.pull(failpoint=reached)
            finally:
                os._exit(0)

        _, status = os.waitpid(child, 0)
        # Our own clock has not moved, and the lease is not even old.
        return os.waitstatus_to_exitcode(status) == -signal.SIGKILL

    @property
    def mirror(self):
        return [encode_item(item) for item in self.site.shelf.values()]

    @property
    def counted(self):
        return peek(self.site.store).mirror.counts().present

    @property
    def table(self):
        with closing(sqlite3.connect(self.products)) as db:
            return dict(db.execute("SELECT sku, price FROM products"))


def statements_after(till):
    """
    How many statements follow each step to the end of a pull.
    """
    at = {}
    till.pull(failpoint=lambda name: at.setdefault(name, till.database.seen))

    return {name: till.database.seen - seen for name, seen in at.items()}


class Proof:
    """
    Kills pulls, and says what it found wrong afterwards.
    """

    till_type = Till

    def __init__(self, new_site, tmp_path, kind, old):
        self.new_site, self.tmp_path, self.kind, self.catalogue = new_site, tmp_path, kind, old
        self.kills = Counter()
        self.base = self.till("base")
        self.base.prepare(old)
        self.depths = statements_after(self.copy("whole"))
        self.old = self.state(self.base)
        self.new = self.state(self.till_type(new_site, tmp_path / "whole", kind))

    def till(self, name):
        (self.tmp_path / name).mkdir()
        return self.till_type(self.new_site, self.tmp_path / name, self.kind)

    def copy(self, name):
        shutil.rmtree(self.tmp_path / name, ignore_errors=True)
        shutil.copytree(self.base.folder, self.tmp_path / name)
        return self.till_type(self.new_site, self.tmp_path / name, self.kind)

    def state(self, till):
        return till.mirror, till.counted, till.table

    def problems(self, step, depth):
        """
        What is wrong after a kill so many statements after *step*.
        """
        till = self.copy("killed")
        if not till.killed(step, depth):
            yield f"{step}+{depth}: not killed"
            return

        self.kills[step, "before" if depth == 0 else "after"] += 1
        mirror, counted, table = self.state(till)

        if (mirror, counted) not in (self.old[:2], self.new[:2]):
            yield f"{step}+{depth}: a mixed mirror"
        if table not in (self.old[2], self.new[2]):
            yield f"{step}+{depth}: a mixed table"
        if self.kind == "here" and (mirror == self.old[0]) != (table == self.old[2]):
            yield f"{step}+{depth}: the mirror and the table differ"
        if step in UNTIL_COMMIT and depth == 0 and (mirror, counted, table) != self.old:
            yield f"{step}+{depth}: a trace before the commit"

        run = till.pull()
        if run.status is not RunStatus.PARTIAL or self.state(till) != self.new:
            yield f"{step}+{depth}: the next pull does not end at the new catalogue"
        if set(till.site.quarantine) != {"BAD"}:
            yield f"{step}+{depth}: quarantine is not the new one"

    def all_kills(self, times):
        reached = [step for step in STEPS if self.kind == "elsewhere" or "host" not in step]
        return {(step, when): times for step in reached for when in ("before", "after")}

    def all_problems(self, times, first=None):
        for step in sorted(self.depths, key=lambda step: step != first):
            for number in range(times):
                yield from self.problems(step, 0)
                yield from self.problems(step, 1 + number % max(self.depths[step] - 1, 1))


@pytest.fixture(
    params=[SHORT, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(1_200)])],
    ids=["short", "long"],
)
def times(request):
    few = request.param == LONG and os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
    return SHORT if few else request.param


@pytest.mark.fault(
    "K01",
    "A pull is killed at any step",
    "the old catalogue or the new one; the next pull succeeds",
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("old", [OLD, {}], ids=["changed", "first"])
def test_killed(new_site, tmp_path, kind, old, times, capsys):
    """
    Killed anywhere, mirror and host are the old catalogue or the new one,
    each of them whole; the next pull starts at once and ends at the new one.
    """
    proof = Proof(new_site, tmp_path, kind, old)

    assert list(proof.all_problems(times)) == []
    assert proof.kills == proof.all_kills(times)
    with capsys.disabled() if times > SHORT else capsys_as_is():
        print(f"\nkills ({kind}, {len(old)} items known):")
        for (step, when), number in proof.kills.items():
            print(f"  {when:6} {step:12} {'#' * number} {number}")


@contextmanager
def capsys_as_is():
    yield


class Piecemeal(KilledDatabase):
    """
    Wrong: each statement is a transaction of its own.
    """

    @contextmanager
    def write(self, **_):
        with self.read() as session:
            yield session


class CheckpointFirst(Pull):
    """
    Wrong: the checkpoint is not in the transaction of the items.
    """

    def _swap(self, checkpoint: Checkpoint, diff):
        with self.context.store.write(self.lease) as state:
            state.mirror.save_checkpoint(checkpoint)
        super()._swap(checkpoint, diff)


class AtMostOnce(HostDelivery):
    """
    Wrong: the queue is forgotten before the host has applied it.
    """

    def deliver(self, lease, renew, last=None):
        store, failpoint = self.context.store, self.context.failpoint
        for sequence in self.pending:
            with store.read() as state, state.host_queue.lent(sequence, "apply") as changes:
                read = [[*changes.created], [*changes.updated], [*changes.removed]]
            with store.write(renew()) as state:
                state.host_queue.applied(sequence)
            failpoint("host")
            self.storage.apply(Kept(sequence, *read))
            failpoint("host applied")


class Kept:
    def __init__(self, sequence, created, updated, removed):
        self.sequence, self.created, self.updated, self.removed = (
            sequence,
            created,
            updated,
            removed,
        )


# With the step at which it shows.
WRONG = {
    "piecemeal": (Till, "unused", None, "mixed", "merge"),
    "checkpoint first": (inventory, "Pull", CheckpointFirst, "does not end at the new", "merged"),
    "at most once": (inventory, "HostDelivery", AtMostOnce, "does not end at the new", "host"),
}


@pytest.mark.parametrize("design", WRONG)
def test_wrong_designs_are_caught(new_site, tmp_path, monkeypatch, design):
    """
    The harness is no ornament: it finds what is wrong with three designs.
    """
    where, name, wrong, finding, step = WRONG[design]
    if wrong is None:
        monkeypatch.setitem(globals(), "KilledDatabase", Piecemeal)
    else:
        monkeypatch.setattr(where, name, wrong)

    problems = Proof(new_site, tmp_path, "elsewhere", OLD).all_problems(6, first=step)

    assert any(finding in problem for problem in problems)
