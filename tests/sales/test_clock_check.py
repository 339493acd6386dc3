"""
Facts about a clock that is wrong.
"""

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def till(new_till):
    return new_till(released=RELEASED)


def pulled(till, at):
    """
    A pull took place at *at*.
    """
    run = SyncRun(
        id=f"run-{at.isoformat()}",
        kind=RunKind.INVENTORY,
        location_id=LOCATION,
        status=RunStatus.SUCCESS,
        start_time=at,
        end_time=at,
    )
    with till.store.write() as state:
        state.runs.save(run)


@pytest.mark.fault(
    "C09", "A clock that is before the release", "no push by itself, and a sentence why"
)
def test_before_the_release(till):
    """
    A computer that boots in 1970 pushes nothing by itself, remembers no
    first date, and says why; a named date is pushed all the same.
    """
    till.clock.set(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    till.orders.add(till.sale("t1"))

    assert till.engine().push() == []
    assert till.orders.asked == []
    assert "1970-01-01 00:01 UTC" in str(till.engine().clock_problem(till.clock.now()))

    till.engine().push(DAY)
    assert till.effective() == ["t1"]
    till.clock.set(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    till.engine().push()
    assert till.engine().ledger.start_date(till.clock.now()).start == date(2026, 1, 3)


@pytest.mark.fault("C09", "A clock that is before the last run", "likewise; a named date is pushed")
def test_before_the_last_run(till):
    """
    A clock that is more than five minutes before the last run, be it a pull,
    pushes nothing by itself; a named date it does.
    """
    till.clock.set(datetime(2026, 1, 2, 10, tzinfo=UTC))
    till.engine().push()
    pulled(till, datetime(2026, 1, 2, 23, 40, tzinfo=UTC))
    till.orders.add(till.sale("t1"))

    till.clock.advance_to(datetime(2026, 1, 2, 23, 34, tzinfo=UTC))
    assert till.engine().push() == []
    assert "2026-01-02 23:40 UTC" in str(till.engine().clock_problem(till.clock.now()))
    assert till.engine().next_due(till.clock.now()) == till.clock.now() + timedelta(minutes=15)
    (run,) = till.engine().push(DAY)
    assert run.status is RunStatus.SUCCESS
    assert till.engine().push() == []

    till.clock.advance_to(datetime(2026, 1, 2, 23, 36, tzinfo=UTC))
    assert till.engine().clock_problem(till.clock.now()) is None


def test_a_person_believes_the_clock(till):
    """
    After a clock was ahead, a person who pushes what is due says that it is
    right now, and from then on pushes are automatic again.
    """
    till.clock.set(datetime(2026, 1, 2, 10, tzinfo=UTC))
    till.engine().push()
    pulled(till, datetime(2027, 1, 2, 10, tzinfo=UTC))
    till.orders.add(till.sale("t1"))
    till.clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    assert till.engine().push() == []

    till.engine().push(honour_past=True)
    till.orders.add(till.sale("t2"))
    till.wait(minutes=45)
    till.engine().push()

    assert till.effective() == ["t1", "t2"]
    pulled(till, datetime(2027, 1, 3, 10, tzinfo=UTC))
    assert till.engine().clock_problem(till.clock.now()) is not None


@pytest.mark.fault("C09", "A clock was ahead for one push", "no sale is lost")
@pytest.mark.parametrize("ahead", [timedelta(days=12), timedelta(days=365)])
def test_a_clock_that_was_ahead(till, ahead):
    """
    A clock that is ahead for one push and then set right loses no sale: a
    visit in the future counts for nothing.
    """
    till.clock.set(datetime(2026, 1, 2, 10, tzinfo=UTC))
    till.engine().push()
    till.clock.set(till.clock.now() + ahead)
    till.engine().push()
    till.clock.set(datetime(2026, 1, 2, 10, tzinfo=UTC))

    for number in range(20):
        till.orders.add(till.sale(f"t{number}"), day=DAY + timedelta(days=number))
        till.clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC) + timedelta(days=number))
        till.engine().push()

    assert till.effective() == [f"t{number}" for number in range(20)]


@pytest.mark.fault(
    "C04", "Midnight passes during a push", "a batch keeps the date for which it was frozen"
)
def test_midnight_during_a_push(till):
    """
    A batch keeps the date for which it was frozen, even if midnight passes.
    """
    till.clock.advance_to(datetime(2026, 1, 2, 23, 59, 59, tzinfo=UTC))
    till.orders.add(till.sale("t1"))

    def slow(step):
        till.wait(seconds=1)

    till.engine(failpoint=slow).push(since=DAY, honour_past=True)

    assert till.office.ledger.dates() == [DAY]


@pytest.mark.fault("C05", "Two stores in two zones, one database", "each has its own time and date")
def test_two_stores_in_two_zones(till, zoned):
    """
    Each store is pushed at its own time and date, from the same database.
    """
    east = till
    east.config = zoned("Pacific/Auckland")
    west = attrs.evolve(till, config=attrs.evolve(zoned("America/Los_Angeles"), location_id="w"))
    till.clock.set(datetime(2026, 1, 2, 0, tzinfo=UTC))
    asked = []

    while till.clock.now() < datetime(2026, 1, 3, 12, tzinfo=UTC):
        for name, one in (("east", east), ("west", west)):
            one.orders.asked.clear()
            one.engine().push()
            asked += [(name, day, till.clock.now()) for day in one.orders.asked]
        till.wait(minutes=30)

    firsts = {(name, day): at for name, day, at in reversed(asked)}
    assert firsts["east", DAY] == datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
    assert firsts["west", DAY] == datetime(2026, 1, 3, 7, 30, tzinfo=UTC)


@pytest.mark.fault("C08", "Suspended for days", "each business date that was missed is pushed")
def test_suspended_for_days(till):
    """
    A computer that slept for five days pushes every business date it missed.
    """
    till.clock.set(datetime(2026, 1, 2, 10, tzinfo=UTC))
    till.engine().push()
    days = [DAY + timedelta(days=k) for k in range(5)]
    for day in days:
        till.orders.add(till.sale(f"t{day}"), day=day)

    # Meanwhile the monotonic clock stands still.
    till.clock.set(till.clock.now() + timedelta(days=5))
    runs = till.engine().push()

    assert [run.business_date for run in runs] == days
