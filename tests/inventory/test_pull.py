"""
A pull makes the mirror what the back office says, item by item.
"""

from decimal import Decimal

import attrs
import pytest
from databases import BOTH

from conexxus_client import ClientConfig, ConexxusClient, Item
from conexxus_client.testing import SandboxTransport
from conexxus_sync import RunStatus
from conexxus_sync.testing import MemoryCatalog
from peeks import peek


DATABASES = BOTH
MIRROR = ("items", "quarantine", "changes")


def item(sku, price="1.00", **fields):
    return {"sku": sku, "name": f"Item {sku}", "price": price, **fields}


def items(count, **fields):
    return [item(f"S{number:03d}", **fields) for number in range(count)]


def test_mirror_is_the_catalogue(site):
    """
    The first pull brings every field, the unknown ones included, and every
    digit of the price.
    """
    run = site.pull(
        [
            item("B", "2.50", category="Wine", description="Red", pack={"of": [6, "0.10"]}),
            item("A", "10.000"),
        ]
    )

    assert site.shelf == {
        "A": Item(sku="A", name="Item A", price=Decimal("10.000")),
        "B": Item(
            sku="B",
            name="Item B",
            price=Decimal("2.50"),
            category="Wine",
            description="Red",
            extra={"pack": {"of": [6, "0.10"]}},
        ),
    }
    assert str(site.shelf["A"].price) == "10.000"
    assert (run.status, run.items_processed, run.created) == (RunStatus.SUCCESS, 2, 2)


def test_only_the_changed_item_is_written(site):
    """
    Of a catalogue in which one item changed, one row is written.
    """
    site.pull(items(50))
    before = site.dump("items")["items"]

    run = site.pull([*items(49), item("S049", name="Renamed")])

    after = site.dump("items")["items"]
    assert (run.updated, run.unchanged, run.created) == (1, 49, 0)
    assert [row[1] for row in set(after) - set(before)] == ["S049"]


def test_order_and_unknown_fields_do_not_make_a_change(site):
    """
    Items in another order, with their keys in another order, are the same.
    """
    site.pull([item("A", x=1, y=2), item("B")])

    run = site.pull([item("B"), item("A", y=2, x=1)])

    assert (run.updated, run.unchanged) == (0, 2)


def test_not_modified(site):
    """
    A 304 costs one request and writes nothing to the mirror; its run has the
    status of the last applied read.
    """
    site.office.etag = "strong"
    site.pull([item("A"), item("B", "free")])
    before, asked = site.dump(*MIRROR), site.office.requests["catalog"]

    run = site.pull()

    assert site.dump(*MIRROR) == before
    assert site.office.requests["catalog"] == asked + 1
    assert (run.not_modified, run.status, run.items_processed) == (True, RunStatus.PARTIAL, 0)


def test_same_items_again(site):
    """
    The same items under another timestamp write nothing to the mirror; the
    run has the figures of the last applied read, and no change.
    """
    first = site.pull([item("A"), item("B", "free")])
    before = site.dump(*MIRROR)

    run = site.pull()

    assert site.dump(*MIRROR) == before
    assert not run.not_modified
    assert (run.created, run.updated, run.removed, run.unchanged) == (0, 0, 0, 1)
    assert (run.status, run.items_processed, run.items_failed, run.errors) == (
        first.status,
        first.items_processed,
        first.items_failed,
        first.errors,
    )


def test_other_limit_is_read_anew(site):
    """
    What a limit set aside is looked at again under another.
    """
    site.office.etag = "strong"
    site.pull([item("A"), item("B", "500")])

    site.config = attrs.evolve(site.config, max_price=Decimal(100))
    assert site.pull().items_failed == 1

    site.config = attrs.evolve(site.config, max_price=Decimal(1000))
    assert site.pull().items_failed == 0


def test_older_rules_are_read_anew(site, monkeypatch):
    """
    What was accepted under older rules is judged by today's, though the back
    office has nothing new.
    """
    site.office.etag = "strong"
    with monkeypatch.context() as older:
        older.setattr("conexxus_sync.inventory._pull.RULES", 1)
        site.pull(items(3))

    run = site.pull()

    assert (run.not_modified, run.unchanged) == (False, 3)
    assert site.pull().not_modified


