"""
Facts about the status of the sales of a location.
"""

import json
from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from databases import in_sqlite

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.sales._status import SalesStatus, has_sales, is_fresh


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NIGHT = timedelta(days=1)


def status(till, **changes):
    options = {"enabled": True, **changes}
    config = options.pop("config", till.config)

    return SalesStatus.of(till.store, config, till.clock.now(), **options)


@pytest.fixture
def till(till):
    """
    A till at noon of its second day.
    """
    till.clock.set(datetime(2026, 1, 1, 12, tzinfo=UTC))
    till.engine().push()
    till.wait(days=1)

    return till


def test_a_store_without_sales(new_till):
    """
    Where there is no order source and never was, there is no status.
    """
    till = new_till()

    assert status(till, enabled=False) == SalesStatus(enabled=False, is_fresh=True)
    assert (has_sales(till.store), is_fresh(till.store)) == (False, True)


@in_sqlite
def test_a_store_that_lost_its_sales(new_till):
    """
    That it was restored is said, though it knows of no sales.
    """
    till = new_till()
    with till.store.write():
        pass
    (till.folder / "store.db.freeze").write_text(json.dumps({LOCATION: 9}))

    found = status(till, enabled=False)

    assert found.restored.numbers.beside == 9
    assert not has_sales(till.store)


def test_an_order_source_that_was_taken_away(till):
    """
    A store that had sales goes on being looked at.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.wait(days=3)

    found = status(till, enabled=False)

    assert (found.enabled, found.is_fresh, found.silence) == (False, False, None)
    assert found.overdue == (DAY - NIGHT, DAY, DAY + NIGHT, DAY + 2 * NIGHT)
    assert has_sales(till.store)


def test_no_zone(till):
    """
    Without a zone nothing can be pushed, and the status says so.
    """
    bare = attrs.evolve(till.config, timezone=None)

    found = status(till, config=bare, enabled=True)

    assert "CONEXXUS_TIMEZONE" in found.problem
    assert (found.enabled, found.restored, found.is_fresh) == (True, None, True)
    assert (found.overdue, found.held, found.clock_problem) == ((), None, None)
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    again = status(till, config=bare, enabled=False)
    assert (again.enabled, again.is_fresh) == (False, False)


@in_sqlite
def test_no_zone_and_a_restored_store(till):
    """
    That a store was restored is said whatever else is wrong.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    (till.folder / "store.db.freeze").write_text(json.dumps({LOCATION: 99}))

    bare = attrs.evolve(till.config, timezone=None)
    assert status(till).restored is not None
    assert status(till, config=bare).restored == status(till).restored
    assert status(till, enabled=False).restored == status(till).restored


def test_overdue(till):
    """
    A date is overdue an hour after its push time; late sales make nothing overdue.
    """
    till.engine().push()
    till.clock.set(datetime(2026, 1, 3, 0, 29, tzinfo=UTC))
    assert status(till).overdue == ()
    till.clock.set(datetime(2026, 1, 3, 0, 30, tzinfo=UTC))
    assert status(till).overdue == (DAY,)

    till.engine().push()
    assert status(till).overdue == ()
    # The tail, and late sales, make nothing overdue.
    till.wait(hours=20)
    assert status(till).overdue == ()


def test_parked(new_till):
    """
    A date that waits for an operator alone is overdue, and named as such.
    """
    till = new_till(profile=ApiProfile(dedupe="none"), office=BackOffice(dedupe="none"))
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: reset")
    till.push()
    till.wait(hours=2)
    till.push()

    found = status(till)

    assert DAY in found.overdue
    assert found.parked == (DAY,)
    assert found.silence is None


def test_held_clock_and_release(till):
    """
    Dates that are held and a clock that is wrong are said.
    """
    since = attrs.evolve(till.config, sales_since=DAY - 9 * NIGHT)
    assert status(till, config=since).held.since == DAY - 9 * NIGHT
    assert status(till).held is None

    assert status(till).clock_problem is None
    assert status(till, released=till.clock.now() + NIGHT).clock_problem is not None


def test_profile(till):
    """
    A profile that nothing may be sent with is a problem.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    assert status(till, profile_check=till.engine().profile_check).problem is None
    assert status(till).problem is None

    till.profile = ApiProfile(dedupe="none")
    found = status(till, profile_check=till.engine().profile_check)
    assert "dedupe is none, kept is key" in found.problem


def test_silence(till):
    """
    A till without sales for longer than ever is silent, if all was pushed.
    """
    for number in range(12):
        if number < 4:
            till.orders.add(till.sale(f"t{number}"), day=DAY + number * NIGHT)
        till.clock.set(datetime(2026, 1, 3, 0, 15, tzinfo=UTC) + number * NIGHT)
        till.push()

    assert status(till).silence.since == DAY + 3 * NIGHT
    assert status(till, enabled=False).silence is None
    till.wait(days=2)
    assert status(till).overdue
    assert status(till).silence is None
