"""
What page and terminal show at one glance.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from databases import destroy

from conexxus_sync import DayState, SyncConfig
from conexxus_sync.testing import ListOrders, sale
from conexxus_sync.views.text import day_sentence


NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2026, 1, 2)


class Till(ListOrders):
    """
    Sells so many things on a day.
    """

    def sell(self, day, count, begin=0):
        moment = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        numbers = range(begin, begin + count)
        self.add(*(sale(f"{day}-{number}", "2.50", timestamp=moment) for number in numbers))


@pytest.fixture
def till():
    return Till()


@pytest.fixture
def shop(new_service, till):
    """
    A service in New York.
    """

    def make(**settings):
        config = SyncConfig(location_id="loc-001", timezone=NEW_YORK, **settings)
        return new_service(orders=till, config=config)

    return make


@pytest.fixture
def at(clock):
    """
    Sets the clock to a store time.
    """

    def set_to(day, hour, minute=0):
        wall = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
        clock.advance_to((wall + timedelta(hours=hour, minutes=minute)).astimezone(UTC))
        return clock.now()

    return set_to


def state_of(service, day=DAY):
    """
    How a business date stands.
    """
    return {one.business_date: one for one in service.overview().days}[day].state


def test_life_of_a_business_date(shop, till, at):
    """
    Ahead until its push time, then under way, then pushed.
    """
    service = shop()
    service.run_due(at(DAY, 10))
    till.sell(DAY, 3)
    assert state_of(service) is DayState.AHEAD

    at(DAY, 23, 40)
    assert state_of(service) is DayState.WAITING

    service.run_due(at(DAY, 23, 41))
    assert state_of(service) is DayState.PUSHED


def test_missing_date(shop, till, at, office):
    """
    An hour after its push time a date that did not arrive is missing.
    """
    service = shop()
    service.run_due(at(DAY, 10))
    till.sell(DAY, 3)
    office.faults("sales: 503")
    service.run_due(at(DAY, 23, 30))
    assert state_of(service) is DayState.WAITING

    at(DAY, 24, 30)

    assert state_of(service) is DayState.MISSING


def test_late_date(shop, till, at):
    """
    A date of which most came late says so, though all is there.
    """
    service = shop()
    service.run_due(at(DAY, 10))
    till.sell(DAY, 3)

    service.run_due(at(DAY, 24 + 9))

    assert state_of(service) is DayState.LATE


@pytest.mark.parametrize("close", ["00:00", "02:00"])
def test_tail_is_not_late(shop, till, at, close):
    """
    What is sold between the push and the close comes with the tail, in time.
    """
    service = shop(day_closes_at=datetime.strptime(close, "%H:%M").time())
    service.run_due(at(DAY, 10))
    service.run_due(at(DAY, 23, 30))
    till.sell(DAY, 2)

    service.run_due(at(DAY, 24 + int(close[:2]), 16))

    assert state_of(service) is DayState.PUSHED


def test_one_late_sale_makes_no_late_day(shop, till, at):
    """
    What somebody rings up three days later does not discolour the date.
    """
    service = shop()
    service.run_due(at(DAY, 10))
    till.sell(DAY, 5)
    service.run_due(at(DAY, 23, 30))
    till.sell(DAY, 1, begin=5)

    service.run_due(at(DAY, 72 + 23, 30))

    [day] = [one for one in service.overview().days if one.business_date == DAY]
    assert (day.state, day.delivered) == (DayState.PUSHED, 6)
    assert "accepted 5 January, 23:30" in day_sentence(day, NEW_YORK, date(2026, 1, 6))


def test_quiet_date(shop, at):
    """
    A date without sales that was looked at is no missing one.
    """
    service = shop()
    service.run_due(at(DAY, 10))

    service.run_due(at(DAY, 23, 30))

    assert state_of(service) is DayState.QUIET


def test_set_aside_differs(shop, till, at, office):
    """
    A date with a sale set aside differs.
    """
    service = shop()
    service.run_due(at(DAY, 10))
    till.sell(DAY, 1)
    office.faults("sales: 422")

    service.run_due(at(DAY, 23, 30))

    assert state_of(service) is DayState.DIFFERS


def test_calendar_begins_with_the_store(shop, at):
    """
    Dates before this store knew anything are left out, and a store without
    sales has no calendar.
    """
    service = shop()
    assert [day.state for day in service.overview().days] == [DayState.AHEAD]

    service.run_due(at(DAY, 10))
    at(DAY, 24 * 4)

    assert service.overview().days[0].business_date == DAY


def test_store_without_sales_has_no_calendar(new_service):
    """
    Nobody asks where sales are that this service never had.
    """
    assert new_service().overview().days == ()


def test_lists_are_bounded_and_counted(shop, till, at, office):
    """
    However much waits, the overview stays small and says how much there is.
    """
    service = shop()
    service.run_due(at(DAY, 10))
    office.faults("sales: after_commit(reset)*40")
    for number in range(12):
        day = DAY + timedelta(days=number)
        till.sell(day, 1)
        service.push_sales(day)

    overview = service.overview()

    assert (len(overview.batches), overview.open_batches) == (10, 12)


def test_store_that_can_t_be_read(new_service):
    """
    There is an overview all the same, and it says why it is empty.
    """
    service = new_service()
    said = destroy(service.store)

    overview = service.overview()

    assert overview.health.counts is None
    assert said in overview.problem
