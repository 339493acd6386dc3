"""
A process that a signal kills in the middle of several files leaves each of them applied once, or
not yet.

Killed when a step of the second file is reached, and some statements after it.
"""

import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from conexxus_sync import RunStatus
from conexxus_sync.inventory import _sync as inventory
from conexxus_sync.inventory._pull import Pull
from conexxus_sync.model.runs import RunKind
from conexxus_sync.sources.naxml import FolderAddress, FolderSource
from maintenance_files import Inbox, detail, document, good
from peeks import peek

from .kill_steps import in_child
from .test_pull_kills import STEPS, HostElsewhere, killed_store


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
# Of the files, and how many statements after a step.
NUMBERS = (2,) if IS_SMALL else (1, 2, 3)
DEPTHS = (0, 3) if IS_SMALL else (0, 1, 2, 3, 5, 8, 13, 21)

A, B, C, D = "036000291452", "012345678905", "070847811169", "4006381333931"
CREATE, DELETE = (f'<RecordAction type="{it}"/>' for it in ("create", "delete"))
CHANGE = detail("<RegularSellPrice>2.00</RegularSellPrice>", code=A)
# What creates an item can't be applied twice.
FILES = {
    "ITT1.xml": document(good(code=A), good(code=B), table="initialize"),
    "ITT2.xml": document(good(code=C, action=CREATE), CHANGE),
    "ITT3.xml": document(good(code=D, form="ean13", action=CREATE), detail(code=B, action=DELETE)),
}
END = {A: "2.00", C: "1.79", D: "1.79"}


class Shop:
    """
    One folder with the store, the host's table and the files.
    """

    def __init__(self, new_site, folder):
        folder.mkdir()
        self.site = new_site(store=killed_store, path=folder / "conexxus.db", removals="deactivate")
        self.host = HostElsewhere(folder / "host.db")
        inbox = Inbox(folder / "inbox", self.site.clock)
        inbox.path.mkdir()
        for name, content in FILES.items():
            inbox.write(name, content)
        address = FolderAddress.of(f"naxml:{inbox.path}?dialect=generic", "CONEXXUS_CATALOG_SOURCE")
        self.site.source = FolderSource(
            address=address, store=self.site.store, clock=self.site.clock
        )
        with closing(sqlite3.connect(self.host.path)) as db:
            db.execute("CREATE TABLE products (sku TEXT PRIMARY KEY, price TEXT)")

    def killed(self, step, number, depth):
        """
        Whether a pull was killed so many statements after *step* of a file.
        """
        reached, database = Counter(), self.site.store.database

        def failpoint(name):
            reached[name] += 1
            if name == step and reached[step] == number:
                database.left = depth
                if depth == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        ended = in_child(lambda: self.site.pull(storage=self.host, failpoint=failpoint))

        return ended == signal.SIGKILL

    def problems(self):
        """
        What is wrong after the next pull.
        """
        run = self.site.pull(storage=self.host)
        history = peek(self.site.store).runs.history(RunKind.INVENTORY, 100)
        applied = Counter(it.file.split()[0] for it in history if it.status and it.file)
        mirror = {sku: str(item.price) for sku, item in self.site.shelf.items()}
        with closing(sqlite3.connect(self.host.path)) as db:
            table = dict(db.execute("SELECT sku, price FROM products"))

        if run.status is not RunStatus.SUCCESS or self.site.quarantine:
            yield f"the next pull ends as {run.status}"
        if applied != dict.fromkeys(FILES, 1):
            yield f"applied so often: {applied}"
        if mirror != END or table != END:
            yield "it is not what the files say"


def all_problems(new_site, folder, *, steps=STEPS, numbers=NUMBERS, depths=DEPTHS):
    for step in steps:
        for number in numbers:
            for depth in depths:
                place = f"{step}, file {number}, {depth} statements later"
                shop = Shop(new_site, folder / place.replace(" ", "-"))
                if not shop.killed(step, number, depth) and depth == 0:
                    yield f"{place}: not killed"
                yield from (f"{place}: {it}" for it in shop.problems())


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed(new_site, tmp_path):
    """
    Killed anywhere, each file is applied once, in its order, and the host has it all.
    """
    assert list(all_problems(new_site, tmp_path)) == []


class RememberedLater(Pull):
    """
    Wrong: the file is remembered in a transaction of its own.
    """

    def _swap(self, checkpoint, diff):
        file, self.file = self.file, None
        super()._swap(checkpoint, diff)
        self.file = file
        with self.context.store.write(self.lease) as state:
            state.source_files.remember(file, self.run.id, self.run.start_time)


@pytest.mark.long
def test_wrong_design_is_caught(new_site, tmp_path, monkeypatch):
    """
    The harness is no ornament.
    """
    monkeypatch.setattr(inventory, "Pull", RememberedLater)

    found = all_problems(new_site, tmp_path, steps=["commit"], numbers=[2], depths=range(12))

    assert any("applied so often" in it or "ends as" in it for it in found)
