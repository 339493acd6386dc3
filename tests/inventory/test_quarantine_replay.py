"""
An item that was set aside comes back alone, once it is good.
"""

import json
from decimal import Decimal

import attrs
import pytest

from conexxus_client import ConfigurationError
from conexxus_sync import RunInProgressError, RunKind, RunStatus, SyncError
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.testing import MemoryCatalog
from peeks import peek


def item(sku, price="1.00", **fields):
    return {"sku": sku, "name": f"Item {sku}", "price": price, **fields}


def items(count):
    return [item(f"S{number:03d}") for number in range(count)]


class Host(MemoryCatalog):
    """
    Fails when told to.
    """

    fails = False

    @property
    def sequences(self):
        return [changes.sequence for changes in self.received]

    def apply(self, changes):
        if self.fails:
            raise ValueError("down")
        super().apply(changes)


class SharingHost(Host):
    """
    The same, inside our transaction.
    """

    def apply_in(self, connection, changes):
        self.apply(changes)


def replay(site, key, corrected=None, *, storage=None):
    site.clock.advance(minutes=1)
    raw = None if corrected is None else json.dumps(corrected).encode()
    return QuarantineReplay(context=site.context(), storage=storage).replay(key, raw)


@pytest.fixture
def bad(site):
    """
    A site with 30 items, of which S003 went bad, and another was never good.
    """
    site.pull(items(30))
    site.pull([*items(3), item("S003", "free"), *items(30)[4:], item("BAD", "free")])
    return site


def test_corrected_item_replays_alone(bad):
    """
    It is written, counted and no longer set aside; all others stay as they are.
    """
    others = {sku: it for sku, it in bad.shelf.items() if sku != "S003"}

    run = replay(bad, "S003", item("S003", "3.00"))

    assert bad.shelf.pop("S003").price == Decimal("3.00")
    assert {sku: it for sku, it in bad.shelf.items() if sku != "S003"} == others
    assert bad.quarantine == {"BAD": "Item has invalid price"}
    assert (run.status, run.items_processed, run.updated) == (RunStatus.SUCCESS, 1, 1)


def test_new_item(bad):
    """
    What was never good comes as new, and is counted.
    """
    run = replay(bad, "BAD", item("BAD", "3.00"))

    assert run.created == 1
    assert peek(bad.store).mirror.counts().present == len(bad.shelf) == 31


def test_better_rules(site):
    """
    What a limit kept out is taken as it came, under another limit.
    """
    site.config = attrs.evolve(site.config, max_price=Decimal(100))
    site.pull([item("A"), item("B", "500.0")])
    with pytest.raises(SyncError, match=r"Item has invalid price \(at \$.price\)"):
        replay(site, "B")

    site.config = attrs.evolve(site.config, max_price=Decimal(1000))
    replay(site, "B")

    assert str(site.shelf["B"].price) == "500.0"


def test_still_bad(bad):
    """
    What is still bad changes nothing, and leaves no run.
    """
    before = bad.dump("items", "quarantine", "runs", "item_counts")

    with pytest.raises(SyncError, match="it stays in quarantine"):
        replay(bad, "S003", item("S003", "-1"))

    assert bad.dump("items", "quarantine", "runs", "item_counts") == before
    assert bad.store.leases.holder("inventory", bad.clock.now()) is None


@pytest.mark.parametrize("corrected", [item("OTHER"), "not an object at all"])
def test_other_item(bad, corrected):
    """
    A correction must be one of this item.
    """
    with pytest.raises(SyncError if isinstance(corrected, str) else ConfigurationError):
        replay(bad, "S003", corrected)

    assert "OTHER" not in bad.shelf


def test_no_json(bad):
    """
    What is no JSON is wrong use.
    """
    engine = QuarantineReplay(context=bad.context())

    with pytest.raises(ConfigurationError, match="is not JSON"):
        engine.replay("S003", b"{")


def test_unknown_key(bad):
    """
    Only what is in quarantine can leave it.
    """
    with pytest.raises(ConfigurationError, match="no item S004 is in quarantine"):
        replay(bad, "S004")


def test_nameless_item(site):
    """
    An item without SKU is found by its fingerprint, and gets any SKU.
    """
    site.pull([item("A"), {"name": "x", "price": 1}])
    (key,) = site.quarantine

    replay(site, key, item("B"))

    assert set(site.shelf) == {"A", "B"}
    assert site.quarantine == {}


def test_copies_that_differ(site):
    """
    Of several under one SKU, somebody has to say which is right.
    """
    site.pull([item("A", "1"), item("A", "2")])

    with pytest.raises(ConfigurationError, match="2 different items"):
        replay(site, "A")
    replay(site, "A", item("A", "2"))

    assert (str(site.shelf["A"].price), site.quarantine) == ("2", {})


def test_back_office_has_the_last_word(bad):
    """
    The correction outlasts pulls that know no better, and not the first good
    item under this SKU.
    """
    replay(bad, "S003", item("S003", "3.00"))

    bad.pull()
    assert bad.shelf["S003"].price == Decimal("3.00")

    bad.pull([*items(3), item("S003", "still free"), *items(30)[4:]])
    assert bad.shelf["S003"].price == Decimal("3.00")
    assert set(bad.quarantine) == {"S003"}

    bad.pull([*items(3), item("S003", "4.00"), *items(30)[4:]])
    assert bad.shelf["S003"].price == Decimal("4.00")


def test_replay_is_no_pull(bad):
    """
    It is found in the history, and is never the latest pull.
    """
    last = peek(bad.store).runs.latest(RunKind.INVENTORY)

    run = replay(bad, "S003", item("S003"))

    assert peek(bad.store).runs.latest(RunKind.INVENTORY) == last
    assert peek(bad.store).runs.history()[0] == run
    assert peek(bad.store).runs.get(run.id) == run


def test_one_at_a_time(bad):
    """
    Nothing is replayed in the middle of a pull.
    """
    lease = bad.engine().acquire()

    with pytest.raises(RunInProgressError):
        replay(bad, "S003", item("S003"))

    bad.store.leases.release(lease)


@pytest.mark.parametrize("kind", [Host, SharingHost])
def test_host_gets_it(site, kind):
    """
    The host gets this one item, under the next sequence; if it is down, at
    the next pull.
    """
    host = kind()
    site.pull([item("A"), item("B", "free")], storage=host)

    replay(site, "B", item("B", "2"), storage=host)
    assert (host.sequences, host.items["B"].price) == ([1, 2], Decimal(2))

    site.pull([item("A"), item("B", "free again")], storage=host)
    host.fails = True
    run = replay(site, "B", item("B", "3"), storage=host)
    assert (run.status, site.shelf["B"].price) == (RunStatus.FAILED, Decimal(3))
    assert "ValueError: down" in run.last_error
    assert peek(site.store).runs.get(run.id) == run

    host.fails = False
    site.pull(storage=host)
    assert (host.sequences, host.items["B"].price) == ([1, 2, 3], Decimal(3))
