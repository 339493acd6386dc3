"""
Facts about pushes during the day.
"""

from datetime import UTC, date, datetime, time, timedelta

import attrs
import pytest

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_sync.config import SyncConfig


FIRST = date(2026, 1, 1)
DAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def open_till(till):
    """
    A till at noon of its store's second day, with pushes every 15 minutes.
    """
    till.config = attrs.evolve(till.config, push_every=timedelta(minutes=15))
    till.clock.set(NOON - timedelta(days=1))
    till.engine().push()
    till.clock.set(NOON)
    till.engine().push()

    return till


def look(till, *, after=15):
    """
    Wait, and do what the scheduler does.
    """
    till.wait(minutes=after)
    engine = till.engine()
    if engine.next_due(till.clock.now()) <= till.clock.now():
        return engine.push(automatic=True)
    return []


def close(till):
    """
    Wait until the date was pushed and its tail as well.
    """
    till.clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    pushed = look(till, after=0)
    till.clock.advance_to(datetime(2026, 1, 3, 0, 15, tzinfo=UTC))

    return [*pushed, *look(till, after=0)]


def test_sent_once_it_settled(open_till):
    """
    A sale is sent at the second look that returns it, and never again.
    """
    open_till.orders.add(open_till.sale("t1"))

    assert look(open_till) == []
    (run,) = look(open_till)

    assert (run.business_date, run.items_succeeded) == (DAY, 1)
    assert open_till.effective(DAY) == ["t1"]
    assert look(open_till) == []
    assert close(open_till) == []
    assert open_till.effective(DAY) == ["t1"]


def test_off_by_default(open_till):
    """
    Without the setting, nothing is looked at before the push time.
    """
    open_till.config = attrs.evolve(open_till.config, push_every=None)
    open_till.orders.add(open_till.sale("t1"))
    open_till.orders.asked.clear()

    assert look(open_till) == look(open_till) == []
    assert open_till.orders.asked == []
    assert open_till.engine().next_due(open_till.clock.now()) == datetime(
        2026, 1, 2, 23, 30, tzinfo=UTC
    )


def test_a_change_starts_the_wait_again(open_till):
    """
    What is edited between two looks waits for two more; the others do not wait
    for it.
    """
    open_till.orders.add(open_till.sale("t1"), open_till.sale("t2"))
    look(open_till)
    open_till.orders.replace(open_till.sale("t1", "2.50"))

    look(open_till)
    between = open_till.effective(DAY)
    look(open_till)

    assert between == ["t2"]
    assert open_till.effective(DAY) == ["t2", "t1"]
    assert [str(sale.total) for sale in open_till.office.ledger.sales("loc-001")] == [
        "1.50",
        "2.50",
    ]


def test_what_was_gone_is_seen_anew(open_till):
    """
    A look that does not return a sale is no look at which it was unchanged.
    """
    one = open_till.sale("t1")
    open_till.orders.add(one)
    look(open_till)
    open_till.orders.remove("t1")
    look(open_till)
    open_till.orders.add(one)

    look(open_till)
    assert open_till.effective(DAY) == []
    look(open_till)
    assert open_till.effective(DAY) == ["t1"]


def test_settle_is_longer_than_the_interval(open_till):
    """
    Looks that follow each other sooner than a sale settles do not send it.
    """
    open_till.config = attrs.evolve(
        open_till.config, push_every=timedelta(minutes=5), push_settle=timedelta(minutes=20)
    )
    open_till.orders.add(open_till.sale("t1"))

    sent = [bool(look(open_till, after=5)) for _ in range(5)]

    assert sent == [False] * 4 + [True]


def test_asked_no_more_often_than_said(open_till):
    """
    The interval outlasts a restart, and a look that is not due asks nothing.
    """
    open_till.orders.asked.clear()

    look(open_till, after=14)
    early = list(open_till.orders.asked)
    look(open_till, after=1)

    assert early == []
    assert open_till.orders.asked == [DAY]


def test_the_day_ends_as_without(open_till, new_till):
    """
    What did not settle in time goes with the daily push and its tail: the
    books are those of a day without pushes between.
    """
    plain = new_till()
    plain.clock.set(NOON)
    plain.engine().push()

    for till in (open_till, plain):
        till.clock.set(NOON)
        for number in range(12):
            till.orders.add(till.sale(f"t{number}", f"{number}.25"))
            look(till, after=10)
        till.clock.advance_to(datetime(2026, 1, 2, 23, 20, tzinfo=UTC))
        till.orders.add(till.sale("evening"))
        look(till, after=0)
        till.clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
        look(till, after=0)
        till.orders.add(till.sale("late"))
        close(till)

    def books(till):
        return sorted((sale.id, sale.total) for sale in till.office.ledger.sales("loc-001", DAY))

    assert books(open_till) == books(plain)
    assert len(open_till.office.effective_batches) > len(plain.office.effective_batches) == 2
    assert open_till.office.ledger.doubled() == []


def test_a_fresh_store_sends_nothing(open_till, new_till):
    """
    On the date on which a store began, nothing is pushed before the push time,
    also where a person asked for earlier dates.
    """
    for since in (None, date(2025, 12, 30)):
        till = new_till(config=open_till.config)
        till.orders.add(till.sale("t1"))
        till.clock.set(NOON)
        till.engine().push(since=since, honour_past=True)

        assert look(till) == look(till) == look(till) == []
        assert till.engine().push(honour_past=True) == []
        assert till.effective() == []
        close(till)
        assert till.effective() == ["t1"]


