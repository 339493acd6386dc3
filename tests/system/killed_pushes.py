"""
Kills pushes at every named step, starts them again, and reads the books.

The back office is a process of its own, behind real sockets, that cuts one
answer in twenty after it has committed, and now and then answers 503 or
resets.  Pushes fork from this process once everything is imported, so that no
kill falls into start-up.  Each has a location of its own.  What is started
again is killed again, at a step of those with the fewest kills, until one comes
to its end.

A step is named after what was just done; `before` a step is in the
transaction that records it, just before its commit.

`kill_process.py` is the process: to import all this takes longer than most runs.
The stores are files, or all in the PostgreSQL that STORE names; another SEED is
another run.  With the design `stopped`, pushes are not killed but stopped for
longer than their lease, while another one goes on.
"""

import importlib
import json
import os
import random
import secrets
import signal
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient, FrozenBatch, SalesBatch
from conexxus_client.testing import BackOffice, Ledger, SandboxServer
from conexxus_client.transports import open_transport
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.model.sales import OPEN_STATES
from conexxus_sync.sales import SalesPush
from conexxus_sync.testing import FakeClock, ListOrders, sale
from kill_steps import FENCED, Killer, WatchedOutbox, WatchedStore, Wire, forked, in_child, outcome


NOW = datetime(2026, 1, 3, 0, 15, tzinfo=UTC)
SHOP = {
    date(2025, 12, 31): ["a1", "a2", "a3", "a4", "a5"],
    date(2026, 1, 1): [],
    date(2026, 1, 2): ["b1", "bad", "b2"],
}
BAD, LATE = "bad", "late"
FAULTS = "sales: after_commit(reset)@0.05; sales: 503@0.05; sales: reset@0.05"
STEPS = [
    *("before a commit", "leased", "read", "before frozen", "frozen", "before sending"),
    *("sending", "requested", "answered", "sent", "before settled", "settled", "visited"),
]
RESTARTS = 8
DELIVERED = "SELECT business_date, id FROM delivered WHERE location = ?"


def host_orders(shop=SHOP, *, restarted):
    """
    The host's table; after a restart it has one sale more.
    """
    orders = ListOrders()
    for day, names in shop.items():
        orders.add(*(sale(name, "1.50", timestamp=NOW) for name in names), business_date=day)
    if restarted:
        orders.add(sale(LATE, "1.50", timestamp=NOW), business_date=date(2026, 1, 2))

    return orders


@attrs.frozen
class MarkedBeforeSending(WatchedOutbox):
    def mark_sending(self, batch, *, now, **_):
        self.mark_delivered(batch, answer="surely", now=now)
        self.database.doing = "sending"


class KeyMadeAtSendTime(ConexxusClient):
    def push_sales(self, batch, *, idempotency_key, repeat_within=None):
        return super().push_sales(batch, idempotency_key=secrets.token_hex(8))


class ReadAgain(ConexxusClient):
    """
    Sends what the host has now under the key of what was frozen.
    """

    restarted = False

    def push_sales(self, batch, *, idempotency_key, repeat_within=None):
        now = host_orders(restarted=self.restarted).transactions(batch.location_id, batch.date)
        fresh = SalesBatch(date=batch.date, location_id=batch.location_id, transactions=now)
        return super().push_sales(FrozenBatch.of(fresh), idempotency_key=idempotency_key)


CLIENTS = {"key at send time": KeyMadeAtSendTime, "read again": ReadAgain}
# How the back office recognises a repetition, where it is not by its key.
KINDS = {
    "replace_day": {"sales_mode": "replace_day"},
    "transaction_id": {"dedupe": "transaction_id"},
}
# When a lease of NOW has run out.
LATER = NOW + timedelta(minutes=11)
NO_KEY = ApiProfile(idempotency_header="X-Not-Read")


