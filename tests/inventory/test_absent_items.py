"""
Facts about items that are absent: the host and the operator learn which.
"""

import attrs
import pytest

from conexxus_sync.inventory._item_history import explain_item
from conexxus_sync.testing import MemoryCatalog
from peeks import peek


def items(count, start=0):
    return [{"sku": f"S{n:03}", "name": "x", "price": "1.00"} for n in range(start, start + count)]


def absent(site, run):
    return [it.sku for it in peek(site.store).plans.absent(run.id)]


@pytest.mark.case(
    "A10",
    "3 of 30 items are gone, and the host keeps what is gone",
    "the run says that the host was not notified, and how it is",
)
def test_host_that_is_not_told(site):
    """
    What the run names makes the host's table the catalogue again.
    """
    host = MemoryCatalog()
    site.pull(items(30), storage=host)

    run = site.pull(items(27), storage=host)

    assert (run.removed, len(host.items)) == (3, 30)
    assert run.note.startswith("the host's storage was not notified that 3 items are gone")
    assert "--removals deactivate --reapply" in run.note
    site.config = attrs.evolve(site.config, removals="deactivate")
    assert "handed to the host's storage" in site.pull(storage=host, reapply=True).note
    assert len(host.items) == 27


def test_host_that_is_told(site):
    """
    There is nothing to note where the host gets the removals, or where there is none.
    """
    site.pull(items(30))
    assert site.pull(items(29)).note is None

    site.config = attrs.evolve(site.config, removals="deactivate")
    site.pull(storage=(host := MemoryCatalog()))
    assert site.pull(items(28), storage=host).note is None


@pytest.mark.case(
    "A10",
    "a guard refuses a catalogue that lacks 20 of 60 items, or `pull --plan` looks at it",
    "the run keeps the absent items, and `conexxus why SKU` names it",
)
@pytest.mark.parametrize("plan", [False, True])
def test_absent_items_are_kept(site, plan):
    """
    Until a later pull says more.
    """
    site.pull(items(60))

    run = site.pull(items(40), plan=plan)

    assert absent(site, run) == [f"S{n:03}" for n in range(40, 60)]
    said = "\n".join(explain_item(site.store, "S050"))
    assert f"It is absent from the catalogue of run {run.id}" in said
    assert "which was refused" in said
    assert "absent" not in "\n".join(explain_item(site.store, "S001"))
    site.pull(items(60))
    assert "absent" not in "\n".join(explain_item(site.store, "S050"))


def test_plan_that_nothing_refuses(site):
    """
    What was only planned is reported as such.
    """
    site.pull(items(60))

    run = site.pull(items(59), plan=True)

    assert (absent(site, run), run.removed) == (["S059"], 1)
    assert "which was only planned" in "\n".join(explain_item(site.store, "S059"))


def test_absent_items_that_wait(site):
    """
    Also what is absent and stays is listed.
    """
    site.pull(items(60))

    assert len(absent(site, site.pull([*items(59), None], plan=True))) == 1
    assert len(absent(site, site.pull([*items(2), None]))) == 58


def test_lists_are_purged(site):
    """
    Those of the last ten plans are kept.
    """
    site.pull(items(60))

    runs = [site.pull(items(number), plan=True) for number in range(11)]

    assert absent(site, runs[0]) == []
    assert len(absent(site, runs[-1])) == 50