def test_a_failure_waits_for_the_next_look(open_till):
    """
    A batch that could not be sent goes with the next look, not sooner; nothing
    else of the date goes before it, and the date is not overdue.
    """
    open_till.orders.add(open_till.sale("t1"))
    look(open_till)
    open_till.office.faults("sales: reset*9")
    (failed,) = look(open_till)
    open_till.office.faults("")

    soon = look(open_till, after=5)
    open_till.orders.add(open_till.sale("t2"))
    later = look(open_till, after=10)

    assert failed.last_error
    assert soon == []
    assert [run.items_succeeded for run in later] == [1]
    now = open_till.clock.now()
    ledger = open_till.engine().ledger
    assert ledger.dates(ledger.start_date(now), now).overdue(now, timedelta()) == []


def test_the_daily_push_does_not_wait(open_till):
    """
    What a look could not send is delivered at the push time, whatever the
    interval.
    """
    open_till.config = attrs.evolve(open_till.config, push_every=timedelta(hours=6))
    open_till.orders.add(open_till.sale("t1"))
    look(open_till, after=360)
    open_till.office.faults("sales: reset*9")
    open_till.config = attrs.evolve(open_till.config, push_every=timedelta(hours=5))
    look(open_till, after=300)
    assert open_till.open_batches()
    open_till.office.faults("")

    close(open_till)

    assert open_till.effective(DAY) == ["t1"]


def test_as_long_as_the_back_office_asks(open_till):
    """
    A back office that names a time to wait is not asked before it.
    """
    open_till.orders.add(open_till.sale("t1"))
    look(open_till)
    open_till.office.faults("sales: 429(retry_after=1800)")
    open_till.wait(minutes=15)
    engine = open_till.engine()
    engine.push(automatic=True)

    moment = engine.next_due(open_till.clock.now())

    assert moment == open_till.clock.now() + timedelta(minutes=30)


def test_changes_wait_for_the_daily_push(open_till):
    """
    A delivered sale that changed, a sale that can't be sent and a remark of the
    source are the daily push's to say.
    """
    open_till.options["on_changed"] = "resend"
    open_till.orders.add(open_till.sale("t1"))
    look(open_till)
    look(open_till)
    open_till.orders.replace(open_till.sale("t1", "2.50"))
    open_till.orders.add({"id": "broken"})

    assert look(open_till) == look(open_till) == look(open_till) == []
    assert open_till.quarantined() == {}
    close(open_till)

    assert open_till.effective(DAY) == ["t1", "t1:void:1", "t1:rev:1"]
    assert list(open_till.quarantined()) == ["broken"]


def test_two_dates_in_progress(till):
    """
    A date whose push time comes on the next morning is in progress until then,
    beside the new one.
    """
    till.config = attrs.evolve(till.config, push_every=timedelta(minutes=15), push_at=time(2))
    till.clock.set(NOON - timedelta(days=2))
    till.engine().push()
    till.clock.set(datetime(2026, 1, 3, 0, 30, tzinfo=UTC))
    till.engine().push()
    till.orders.add(till.sale("t1"))
    till.orders.add(till.sale("t2"), day=date(2026, 1, 3))

    look(till)
    runs = look(till)

    assert [run.business_date for run in runs] == [DAY, date(2026, 1, 3)]
    assert till.effective() == ["t1", "t2"]


def test_a_command_looks_at_once(open_till):
    """
    A push that a person asks for looks at the date in progress, due or not;
    what did not settle waits all the same.
    """
    open_till.orders.add(open_till.sale("t1"))
    look(open_till)
    open_till.wait(minutes=1)
    open_till.engine().push(honour_past=True)
    before = open_till.effective()
    open_till.wait(minutes=14)

    open_till.engine().push(honour_past=True)

    assert (before, open_till.effective()) == ([], ["t1"])


def test_a_clock_that_was_ahead(open_till):
    """
    What was seen at a time that has not come was not seen.
    """
    open_till.orders.add(open_till.sale("t1"))
    open_till.wait(minutes=15)
    open_till.engine().push(automatic=True)
    open_till.clock.set(open_till.clock.now() - timedelta(minutes=4))

    look(open_till, after=0)
    look(open_till, after=14)
    before = open_till.effective()
    look(open_till, after=1)

    assert (before, open_till.effective()) == ([], ["t1"])


def test_replaced_days(till):
    """
    Where a push replaces its day, none adds to it.
    """
    till.config = attrs.evolve(till.config, push_every=timedelta(minutes=15))
    till.profile = ApiProfile(sales_mode="replace_day")

    with pytest.raises(ConfigurationError) as caught:
        till.engine()

    (problem,) = caught.value.problems
    assert problem == (
        "CONEXXUS_PUSH_EVERY adds to a day, but with sales_mode replace_day each push replaces "
        "it: set CONEXXUS_PUSH_EVERY to off"
    )


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("CONEXXUS_PUSH_EVERY", "2d", "CONEXXUS_PUSH_EVERY must be from 1m to 1d"),
        ("CONEXXUS_PUSH_EVERY", "often", "CONEXXUS_PUSH_EVERY must be an interval"),
        ("CONEXXUS_PUSH_SETTLE", "30s", "CONEXXUS_PUSH_SETTLE must be from 1m to 1d"),
    ],
)
def test_settings(variable, text, said):
    """
    Both are intervals from a minute to a day.
    """
    with pytest.raises(ConfigurationError, match=said):
        SyncConfig.from_env({variable: text})
    assert SyncConfig.from_env({"CONEXXUS_PUSH_EVERY": "off"}).push_every is None
