"""
Kills pushes at every named step, starts them again, and reads the books.

Children fork from this process once everything is imported, so that no kill
falls into start-up.  The back office lives in the child, its ledger in a file
that is written before a push is answered: what it has survives the kill.

Run as a script: `killed_pushes.py FOLDER DESIGN ROUNDS`; prints JSON.
"""

import json
import os
import secrets
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from conexxus_client import (
    ClientConfig,
    ConexxusClient,
    FrozenBatch,
    SalesBatch,
    Transaction,
    TransactionLine,
)
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import RunInProgressError
from conexxus_sync.sales import BatchLimits, SalesPush
from conexxus_sync.stores._sqlite_outbox import SqliteOutbox
from conexxus_sync.stores.sqlite import SqliteStore


LOCATION = "loc-001"
NOW = datetime(2026, 1, 3, 0, 15, tzinfo=UTC)
SHOP = {
    date(2025, 12, 31): ["a1", "a2", "a3", "a4", "a5"],
    date(2026, 1, 1): [],
    date(2026, 1, 2): ["b1", "bad", "b2"],
}
BAD, LATE = "bad", "late"


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0


class Orders:
    """
    The host's table; after a restart it has one sale more.
    """

    def __init__(self, *, restarted):
        self.days = {day: list(names) for day, names in SHOP.items()}
        if restarted:
            self.days[date(2026, 1, 2)].append(LATE)

    def transactions(self, location_id, business_date):
        return [sale(name) for name in self.days.get(business_date, ())]


def sale(name):
    price = Decimal("1.50")
    line = TransactionLine(sku="WINE001", quantity=1, price=price)
    return Transaction(id=name, timestamp=NOW, total=price, items=[line])


class Killer:
    """
    Counts steps, and ends the process at one of them.
    """

    def __init__(self, at):
        self.at = at
        self.seen = Counter()

    def __call__(self, step):
        self.seen[step] += 1
        if self.at == (step, self.seen[step]):
            os.kill(os.getpid(), signal.SIGKILL)


class Wire(SandboxTransport):
    """
    A network on which the process may die after the back office has acted.
    """

    def __init__(self, office, step):
        super().__init__(office)
        self.step = step

    @contextmanager
    def open(self, request, limits):
        with super().open(request, limits) as reply:
            self.step("committed")
            yield reply


class KeyMadeAtSendTime(ConexxusClient):
    def push_sales(self, batch, *, idempotency_key):
        return super().push_sales(batch, idempotency_key=secrets.token_hex(8))


class ReadAgain(ConexxusClient):
    """
    Sends what the host has now under the key of what was frozen.
    """

    def push_sales(self, batch, *, idempotency_key):
        now = Orders(restarted=self.restarted).transactions(LOCATION, batch.date)
        fresh = SalesBatch(date=batch.date, location_id=LOCATION, transactions=now)
        return super().push_sales(FrozenBatch.of(fresh), idempotency_key=idempotency_key)


class MarkedBeforeSending(SqliteOutbox):
    def mark_sending(self, connection, batch, *, unknown_since, now):
        self.mark_delivered(connection, batch, answer="surely", now=now)


CLIENTS = {"key at send time": KeyMadeAtSendTime, "read again": ReadAgain}


def push(folder, design, killer, *, restarted):
    office = BackOffice(ledger=folder / "ledger", reject={BAD}, reject_mode="blind")
    client = CLIENTS.get(design, ConexxusClient)(
        ClientConfig(api_url="http://localhost", api_key=office.api_key, retries=0),
        transport=Wire(office, killer),
    )
    client.restarted = restarted
    store = SqliteStore(folder / "store.db")
    if design == "marked before sending":
        store.outbox = MarkedBeforeSending(store)

    return SalesPush(
        client=client,
        store=store,
        orders=Orders(restarted=restarted),
        config=SyncConfig(location_id=LOCATION, timezone=ZoneInfo("UTC")),
        clock=Clock(),
        limits=BatchLimits(transactions=2),
        steps=killer,
    ).push(since=min(SHOP), honour_past=True)


def in_child(work):
    """
    Do *work* in a child; returns the signal that ended it, or 0.
    """
    child = os.fork()

    if child == 0:
        try:
            work()
            os._exit(0)
        except RunInProgressError:
            os._exit(3)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)

    return -os.WEXITSTATUS(status)


def steps_of(folder, design):
    """
    Every step of an undisturbed push, in a child as well.
    """
    seen = folder / "steps"

    def work():
        killer = Killer(None)
        push(folder, design, killer, restarted=False)
        seen.write_text(json.dumps(killer.seen))

    in_child(work)
    counts = json.loads(seen.read_text())

    return [(step, n + 1) for step, count in counts.items() for n in range(count)]


def one_kill(folder, design, at):
    """
    Kill a push at *at*, start it again at once, twice; returns what is wrong.
    """
    folder.mkdir()
    ended = in_child(lambda: push(folder, design, Killer(at), restarted=False))
    if ended != signal.SIGKILL:
        return [f"{at}: was not killed, but ended with {ended}"]

    ended = [in_child(lambda: push(folder, design, Killer(None), restarted=True)) for _ in range(2)]
    problems = [f"{at}: restart ended with {code}" for code in ended if code]

    return problems + [f"{at}: {problem}" for problem in audit(folder)]


def audit(folder):
    """
    Account for every sale: it is effective once, or set aside, or its batch
    is in doubt and was refused since, which only an operator can settle.
    """
    ledger = BackOffice(ledger=folder / "ledger").ledger
    store = SqliteStore(folder / "store.db")
    aside = {one.id for one in store.outbox.aside.quarantined(LOCATION)}
    doubted = set()
    with store.reading() as connection:
        for batch in store.outbox.batches(LOCATION):
            if batch.settled_at is None:
                doubted |= set(store.outbox.ids(connection, batch))

    effective = {(entry.date, entry.id) for entry in ledger.transactions()}
    expected = {(day, name) for day, names in SHOP.items() for name in names}
    # The late sale arrives only if its date was not done before the kill.
    foreign = effective - expected - {(date(2026, 1, 2), LATE)}
    lost = {name for _, name in expected - effective} - aside - doubted

    yield from (f"lost {name}" for name in lost)
    yield from (f"doubled {entry.id}" for entry in ledger.doubled())
    yield from (f"not to be there: {name}" for _, name in foreign)
    if doubted and BAD not in doubted:
        yield f"left behind {sorted(doubted)}"
    if aside - {BAD}:
        yield f"set aside {sorted(aside)}"


def main(folder, design, rounds):
    (folder / "dry").mkdir()
    steps = steps_of(folder / "dry", design)
    problems = []

    for number in range(rounds):
        for at in steps:
            problems += one_kill(folder / f"{number}-{at[0]}-{at[1]}", design, at)

    histogram = Counter(step for step, _ in steps)
    kills = {step: count * rounds for step, count in histogram.items()}
    print(json.dumps({"kills": kills, "problems": problems}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
