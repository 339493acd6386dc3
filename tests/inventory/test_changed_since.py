"""
What was changed since a run is what must be relabelled.
"""

import json
from datetime import timedelta

import pytest

from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from peeks import peek


def item(sku, price="1.00", **fields):
    return {"sku": sku, "name": f"Item {sku}", "price": price, **fields}


def items(count):
    return [item(f"S{number}") for number in range(count)]


def changed(site, run, *, missing=False):
    found = peek(site.store).mirror.items(missing=missing, changed_since=run.id)
    return {entry.item.sku for entry in found}


def test_since_each_run(site):
    """
    New, changed and returned items of later runs, and of no earlier one.
    """
    first = site.pull(items(4))
    second = site.pull([*items(2), item("S2", "2"), item("NEW")])
    third = site.pull([item("S0", "2"), *items(4)[1:2], item("S2", "2"), *items(4)[3:]])

    assert changed(site, first) == {"S0", "S2", "S3"}
    assert changed(site, second) == {"S0", "S3"}
    assert changed(site, third) == set()


def test_gone_items_are_asked_for(site):
    """
    What is gone since is shown with the missing.
    """
    first = site.pull(items(4))
    site.pull(items(3))

    assert changed(site, first) == set()
    assert changed(site, first, missing=True) == {"S3"}


def test_clock_that_was_set_back(site):
    """
    What counts is which run came later, not what the clock said.
    """
    first = site.pull(items(4))
    site.clock.set(site.clock.now() - timedelta(days=10))
    second = site.pull([item("S0", "2"), *items(4)[1:]])

    assert second.id < first.id
    assert changed(site, first) == {"S0"}


@pytest.mark.parametrize("kind", ["plan", "refused", "not modified"])
def test_since_a_run_that_changed_nothing(site, kind):
    """
    Any run can be named; what came before it is not shown.
    """
    site.office.etag = "strong"
    site.pull(items(40))
    run = {
        "plan": lambda: site.pull(items(39), plan=True),
        "refused": lambda: site.pull(items(1)),
        "not modified": site.pull,
    }[kind]()

    assert changed(site, run) == set()
    site.pull([*items(39), item("S39", "2")])
    assert changed(site, run) == {"S39"}


def test_replayed_items_count(site):
    """
    An item that was corrected by hand has a new label, too.
    """
    run = site.pull([item("A"), item("B", "free")])
    site.clock.advance(minutes=1)
    QuarantineReplay(context=site.context()).replay("B", json.dumps(item("B", "2")).encode())

    assert changed(site, run) == {"B"}