class Case:
    """
    One push of one location, killed and started again.
    """

    shop = SHOP
    began = NOW
    # So often at most, what is started again is killed again.
    kills_again = 6

    def __init__(self, folder, url, design, location):
        self.path = folder / f"{location}.db"
        self.place = os.environ.get("STORE") or self.path
        self.url = url
        self.design = design
        self.location = location

    def store(self, step=lambda _: None):
        wrong = self.design == "marked before sending"
        outbox = MarkedBeforeSending if wrong else WatchedOutbox

        return WatchedStore.at(self.place, self.location, step, outbox)

    def engine(self, killer, *, restarted, now=NOW, **settings):
        reached = ClientConfig(
            api_url=self.url, api_key=BackOffice().api_key, retries=1, retry_delay_ms=1
        )
        client = CLIENTS.get(self.design, ConexxusClient)(
            reached,
            transport=Wire(open_transport(reached), killer),
            profile=NO_KEY if self.design == "no key" else ApiProfile(**KINDS.get(self.design, {})),
        )
        client.restarted = restarted
        # A clock that is set is another matter: time passes here.
        clock = FakeClock(self.began)
        clock.advance_to(now)

        return SalesPush(
            client=client,
            context=EngineContext(
                store=self.store(killer),
                config=SyncConfig(
                    location_id=self.location,
                    timezone=ZoneInfo("UTC"),
                    batch_transactions=2,
                    **settings,
                ),
                clock=clock,
                failpoint=killer,
            ),
            orders=host_orders(self.shop, restarted=restarted),
            released=self.began - timedelta(days=1),
        )

    def push(self, killer):
        """
        Push until the process dies.
        """
        self.engine(killer, restarted=False).push(since=min(SHOP), honour_past=True)

    def push_again(self, killer=None):
        """
        Start again, after a kill, and look at every date.
        """
        now = LATER if self.design == "stopped" else NOW
        engine = self.engine(killer or Killer(), restarted=True, now=now)
        engine.push(since=min(SHOP), honour_past=True)
        for day in SHOP:
            engine.push(day)

    def push_later(self):
        """
        Push when the lease of whoever was stopped has run out.
        """
        self.engine(Killer(), restarted=True, now=LATER).push(since=min(SHOP), honour_past=True)

    def overtake(self, at):
        """
        Stop a push at *at*, push meanwhile, and let it go on: it finds out;
        yields what is wrong.
        """
        child = forked(
            lambda: self.engine(Killer(at, signal.SIGSTOP), restarted=False).push(
                since=min(SHOP), honour_past=True
            )
        )
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return

        if ended := in_child(self.push_later):
            yield f"the other push ended with {ended}"
        os.kill(child, signal.SIGCONT)
        ended = outcome(os.waitpid(child, 0)[1])
        # What it had still to do was denied to it; or it had done all.
        if ended not in (0, -FENCED):
            yield f"the push that was stopped ended with {ended}"

    @property
    def is_right(self):
        return self.design in ("as built", "stopped", *KINDS)

    def is_settled(self):
        """
        Is nothing left to deliver, but for what only an operator can settle?
        """
        with self.store().read() as state:
            waiting = state.outbox.batches(OPEN_STATES)

        return all("422" in (batch.answer or "") for batch in waiting)

    def restart(self):
        """
        Push until nothing is left to do; yields what is wrong.
        """
        # Wrong designs may never come to an end.
        for _ in range(RESTARTS if self.is_right else 2):
            ended = in_child(self.push_again)
            if ended:
                yield f"a restart ended with {ended}"
            if self.is_settled():
                return

    def books(self):
        """
        Date and id of what the store says is delivered, waiting, set aside.
        """
        with self.store().read() as state:
            delivered = set(state.session.execute(DELIVERED, (self.location,)).fetchall())
            waiting = [
                (batch.business_date.isoformat(), name)
                for batch in state.outbox.batches(OPEN_STATES)
                for name in state.outbox.ids(batch)
            ]
            aside = [
                (one.business_date.isoformat(), one.id)
                for one in state.sales_quarantine.transactions()
            ]

        return delivered, waiting, aside

    def told(self, places, waiting):
        """
        Date and id of what the host returned in the end.
        """
        return {
            (day.isoformat(), each.id)
            for day, sales in host_orders(self.shop, restarted=True).by_date.items()
            for each in sales
            # While a batch of its date waits, the host is not asked again.
            if each.id != LATE
            or (day.isoformat(), LATE) in places
            or (day.isoformat(), BAD) not in waiting
        }

    def audit(self, entries):
        """
        Account for every sale: delivered, unknown, pending or quarantined,
        and in just one of these places; and effective once, if delivered.
        The back office has *entries* of this location.
        """
        delivered, waiting, aside = self.books()
        places = Counter([*delivered, *waiting, *aside])
        told = self.told(places, waiting)
        effective = {(entry.date.isoformat(), entry.id) for entry in entries}

        yield from (f"lost {key}" for key in sorted(told - set(places)))
        yield from (f"lost {key}, marked as delivered" for key in sorted(delivered - effective))
        yield from (f"doubled {entry.id}" for entry in entries if entry.times > 1)
        yield from (f"doubled in our books: {key}" for key, n in places.items() if n > 1)
        yield from (f"not to be there: {key}" for key in sorted(effective - told))
        yield from (f"unmarked {key}" for key in sorted(effective - delivered - set(waiting)))
        if waiting and BAD not in {name for _, name in waiting}:
            yield f"left behind {sorted(waiting)}"
        if {name for _, name in aside} - {BAD}:
            yield f"set aside {sorted(aside)}"


