"""
Facts about the ledger of business dates: what the settings, the store and a clock make of it.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import DateClosedError
from conexxus_sync.sales import SalesLedger


DAY = date(2026, 1, 2)
NIGHT = timedelta(days=1)
NO_CLOCK_IS_WRONG = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def till(till):
    """
    A till at noon.
    """
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))

    return till


def nights(till, count):
    """
    Push at noon, day by day.
    """
    for _ in range(count):
        till.engine().push()
        till.wait(days=1)


def ledger(till, **settings):
    return SalesLedger.of(till.store, attrs.evolve(till.config, **settings))


def dates(till, **settings):
    """
    The dates as they are now.
    """
    now, found = till.clock.now(), ledger(till, **settings)

    return found.dates(found.start_date(now), now)


def test_settings(till):
    """
    The ledger goes by the settings of the store.
    """
    given = {
        "timezone": ZoneInfo("America/New_York"),
        "push_at": time(22, 15),
        "day_closes_at": time(3),
        "lookback_days": 5,
        "sales_since": DAY,
        "push_every": timedelta(minutes=20),
    }
    found = ledger(till, **given)

    calendar = {name: getattr(found.calendar, name) for name in list(given)[:4]}
    assert calendar == {name: given[name] for name in list(given)[:4]}
    assert (found.since, found.every) == (DAY, timedelta(minutes=20))


def test_lookback_of_the_reader(till):
    """
    Who reads it may look back for fewer days than a push does, or for none.
    """
    config = attrs.evolve(till.config, lookback_days=5)

    assert SalesLedger.of(till.store, config, lookback_days=0).calendar.lookback_days == 0


def test_a_store_that_begins_before_its_push_time(till):
    """
    It holds nothing: today is pushed at its time.
    """
    start = ledger(till).start_date(till.clock.now())
    assert (start.start, start.held) == (DAY, None)

    till.engine().push()

    assert ledger(till).start_date(till.clock.now()).held is None


def test_no_zone():
    """
    Without a zone there are no business dates.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_TIMEZONE"):
        SalesLedger.of(None, SyncConfig(location_id="loc-001"))


def test_nobody_asked_for_the_past(till):
    """
    Unless a person is there who asks for it, the past is held.
    """
    now = till.clock.now()

    start = ledger(till).start_date(now, DAY - 3 * NIGHT)

    assert (start.start, start.held.since) == (DAY, DAY - 3 * NIGHT)
    asked = ledger(till).start_date(now, DAY - 3 * NIGHT, honour_past=True)
    assert (asked.start, asked.held) == (DAY - 3 * NIGHT, None)


@pytest.mark.parametrize("since", [None, DAY])
def test_a_store_that_began_late(till, since):
    """
    A store that begins after the push time holds that day, for a week; not if
    the first date is configured.
    """
    till.wait(hours=11, minutes=50)
    till.engine().push()
    found = ledger(till, sales_since=since)

    def held(days):
        start = found.start_date(till.clock.now() + days * NIGHT)
        return start.held and (start.held.since, start.held.before)

    if since is None:
        assert held(0) == held(7) == (DAY, DAY + NIGHT)
        assert held(8) is None
        till.push(DAY)
        assert held(0) is None
    else:
        assert held(0) == (DAY, DAY + NIGHT)
        assert held(8) == (DAY, DAY + NIGHT)


def test_a_store_that_began_by_a_clock_that_was_ahead(till):
    """
    What was decided by a clock that was ahead is decided anew, by now.
    """
    till.wait(days=30)
    till.engine().push()
    till.clock.set(datetime(2026, 1, 2, 23, 50, tzinfo=UTC))

    start = ledger(till).start_date(till.clock.now())

    assert (start.start, start.record) == (DAY + NIGHT, DAY + NIGHT)
    assert (start.held.since, start.held.before) == (DAY, DAY + NIGHT)


def test_a_clock_that_lags(till):
    """
    Runs by a later clock speak against this one, unless that clock was ahead for
    some minutes only.
    """
    till.orders.add(till.sale("t1"))
    for _ in range(5):
        till.push(DAY)
        till.wait(hours=1)
    now = till.clock.now()

    def problem(moment):
        return ledger(till).clock_problem(moment, NO_CLOCK_IS_WRONG)

    assert problem(now) is None
    lags = problem(now - timedelta(days=2))
    assert lags.last_run > now - timedelta(days=2)
    assert ledger(till).clock_problem(now, now + NIGHT).last_run is None

    till.clock.set(now + timedelta(days=90))
    till.orders.add(till.sale("t2"))
    till.push(DAY)
    assert problem(now + timedelta(hours=1)) is None


