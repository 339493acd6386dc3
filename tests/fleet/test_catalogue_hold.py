"""
While a group tries a catalogue, the other stores keep theirs.
"""

from datetime import timedelta

import pytest

from conexxus_sync.fleet import CatalogueHold, WorkItem
from conexxus_sync.fleet._catalogue_hold import end_hold
from conexxus_sync.fleet._fleet_status import held_line
from conexxus_sync.model.runs import RunKind


DATABASES = ("sqlite", "postgres")
HOUR = timedelta(hours=1)


@pytest.fixture
def chain(new_fleet, new_front, clock):
    """
    A fleet of three stores that have pulled, one of them the canary; and what they
    have pulled since.
    """
    _, url = new_front()
    rows = [{"location": name, "api.url": url} for name in ("a", "b", "c")]
    rows[0]["group"] = "canary"
    fleet = new_fleet(rows)
    fleet.run_once()
    begun = clock.now()

    def pulled():
        for name in fleet.locations:
            with fleet.store.at(name).read() as state:
                if state.runs.latest(RunKind.INVENTORY).start_time > begun:
                    yield name

    return fleet, pulled


def test_the_others_wait(chain, clock):
    """
    They pull again once the hold is over, whether by its end or before; sales go on.
    """
    fleet, pulled = chain
    CatalogueHold(group="canary", until=clock.now() + 3 * HOUR).save(fleet.own)
    clock.advance(hours=1)
    fleet.run_once()

    assert list(pulled()) == ["a"]
    assert [it.location_id for it in fleet.status() if it.held_until] == ["b", "c"]
    assert held_line(fleet.status()).startswith("2 stores keep the catalogue until ")

    clock.advance(hours=2)
    fleet.run_once()
    assert list(pulled()) == ["a", "b", "c"]
    assert held_line(fleet.status()) is None


def test_what_was_handed_out(chain, clock):
    """
    A run that waits in a queue is not made any more; once the hold is taken back, it is.
    """
    fleet, pulled = chain
    clock.advance(hours=1)
    item = WorkItem(location_id="b", kind=RunKind.INVENTORY, slot=clock.now())
    CatalogueHold(group="canary", until=clock.now() + HOUR).save(fleet.own)
    fleet.perform(item)
    assert list(pulled()) == []

    end_hold(fleet.own)
    fleet.perform(item)
    assert list(pulled()) == ["b"]


def test_a_clock_that_was_set_back(chain, clock):
    """
    A hold can't last for ever by it.
    """
    fleet, pulled = chain
    CatalogueHold(group="canary", until=clock.now() + timedelta(days=30)).save(fleet.own)
    clock.advance(hours=1)
    fleet.run_once()

    assert list(pulled()) == ["a", "b", "c"]
