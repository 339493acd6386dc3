"""
Whatever the back office does, the mirror follows a short model.
"""

import json
import os
import signal
import warnings
from contextlib import ExitStack
from decimal import Decimal

import attrs
import pytest
from databases import IS_SMALL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from windows import small_windows

from conexxus_client import Item, encode_item
from conexxus_sync import Guards, RunStatus
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.testing import MemoryCatalog
from peeks import peek


# Without NUL, which the client refuses.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(letters, min_size=1, max_size=8).filter(str.strip)
skus = st.sampled_from([f"S{n}" for n in range(12)])
prices = st.decimals(0, 999_999_999, places=4).map(str) | st.integers(0, 999).map(str)
values = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words
fields = st.fixed_dictionaries(
    {"name": words, "price": prices},
    optional={
        "category": st.none() | words,
        "description": words,
        "colour": values,
        "extra": st.lists(values, max_size=2),
    },
)
goods = st.dictionaries(skus, fields, max_size=12)
bad = st.dictionaries(skus, st.sampled_from(["free", "-1", "1.00001", "NaN"]), max_size=2)
GUARDS = Guards(from_known=5)
FAULTS = ["truncate", "503", "reset", "garbage"]
STEPS = ["leased", "request", "page", "compared", "merged", "commit", "committed", "release"]
UNTIL_COMMIT = STEPS[: STEPS.index("commit") + 1]


@pytest.fixture(autouse=True)
def _windows():
    """
    Some items to a window.
    """
    with small_windows(150):
        yield


def elements(goods, bad):
    return [{"sku": sku, **item} for sku, item in goods.items()] + [
        {"sku": sku, "name": "x", "price": price} for sku, price in bad.items()
    ]


def as_item(sku, fields):
    known = {"name", "price", "category", "description"}
    return Item(
        sku=sku,
        name=fields["name"],
        price=Decimal(fields["price"]),
        category=fields.get("category"),
        description=fields.get("description"),
        extra={name: value for name, value in fields.items() if name not in known},
    )


def is_same(one, other):
    return one == other and str(one.price) == str(other.price)


class Model:
    """
    What a location holds, and what a catalogue does to it.
    """

    def __init__(self):
        self.shelf, self.gone, self.quarantine, self.applied = {}, {}, set(), None

    def counts(self, goods, bad):
        """
        Created, updated, unchanged, removed; None if nothing is new.
        """
        if self.wire(goods, bad) == self.applied:
            return None

        new = {sku: as_item(sku, item) for sku, item in goods.items()}
        same = sum(sku in self.shelf and is_same(self.shelf[sku], it) for sku, it in new.items())
        created = len(new.keys() - self.shelf.keys() - self.gone.keys())
        removed = len(self.shelf.keys() - new.keys() - bad.keys())

        return created, len(new) - same - created, same, removed

    def refuses(self, goods, bad):
        if not self.shelf or self.wire(goods, bad) == self.applied:
            return False
        if not goods:
            return True

        known = self.shelf.keys()
        there = [sku for sku in goods if sku in known]
        repriced = [sku for sku in there if Decimal(goods[sku]["price"]) != self.shelf[sku].price]

        return len(known) >= GUARDS.from_known and (
            len(known - goods.keys() - bad.keys()) > 0.2 * len(known)
            or len(repriced) > 0.5 * len(there)
            or len(bad) > 0.5 * (len(goods) + len(bad))
        )

    def apply(self, goods, bad):
        wire = self.wire(goods, bad)
        if wire == self.applied:
            return

        new = {sku: as_item(sku, item) for sku, item in goods.items()}
        kept = {sku: item for sku, item in self.shelf.items() if sku in bad}
        gone = {**self.gone, **self.shelf}
        self.shelf, self.quarantine, self.applied = {**new, **kept}, set(bad), wire
        self.gone = {sku: it for sku, it in gone.items() if sku not in self.shelf}

    def replay(self, sku, fields):
        self.shelf[sku] = as_item(sku, fields)
        self.gone.pop(sku, None)
        self.quarantine.discard(sku)

    def wire(self, goods, bad):
        return json.dumps(elements(goods, bad))


