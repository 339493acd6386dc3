"""
Each item tells how it came into its present state.
"""

import json

from conexxus_sync.inventory._item_history import explain_item
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from sites import Site


def item(sku, price="1.00", **fields):
    return {"sku": sku, "name": f"Item {sku}", "price": price, **fields}


def items(count):
    return [item(f"S{number}") for number in range(count)]


def why(site, sku):
    return "\n".join(explain_item(site.store, sku))


def test_unknown_item(site):
    """
    Of what never came, nothing is said.
    """
    site.pull(items(3))

    assert explain_item(site.store, "X") == []
    assert explain_item(Site(site.path, location_id="loc-002").store, "S1") == []


def test_page_and_run(site):
    """
    It names the run and the page that brought it.
    """
    site.office.page_size = 2

    run = site.pull(items(5))

    assert why(site, "S4").startswith("S4: Item S4, 1.00; in force.")
    assert f"It first came with run {run.id} of 2026-01-02" in why(site, "S4")
    assert [n for n in range(5) if f"page {n // 2 + 1}," in why(site, f"S{n}")] == [*range(5)]


def test_page_of_bad_items(site):
    """
    A page without a single good item has a number, too.
    """
    site.office.page_size = 2

    site.pull([*items(2), item("B0", "free"), item("B1", "free"), item("S2")])

    assert "on page 1" in why(site, "S1")
    assert "on page 2" in why(site, "B1")
    assert "on page 3" in why(site, "S2")


def test_contradicting_copies(site):
    """
    Copies on two pages are told apart.
    """
    site.office.page_size = 1

    site.pull([item("A", "1"), item("B"), item("A", "2")])

    assert "on page 1" in why(site, "A")
    assert "on page 3" in why(site, "A")


def test_changes(site):
    """
    It says what the last run that touched it did, and the price before.
    """
    first = site.pull(items(3))
    second = site.pull([item("S0", "2.50"), item("S1", colour="red"), *items(3)[2:]])

    assert f"It was changed by run {second.id}" in why(site, "S0")
    assert ", on page 1: price 1.00 → 2.50." in why(site, "S0")
    assert "→" not in why(site, "S1")
    assert "has not changed since" in why(site, "S2")
    assert first.id in why(site, "S0")


def test_gone_and_back(site):
    """
    It says which complete catalogue missed it, and which had it again.
    """
    site.pull(items(3))
    gone = site.pull(items(2))

    assert "gone since 2026-01-02" in why(site, "S2")
    assert f"It was missing from the complete catalogue of run {gone.id}" in why(site, "S2")

    back = site.pull(items(3))

    assert f"It was gone, and returned with run {back.id}" in why(site, "S2")


def test_set_aside_and_replayed(site):
    """
    It says why it was set aside, how often it was seen, and that somebody
    replayed it.
    """
    site.pull(items(3))
    site.pull([item("S0", "free"), *items(3)[1:]])
    run = site.pull([item("S0", "free"), *items(3)[1:], item("NEW")])

    said = why(site, "S0")
    assert "S0: Item S0, 1.00; in force." in said
    assert "Set aside: Item has invalid price (at $.price). Seen 2 times since" in said
    assert f"at last by run {run.id}" in said
    assert "Its last good version stays in force" in said

    raw = json.dumps(item("S0", "2")).encode()
    site.clock.advance(minutes=1)
    replayed = QuarantineReplay(context=site.context()).replay("S0", raw)

    assert f"It was taken out of quarantine by run {replayed.id}" in why(site, "S0")


def test_queue_and_last_pull(site):
    """
    It says whether the host has it, and how the last pull went.
    """

    class Down:
        def apply(self, changes):
            raise ValueError

    site.pull(items(30), storage=Down())
    assert "it waits in sequence 1." in why(site, "S1")

    refused = site.pull(items(3))
    assert f"The last pull was run {refused.id}" in why(site, "S1")
    assert "refused: 27 of 30 known items are gone" in why(site, "S1")

    site.office.etag = "strong"
    site.pull(items(30))
    site.pull()
    assert "had nothing newer" in why(site, "S1")


def test_runs_that_were_forgotten(site):
    """
    Of a run that is no longer in the history, the id remains.
    """
    run = site.pull(items(3))
    site.clock.advance(days=91)
    # A clock that jumped forgets nothing for a day.
    site.pull()
    site.clock.advance(hours=25)
    site.pull()

    assert f"It first came with run {run.id}." in why(site, "S1")
