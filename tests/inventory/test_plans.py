"""
A plan shows what would happen; accepted, exactly that happens.
"""

from decimal import Decimal

import attrs
import pytest

from conexxus_client import ConfigurationError
from conexxus_sync import RunKind, RunStatus, SyncRun
from conexxus_sync.stores._plans import PRICE_LISTS_ARE_KEPT
from peeks import peek
from sites import Site


MIRROR = ("items", "quarantine", "checkpoints", "changes", "hosts", "item_counts")


def items(count, price="1.00", start=0):
    return [
        {"sku": f"S{number:03d}", "name": f"Item {number}", "price": price}
        for number in range(start, start + count)
    ]


def prices(site, run):
    found = peek(site.store).plans.prices(run.id)
    return [(it.sku, it.name, str(it.old), str(it.new)) for it in found]


@pytest.fixture
def full(site):
    site.pull(items(100))
    return site


def test_plan_lists_prices(full):
    """
    Each price that would change, old and new in the digits received; not
    those that only look otherwise, nor items that are new or gone.
    """
    catalog = [*items(2, "2.50"), *items(2, "1.000", start=2), *items(97, start=4)]

    run = full.pull(catalog, plan=True)

    assert prices(full, run) == [
        ("S000", "Item 0", "1.00", "2.50"),
        ("S001", "Item 1", "1.00", "2.50"),
    ]


def test_refused_run_lists_prices(full):
    """
    A refused catalogue can be looked at, too.
    """
    run = full.pull(items(60, "9.99") + items(40, start=60))

    assert run.refused
    assert len(prices(full, run)) == 60


def test_applied_run_lists_none(full):
    """
    What was applied is in the mirror.
    """
    assert prices(full, full.pull(items(100, "2.00"), force=True)) == []


def test_plan_writes_nothing_else(full):
    """
    Mirror, quarantine, checkpoint and queue stay as they are.
    """
    before = full.dump(*MIRROR)

    full.pull([*items(90, "1.10"), {"sku": "S099"}], plan=True)

    assert full.dump(*MIRROR) == before


def test_plan_is_accepted(full):
    """
    The counts of the plan are those of the run that accepts it.
    """
    plan = full.pull([*items(45, "2.00"), *items(50, start=45), *items(3, start=200)], plan=True)

    run = full.pull(accept=plan.id)

    assert (run.created, run.updated, run.unchanged, run.removed) == (3, 45, 50, 5)
    assert (plan.created, plan.updated, plan.unchanged, plan.removed) == (3, 45, 50, 5)
    assert full.shelf["S000"].price == Decimal("2.00")


def test_refused_run_is_accepted(full):
    """
    Accepted, a catalogue passes the guards that refused it, or would have.
    """
    refused = full.pull(items(10))
    planned = full.pull(items(10), plan=True)
    assert refused.refused
    assert planned.refused

    run = full.pull(accept=refused.id)

    assert (run.status, run.removed) == (RunStatus.SUCCESS, 90)


def test_other_catalogue_is_refused(full):
    """
    If anything came in between, nothing is applied; what came now can be
    accepted instead.
    """
    plan = full.pull(items(10), plan=True)
    before = full.dump(*MIRROR)

    run = full.pull(items(10, "1.01"), accept=plan.id)

    assert full.dump(*MIRROR) == before
    assert run.refused.startswith(f"the catalogue is no longer the one that {plan.id} showed")
    assert (run.status, run.created, run.updated, run.removed) == (RunStatus.FAILED, 0, 0, 0)
    assert len(prices(full, run)) == 10

    again = full.pull(accept=run.id)

    assert (again.refused, again.updated, again.removed) == (None, 10, 90)


def test_back_to_the_catalogue_in_force(full):
    """
    If the back office went back to what is in force, the plan is no longer
    what it has.
    """
    plan = full.pull(items(10), plan=True)

    run = full.pull(items(100), accept=plan.id)

    assert "no longer the one" in run.refused


def test_accepted_twice(full):
    """
    A plan that is in force already changes nothing any more.
    """
    plan = full.pull(items(10), plan=True)
    full.pull(accept=plan.id)

    run = full.pull(accept=plan.id)

    assert (run.refused, run.status, run.removed) == (None, RunStatus.SUCCESS, 0)


@pytest.mark.parametrize("etag", ["off", "strong"])
def test_plan_of_what_is_in_force(full, etag):
    """
    Also a plan that changes nothing can be accepted: with a 304, too.
    """
    full.office.etag = etag
    full.pull(items(99))
    plan = full.pull(plan=True)

    assert full.pull(accept=plan.id).status is RunStatus.SUCCESS
    assert full.pull(items(98), accept=plan.id).refused

    full.pull()
    run = full.pull(accept=plan.id)

    assert run.refused
    assert run.not_modified is (etag == "strong")


def test_other_rules_are_refused(full):
    """
    Under another limit the same catalogue would have another outcome.
    """
    plan = full.pull(items(100, "50"), plan=True)
    full.config = attrs.evolve(full.config, max_price=Decimal(10))

    assert full.pull(accept=plan.id).refused


@pytest.mark.parametrize("kind", ["unknown", "applied", "failed", "sales", "elsewhere"])
def test_no_such_plan(full, kind):
    """
    Only a planned or refused pull of this location can be accepted.
    """
    found = {
        "unknown": "nonsense",
        "applied": full.pull(items(99)).id,
        "failed": broken(full).id,
        "sales": sale(full).id,
        "elsewhere": full.pull(items(9), plan=True).id,
    }
    if kind == "elsewhere":
        full.store = Site(full.path, location_id="loc-002").store
    before = full.dump("runs")

    with pytest.raises(ConfigurationError, match="there is no plan"):
        full.pull(accept=found[kind])

    assert full.dump("runs") == before


def broken(site):
    site.office.faults("catalog: truncate")
    return site.pull(items(98))


def sale(site):
    now = site.clock.now()
    run = SyncRun(id="s1", kind=RunKind.SALES, location_id="loc-001", start_time=now, end_time=now)
    with site.store.write() as state:
        state.runs.save(run)
    return run


@pytest.mark.parametrize("other", ["plan", "force"])
def test_contradicting_options(full, other):
    """
    To accept is neither to plan nor to force.
    """
    plan = full.pull(items(99), plan=True)

    with pytest.raises(ConfigurationError, match="can't go together"):
        full.pull(accept=plan.id, **{other: True})


def test_only_the_last_lists_are_kept(full):
    """
    A refusal that comes every hour does not fill the disk; what it refused
    can be accepted as long as its run is remembered.
    """
    first = full.pull(items(100, "2.00"))
    for number in range(PRICE_LISTS_ARE_KEPT):
        last = full.pull(items(100, f"3.{number:02d}"))

    assert prices(full, first) == []
    assert len(prices(full, last)) == 100
    assert full.pull(items(100, "2.00"), accept=first.id).updated == 100

    full.clock.advance(days=91)
    # A clock that jumped forgets nothing for a day.
    full.pull()
    full.clock.advance(hours=25)
    full.pull(items(100, "2.01"), plan=True)
    assert peek(full.store).plans.get(first.id) is None


def test_plans_feed_no_figures(full):
    """
    The last run is the last that was none.
    """
    last = peek(full.store).runs.latest(RunKind.INVENTORY)

    full.pull(items(50), plan=True)

    assert peek(full.store).runs.latest(RunKind.INVENTORY) == last