class Host(MemoryCatalog):
    """
    Applies what it is told, unless it is down; does not know how far it has
    come.
    """

    down = False
    last_applied = None

    def apply(self, changes):
        if self.down:
            raise OSError("down")

        before = self.received[-1].sequence if self.received else 0
        assert changes.sequence in (before, before + 1)
        assert {item.sku for item in changes.removed} <= set(self.items)
        super().apply(changes)


def sorted_out(goods, bad):
    return {sku: item for sku, item in goods.items() if sku not in bad}


class Catalogues(RuleBasedStateMachine):
    """
    A location whose host, back office and operator do what they like.
    """

    new_site = None
    steps_done = 0

    @initialize(page_size=st.none() | st.integers(1, 5), etag=st.sampled_from(["off", "strong"]))
    def start(self, page_size, etag):
        self.site = self.new_site(removals="deactivate")
        self.site.config = attrs.evolve(self.site.config, guards=GUARDS)
        self.site.office.page_size = page_size
        self.site.office.etag = etag
        # Else every unit of work tidies up after itself.
        self.open = ExitStack()
        self.open.enter_context(self.site.store.read())
        self.host, self.model = Host(), Model()

    @rule(goods=goods, bad=bad, force=st.booleans(), with_host=st.booleans())
    def pull(self, goods, bad, force, with_host):
        goods = sorted_out(goods, bad)
        storage = self.host if with_host else None

        run = self.site.pull(elements(goods, bad), force=force, storage=storage)

        self.expect(run, goods, bad, force=force)

    @rule(changes=st.dictionaries(skus, fields, max_size=2), dropped=skus, force=st.booleans())
    def next_version(self, changes, dropped, force):
        """
        Most catalogues are much like the last one.
        """
        last = {sku: item for sku, item in self.last_goods().items() if sku != dropped}
        goods = {**last, **changes}

        self.expect(self.site.pull(elements(goods, {}), force=force), goods, {}, force=force)

    @rule(goods=goods, bad=bad, fault=st.sampled_from(FAULTS))
    def broken_pull(self, goods, bad, fault):
        self.site.office.faults(f"catalog: {fault}")

        run = self.site.pull(elements(sorted_out(goods, bad), bad))

        assert run.status is RunStatus.FAILED or run.not_modified
        assert run.refused is None
        self.site.office.faults("")

    @rule(goods=goods, bad=bad, force=st.booleans(), changed=st.booleans())
    def plan_and_accept(self, goods, bad, force, changed):
        goods = sorted_out(goods, bad)
        before = self.site.dump("items", "quarantine", "checkpoints", "changes", "item_counts")
        plan = self.site.pull(elements(goods, bad), plan=True, force=force)
        assert self.site.dump(*before) == before
        refused = self.model.refuses(goods, bad) and not force
        assert (plan.refused is not None) == refused

        if changed:
            goods = {**goods, "S0": {"name": "another", "price": "0.0001"}}
            bad = {sku: price for sku, price in bad.items() if sku != "S0"}
            stale = self.site.pull(elements(goods, bad), accept=plan.id)
            assert "no longer the one" in stale.refused
            assert self.site.dump(*before) == before
            return

        counts = self.model.counts(goods, bad)
        run = self.site.pull(accept=plan.id, storage=self.host)
        self.expect(run, goods, bad, counts=counts, force=True)
        if not refused and counts is not None:
            assert figures(plan) == figures(run)

    @rule(goods=goods, bad=bad, step=st.sampled_from(STEPS))
    def killed_pull(self, goods, bad, step):
        goods = sorted_out(goods, bad)
        self.site.office.catalog = elements(goods, bad)
        self.site.clock.advance(minutes=60)

        if killed_at(self.site, step) and step in UNTIL_COMMIT:
            return
        if not self.model.refuses(goods, bad):
            self.model.apply(goods, bad)

    @precondition(lambda self: self.model.quarantine)
    @rule(data=st.data(), corrected=fields, with_host=st.booleans())
    def replay(self, data, corrected, with_host):
        sku = data.draw(st.sampled_from(sorted(self.model.quarantine)))
        raw = json.dumps({"sku": sku, **corrected}).encode()
        self.site.clock.advance(minutes=1)

        QuarantineReplay(
            context=self.site.context(), storage=self.host if with_host else None
        ).replay(sku, raw)

        self.model.replay(sku, corrected)

    @rule(down=st.booleans())
    def host_goes(self, down):
        self.host.down = down

    def expect(self, run, goods, bad, *, force, counts=None):
        if self.model.refuses(goods, bad) and not force:
            assert run.refused
            assert figures(run) == (0, 0, 0, 0)
            return

        assert run.refused is None
        counts = self.model.counts(goods, bad) if counts is None else counts
        if counts is None:
            assert (run.created, run.updated, run.removed) == (0, 0, 0)
        else:
            assert figures(run) == counts
        self.model.apply(goods, bad)

    def last_goods(self):
        return {
            element["sku"]: {name: value for name, value in element.items() if name != "sku"}
            for element in json.loads(self.model.applied or "[]")
            if element["price"] not in ("free", "-1", "1.00001", "NaN")
        }

    @invariant()
    def mirror_is_the_model(self):
        if not hasattr(self, "site"):
            return
        type(self).steps_done += 1
        shelf, counts = self.site.shelf, peek(self.site.store).mirror.counts()
        assert shelf == self.model.shelf
        assert all(is_same(shelf[sku], item) for sku, item in self.model.shelf.items())
        assert set(self.site.quarantine) == self.model.quarantine
        assert (counts.present, counts.missing) == (len(shelf), len(self.model.gone))

    def teardown(self):
        if not hasattr(self, "site"):
            return
        self.host.down = False
        self.site.office.faults("")
        self.site.pull(elements({"S0": {"name": "x", "price": "1"}}, {}), force=True)
        self.site.pull(storage=self.host)
        assert self.host.items == self.site.shelf
        self.open.close()