def test_dates_below_the_watermark(till):
    """
    Nights that are over are not read again, but what waits of one is.
    """
    till.orders.add(till.sale("t1"))
    nights(till, 20)
    quiet = dates(till)

    assert quiet.start == DAY
    assert DAY + 9 * NIGHT <= quiet.unsettled < DAY + 20 * NIGHT
    assert min(quiet.visits) == quiet.unsettled
    assert quiet.as_of is not None
    assert (quiet.waiting, quiet.parked) == (frozenset(), frozenset())

    with till.store.write() as state:
        (batch,) = state.outbox.batches()
        state.outbox.mark_open(batch, unknown_since=None, answer="", parked=None)
    assert dates(till).waiting == {DAY}
    assert dates(till).visits[DAY].at is not None
    with till.store.write() as state:
        state.outbox.mark_open(batch, unknown_since=None, answer="", parked="asked")
    assert dates(till).parked == {DAY}
    assert dates(till).visits[DAY].at is not None
    assert dates(till).needs_decision(DAY, till.clock.now())


def test_dates_of_other_settings(till):
    """
    A watermark says nothing to who has other rules, an earlier clock or an
    earlier start.
    """
    nights(till, 20)
    now = till.clock.now()

    assert dates(till).unsettled > DAY
    for other in ({"push_at": time(20)}, {"lookback_days": 20}):
        found = dates(till, **other)
        assert (found.unsettled, found.as_of) == (DAY, None)
        assert min(found.visits) == DAY
    found = ledger(till)
    assert found.dates(found.start_date(now), now - 15 * NIGHT).as_of is None
    earlier = attrs.evolve(found.start_date(now), start=DAY - NIGHT)
    assert found.dates(earlier, now).unsettled == DAY - NIGHT


def test_dates_that_are_shown(till):
    """
    Who shows past dates gets the visits of all that are asked for.
    """
    nights(till, 20)
    now, found = till.clock.now(), ledger(till)

    shown = found.dates(found.start_date(now), now, since=DAY + 2 * NIGHT)
    assert min(shown.visits) == DAY + 2 * NIGHT
    later = found.dates(found.start_date(now), now, since=DAY + 19 * NIGHT)
    assert min(later.visits) == later.unsettled < DAY + 19 * NIGHT


def test_a_rhythm_begins_with_the_store(till):
    """
    Pushes during the day begin on the day on which the store did, not before.
    """
    every = {"push_every": timedelta(minutes=15)}
    assert dates(till).trickle is None
    assert dates(till, **every).trickle.first == DAY

    till.engine().push(since=DAY - 5 * NIGHT, honour_past=True)

    began = dates(till, **every)
    assert (began.start, began.trickle.first) == (DAY - 5 * NIGHT, DAY)
    assert began.trickle.every == every["push_every"]
    assert began.trickle.looked_at is None
    till.clock.set(till.clock.now() - 3 * NIGHT)
    assert dates(till, **every).trickle.first == DAY - 5 * NIGHT


def test_silence(till):
    """
    A till without sales for longer than ever is noticed; what was longer ago
    than sixty days with sales does not count.
    """
    for number in (-20, *range(0, 140, 2)):
        till.orders.add(till.sale(f"t{number}"), day=DAY + number * NIGHT)
        till.push(DAY + number * NIGHT)
    now, found = till.clock.now(), ledger(till)

    def silence(days):
        return found.silence(found.start_date(now), now + days * NIGHT)

    assert silence(142) is None
    assert silence(143).since == DAY + 138 * NIGHT
    assert silence(143).usual == 2 * NIGHT


def test_dates_that_are_closed(till):
    """
    Whoever asks for earlier dates, a push begins with the first that is open.
    """
    till.engine().adopt(DAY)

    start = ledger(till).start_date(till.clock.now(), DAY - 20 * NIGHT, honour_past=True)

    assert (start.start, start.held) == (DAY - 7 * NIGHT, None)


def test_first_date_after_the_one_on_which_it_began(till):
    """
    Who names the first date holds nothing before it.
    """
    till.wait(hours=11, minutes=50)
    till.engine().push()

    start = ledger(till, sales_since=DAY + NIGHT).start_date(till.clock.now())

    assert (start.start, start.held) == (DAY + NIGHT, None)


def test_closed_dates_say_why(till):
    """
    A push of a closed date is refused, and the refusal says why.
    """
    till.engine().adopt(DAY)

    with pytest.raises(DateClosedError) as caught:
        till.push(DAY - 10 * NIGHT)

    assert str(caught.value) == (
        "business date 2025-12-23 is closed to push: what was sold before 2025-12-26 was "
        "delivered by something else"
    )
    assert caught.value.business_date == DAY - 10 * NIGHT