def test_lost_mirror_is_read_anew(site):
    """
    A checkpoint says nothing about a mirror that is empty.
    """
    site.office.etag = "strong"
    site.pull(items(3))
    with site.store.write() as state:
        state.session.execute("DELETE FROM items")

    run = site.pull()

    assert (run.not_modified, run.created, len(site.shelf)) == (False, 3, 3)


def test_other_back_office_is_read_anew(site):
    """
    An ETag is worth nothing at another address.
    """
    site.office.etag = "strong"
    site.pull(items(3))
    config = ClientConfig(api_url="http://127.0.0.1:10", api_key=site.office.api_key)
    site.client = ConexxusClient(config, transport=SandboxTransport(site.office))

    run = site.pull()

    assert (run.not_modified, run.unchanged) == (False, 3)


@pytest.mark.parametrize(
    ("element", "key", "message"),
    [
        ({"name": "x", "price": 1}, None, "Item missing SKU"),
        ({"sku": "X", "price": 1}, "X", "Item missing name"),
        (item("X", -1), "X", "Item has invalid price"),
        (item("X", "1.00001"), "X", "Item has invalid price"),
        (item("X", 1_000_000_000), "X", "Item has invalid price"),
        (item("X", "NaN"), "X", "Item has invalid price"),
        (item("X", "free"), "X", "Item has invalid price"),
        (item("X", None), "X", "Item has invalid price"),
        (None, None, "Item is not an object"),
        ([], None, "Item is not an object"),
    ],
)
def test_bad_item_is_set_aside(site, element, key, message):
    """
    One bad element is quarantined with its reason; the others are applied.
    """
    run = site.pull([*items(5), element])

    assert len(site.shelf) == 5
    assert list(site.quarantine.values()) == [message]
    assert [(issue.item, issue.error) for issue in run.errors] == [(key, message)]
    assert (run.status, run.items_succeeded, run.items_failed) == (RunStatus.PARTIAL, 5, 1)


@pytest.mark.parametrize("price", ["0", "0.0001", "999999999.9999"])
def test_extreme_prices_are_prices(site, price):
    """
    Zero is a price, and so is everything below the limit.
    """
    site.pull([item("A", Decimal(price))])

    assert str(site.shelf["A"].price) == str(Decimal(price))


def test_last_good_version_stays(site):
    """
    An item that goes bad keeps its last good version, counts as present,
    and leaves quarantine by itself when it comes good.
    """
    site.pull([item("A", "1.00"), item("B")])

    bad = site.pull([item("A", "free"), item("B")])

    assert str(site.shelf["A"].price) == "1.00"
    assert (bad.removed, bad.unchanged, list(site.quarantine)) == (0, 1, ["A"])

    good = site.pull([item("A", "2.00"), item("B")])

    assert str(site.shelf["A"].price) == "2.00"
    assert (good.status, good.updated, site.quarantine) == (RunStatus.SUCCESS, 1, {})


def test_quarantine_counts_how_often(site):
    """
    What stays bad keeps when it was seen first, and counts.
    """
    site.pull([item("A", "free")])
    first = site.clock.now()
    site.pull([item("A", "free"), item("B")])

    (entry,) = peek(site.store).mirror.quarantined()

    assert (entry.first_seen, entry.last_seen) == (first, site.clock.now())
    assert entry.times_seen == 2
    assert b'"free"' in entry.raw


def test_missing_and_returning(site):
    """
    An absent item is counted as removed once, hidden, and updated when it
    returns.
    """
    site.pull(items(3))

    gone = site.pull(items(2))
    still = site.pull([*items(1), item("S001", "9.00")])
    back = site.pull(items(3))

    assert (gone.removed, still.removed) == (1, 0)
    assert (back.created, back.updated) == (0, 2)
    assert len(site.shelf) == 3


def test_counts_follow(site):
    """
    What is present and what is missing is counted without a look at the items.
    """
    seen = []
    for catalog in (items(5), items(3), items(4), [item("NEW")], items(1)):
        site.pull(catalog)
        counts = peek(site.store).mirror.counts()
        seen.append((counts.present, counts.missing))

    assert seen == [(5, 0), (3, 2), (4, 1), (1, 5), (1, 5)]


def test_unreadable_sku_marks_nothing_missing(site):
    """
    An item without SKU might be any: nothing is missing then.
    """
    site.pull(items(3))

    run = site.pull([*items(1), {"name": "x", "price": 1}])

    assert (run.removed, len(site.shelf)) == (0, 3)