def figures(run):
    return run.created, run.updated, run.unchanged, run.removed


def killed_at(site, step):
    """
    Whether a pull in a process of its own was killed at *step*.
    """

    def reached(name):
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            site.engine(failpoint=reached).pull()
        finally:
            os._exit(0)

    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


# Parts have a time limit of their own, and run beside each other.
SHORT = range(1)
LONG = range(1, 1 if IS_SMALL else 40)


@pytest.mark.parametrize("part", [*SHORT, *(pytest.param(n, marks=pytest.mark.long) for n in LONG)])
def test_model(new_site, database, part):
    """
    Mirror, quarantine, counts and host follow the model, over hundreds of
    steps in the short run, and 20,000 in the long.
    """
    few = 2 if IS_SMALL and database == "postgres" else 4
    machine = type("Bound", (Catalogues,), {"new_site": staticmethod(new_site)})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=few if part in SHORT else 15,
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )

    print(f"{machine.steps_done:,} steps")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only makes sites
@given(goods)
def test_items_survive(new_site, goods):
    """
    From the wire to the mirror and back, digit for digit; a second pull
    writes nothing.
    """
    site = new_site()
    site.pull(elements(goods, {}))

    assert site.shelf == {sku: as_item(sku, item) for sku, item in goods.items()}
    for sku, item in goods.items():
        price = Decimal(item["price"])
        assert str(site.shelf[sku].price) == str(price)
        assert format(price, "f").encode() in encode_item(site.shelf[sku])

    before = site.dump("items", "quarantine")
    run = site.pull(elements(dict(reversed(goods.items())), {}))
    assert site.dump("items", "quarantine") == before
    assert (run.created, run.updated, run.removed) == (0, 0, 0)