@contextmanager
def back_office(books, design):
    """
    A back office in a process of its own; yields its URL.
    """
    told, tell = os.pipe()
    child = os.fork()

    if child == 0:
        office = BackOffice(
            ledger=books,
            reject={BAD},
            # A whole day is not divided: it takes a list to find who is to blame.
            reject_mode="batch" if design == "replace_day" else "blind",
            faults=FAULTS,
            **KINDS.get(design, {}),
        )
        with SandboxServer(office) as server:
            os.write(tell, server.url.encode())
            signal.sigwait({signal.SIGTERM})
        os._exit(0)

    try:
        yield os.read(told, 1_000).decode()
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def counted(case):
    """
    How often each step comes in a push that runs to its end.  What it and its
    successor import is imported here, too: children need not do it again.
    """
    seen = case.path.with_suffix(".json")

    def work():
        killer = Killer()
        case.push(killer)
        case.push_again()
        seen.write_text(json.dumps([killer.seen, [*sys.modules]]))

    in_child(work)
    steps, modules = json.loads(seen.read_text())
    for name in modules:
        importlib.import_module(name)

    return steps


def killed_again(case, steps, kills, dice):
    """
    Start a case again, and kill that, until it comes to its end; yields what is wrong.
    """
    for _ in range(case.kills_again):
        rare = sorted(steps, key=lambda step: kills[step])[: len(steps) // 2 + 1]
        step = dice.choice(rare)
        ended = in_child(lambda step=step: case.push_again(Killer((step, 1))))
        if ended != signal.SIGKILL:
            if ended:
                yield f"a restart that was to be killed at {step} ended with {ended}"
            return
        kills[step] += 1


def killed(folder, design, wanted, steps, kind=Case):
    """
    How often a push of *design* was killed at each of *steps*, so many times as
    are *wanted* or more, and what was found wrong then.
    """
    dice = random.Random(int(os.environ.get("SEED", "20260102")))
    kills, cases, problems = Counter(), [], []

    with back_office(folder / "books", design) as url:
        # What faults leave out in one push is there in another.
        often = Counter()
        for number in range(3):
            often |= Counter(counted(kind(folder, url, design, f"dry-{number}")))

        steps = steps or STEPS
        for step in steps:
            for attempt in range(10 * wanted):
                if kills[step] >= wanted:
                    break
                case = kind(folder, url, design, f"{step}-{attempt}".replace(" ", "-"))
                at = (step, dice.randint(1, often[step] or 1))
                if design == "stopped":
                    problems += [f"{at}: {problem}" for problem in case.overtake(at)]
                    kills[step] += 1
                else:
                    ended = in_child(lambda case=case, at=at: case.push(Killer(at)))
                    kills[step] += ended == signal.SIGKILL
                    if case.is_right:
                        again = killed_again(case, steps, kills, dice)
                        problems += [f"{at}: {problem}" for problem in again]
                problems += [f"{at}: {problem}" for problem in case.restart()]
                cases.append((at, case))

    entries = defaultdict(list)
    for entry in Ledger(folder / "books").transactions():
        entries[entry.location].append(entry)
    for at, case in cases:
        problems += [f"{at}: {problem}" for problem in case.audit(entries[case.location])]

    return {"kills": kills, "problems": problems}