def test_equal_duplicates_collapse(site):
    """
    The same item twice is one item.
    """
    run = site.pull([item("A"), item("B"), item("A")])

    assert (run.items_processed, run.created, run.status) == (3, 2, RunStatus.SUCCESS)
    assert set(site.shelf) == {"A", "B"}


def test_different_duplicates_are_set_aside(site):
    """
    Of two that contradict each other, neither is believed.
    """
    site.pull([item("A", "1.00"), item("B")])

    run = site.pull([item("A", "2.00"), item("B"), item("A", "3.00")])

    entries = list(peek(site.store).mirror.quarantined())
    assert str(site.shelf["A"].price) == "1.00"
    assert {entry.reason for entry in entries} == {"Duplicate SKU with different data"}
    assert [b"2.00" in entry.raw for entry in entries] == [True, False]
    assert (run.items_failed, run.unchanged, run.removed) == (2, 1, 0)


def test_skus_differ_by_case_and_space(site):
    """
    A SKU is taken literally.
    """
    site.pull([item("a"), item("A"), item("A ")])

    assert set(site.shelf) == {"a", "A", "A "}


def test_nothing_valid_at_first(site):
    """
    A first catalogue without a single good item is a failure with reasons.
    """
    run = site.pull([item("A", "free"), None])

    assert (run.status, run.refused, len(site.quarantine)) == (RunStatus.FAILED, None, 2)


def test_empty_catalogue_at_first(site):
    """
    Nobody sells anything yet.
    """
    assert site.pull([]).status is RunStatus.SUCCESS


@pytest.mark.parametrize("fault", ["truncate", "503", "reset", "500"])
def test_broken_read_changes_nothing(site, fault):
    """
    A read that breaks leaves the mirror and its checkpoint as they are.
    """
    site.pull(items(30))
    before = site.dump(*MIRROR, "checkpoints")
    site.office.faults(f"catalog: {fault}")

    run = site.pull(items(40))

    assert site.dump(*MIRROR, "checkpoints") == before
    assert (run.status, run.refused) == (RunStatus.FAILED, None)
    assert run.last_error
    assert site.pull().created == 10


def test_wrong_total_can_not_be_forced(site):
    """
    A read that differs from its own total is broken, not suspicious.
    """
    site.office.total = 7

    run = site.pull(items(3), force=True)

    assert (run.status, run.refused, site.shelf) == (RunStatus.FAILED, None, {})


def test_plan_is_what_then_happens(site):
    """
    A plan has the counts of the real run, and writes nothing else.
    """
    site.pull(items(10))
    before = site.dump(*MIRROR, "checkpoints")
    catalog = [*items(8), item("S008", "7.00"), item("NEW"), item("BAD", "free")]

    plan = site.pull(catalog, plan=True)

    assert site.dump(*MIRROR, "checkpoints") == before
    real = site.pull(catalog)
    assert plan.planned
    assert not real.planned
    for count in ("created", "updated", "unchanged", "removed", "items_failed", "status"):
        assert getattr(plan, count) == getattr(real, count)


def test_locations_do_not_mix(new_site):
    """
    Two locations in one store know nothing of each other.
    """
    one = new_site()
    other = new_site(location_id="loc-002", path=one.path)
    one.pull(items(3))

    other.pull([item("X", "free"), item("Y")])
    one.pull(items(2))

    assert set(other.shelf) == {"Y"}
    assert set(other.quarantine) == {"X"}
    assert set(one.shelf) == {"S000", "S001"}
    assert one.quarantine == {}


def test_locations_with_the_same_items(new_site):
    """
    What is gone, changed or set aside at one location stays as it was at the
    other, and so does what the other's host has still to get.
    """
    one = new_site(removals="deactivate")
    other = new_site(location_id="loc-002", path=one.path, removals="deactivate")
    hosts = [MemoryCatalog(), MemoryCatalog()]
    for each, host in zip((one, other), hosts, strict=True):
        each.pull(items(40), storage=host)
    other.pull([*items(39), item("NEW")])
    shelf, before = other.shelf, other.dump("changes")["changes"]

    changed = [item("S000", "free"), *items(10)[1:], *items(38)[11:], item("S038", "9.00")]
    one.pull([*changed, item("S039")], storage=hosts[0])
    one.pull(storage=hosts[0], reapply=True)

    assert (other.shelf, other.quarantine) == (shelf, {})
    assert other.dump("changes")["changes"] == before
    other.pull(storage=hosts[1])
    assert dict(hosts[1].items) == shelf
