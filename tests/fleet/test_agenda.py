"""
What is due of many locations, by one query over their leases.
"""

from datetime import timedelta

import attrs
import pytest

from conexxus_sync.fleet._agenda import Agenda
from conexxus_sync.model.runs import RunKind
from conexxus_sync.stores._lease_table import LeaseState
from conexxus_sync.testing import FakeClock


DATABASES = ("sqlite",)
HOUR = timedelta(hours=1)
PULL = RunKind.INVENTORY


@attrs.define
class Ledger:
    """
    Each location is due at its moment; counts what it is asked.
    """

    clock: FakeClock
    starts: dict
    leases: dict = attrs.field(factory=dict)
    queries: int = 0
    asked: list = attrs.field(factory=list)

    def lease_states(self, now):
        self.queries += 1
        return [
            LeaseState(location_id=name, kind="inventory", epoch=epoch, run_id=run_id)
            for name, (epoch, run_id) in self.leases.items()
        ]

    def next_start(self, location_id, kind, now):
        self.asked.append(location_id)
        return self.starts[location_id]


@pytest.fixture
def ledger(clock):
    return Ledger(clock, {"a": clock.now() + HOUR, "b": clock.now(), "c": clock.now() - HOUR})


@pytest.fixture
def agenda(ledger):
    return Agenda(ledger, dict.fromkeys(ledger.starts, (PULL,)))


def due(agenda, ledger):
    agenda.refresh(ledger.clock.now())
    return [item.location_id for item in agenda.due(ledger.clock.now())]


def test_longest_due_first(agenda, ledger):
    """
    What is due comes in the order in which it fell due.
    """
    assert due(agenda, ledger) == ["c", "b"]


def test_one_query_for_all(agenda, ledger):
    """
    As long as no lease changes, no location is looked at again.
    """
    due(agenda, ledger)
    ledger.asked.clear()
    ledger.queries = 0
    ledger.clock.advance(minutes=30)

    assert due(agenda, ledger) == ["c", "b"]
    assert (ledger.queries, ledger.asked) == (1, [])


def test_lease_that_another_process_had(agenda, ledger):
    """
    A run of another process shows by its lease, and its location is looked at.
    """
    due(agenda, ledger)
    ledger.asked.clear()
    ledger.leases["c"] = (1, "a run")

    assert due(agenda, ledger) == ["b"]
    assert ledger.asked == []

    ledger.starts["c"] = ledger.clock.now() + HOUR
    ledger.leases["c"] = (1, None)

    assert due(agenda, ledger) == ["b"]
    assert ledger.asked == ["c"]


def test_attempts_are_counted_by_the_store(agenda, ledger):
    """
    The attempt is the number of runs before, whichever process made them.
    """
    ledger.leases["b"] = (7, None)
    due(agenda, ledger)

    assert [(it.location_id, it.attempt) for it in agenda.due(ledger.clock.now())] == [
        ("c", 0),
        ("b", 7),
    ]


def test_what_was_handed_out(agenda, ledger):
    """
    An item is handed out once, and again after a minute if nothing came of it.
    """
    due(agenda, ledger)
    item = agenda.due(ledger.clock.now())[0]
    agenda.submitted(item, ledger.clock.now())

    assert due(agenda, ledger) == ["b"]

    ledger.clock.advance(minutes=1)

    assert due(agenda, ledger) == ["c", "b"]


def test_load(agenda, ledger):
    """
    What waits, for how long, and what was handed out.
    """
    due(agenda, ledger)
    load = agenda.load(ledger.clock.now())
    agenda.submitted(agenda.due(ledger.clock.now())[0], ledger.clock.now())
    later = agenda.load(ledger.clock.now())

    assert (load.due, load.longest_due, load.at_work) == (2, HOUR, 0)
    assert (later.due, later.longest_due, later.at_work) == (1, timedelta(), 1)


def test_what_ended(agenda, ledger):
    """
    What ended without a lease is looked at again.
    """
    due(agenda, ledger)
    item = agenda.due(ledger.clock.now())[0]
    agenda.submitted(item, ledger.clock.now())
    ledger.starts["c"] = ledger.clock.now() + HOUR
    agenda.ended(item)

    assert due(agenda, ledger) == ["b"]


def test_look_in_parts(agenda, ledger):
    """
    Where there is much to look at, what is due does not wait for the last of it.
    """
    answers = iter([False, True])

    assert not agenda.refresh(ledger.clock.now(), is_enough=lambda: next(answers))
    assert ledger.asked == ["a"]
    assert agenda.refresh(ledger.clock.now())
    assert ledger.asked == ["a", "b", "c"]


def test_what_ended_waits_for_its_turn(agenda, ledger):
    """
    A look that ends early forgets nothing of what ended.
    """
    due(agenda, ledger)
    agenda.ended(agenda.due(ledger.clock.now())[0])
    ledger.asked.clear()

    assert not agenda.refresh(ledger.clock.now(), is_enough=lambda: True)
    assert agenda.refresh(ledger.clock.now())
    assert ledger.asked == ["c"]


def test_looked_at_again(agenda, ledger):
    """
    What changes without a lease shows within an hour, and when the clock is set back.
    """
    due(agenda, ledger)
    ledger.asked.clear()
    ledger.clock.advance(HOUR)
    due(agenda, ledger)

    assert sorted(ledger.asked) == ["a", "b", "c"]

    ledger.clock.set(ledger.clock.now() - HOUR)
    due(agenda, ledger)

    assert len(ledger.asked) == 6


def test_what_could_not_be_read(agenda, ledger):
    """
    Where the store or the host could not be asked, it is asked again in a minute.
    """
    ledger.starts["a"] = None
    due(agenda, ledger)
    ledger.asked.clear()
    ledger.clock.advance(minutes=1)
    due(agenda, ledger)

    assert ledger.asked == ["a"]
