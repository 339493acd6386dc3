"""
Facts about delivered sales that changed, where they are corrected.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from databases import BOTH
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile, TransactionLine
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales import BatchLimits


DATABASES = BOTH
LOCATION = "loc-001"
DAY = date(2026, 1, 2)


@pytest.fixture
def till(till):
    till.options = {"on_changed": "resend"}
    return till


def tells(till, *sales):
    """
    From now on the host tells these sales of the day.
    """
    till.orders.by_date[DAY] = list(sales)


def told(till):
    return sum((sale.total for sale in till.orders.by_date.get(DAY, ())), Decimal())


def test_changed(till):
    """
    What was delivered is taken back under a name of its own, and what it
    became is sent under another; the day's total is the host's.
    """
    line = TransactionLine(sku="a", quantity=Decimal("0.50"), price=Decimal(3), amount=Decimal(1))
    sale = till.sale("t1", items=[line], tax=Decimal("0.25"), discount=Decimal(1), extra={"a": "b"})
    tells(till, sale, till.sale("t2"))
    till.push()
    tells(till, attrs.evolve(sale, total=Decimal("2.00")), till.sale("t2"))

    (run,) = till.push(DAY)

    assert till.effective() == ["t1", "t2", "t1:void:1", "t1:rev:1"]
    assert (run.status, str(run.total), run.items_succeeded) == (RunStatus.SUCCESS, "0.50", 2)
    assert "1 transaction delivered before and changed" in run.errors[0].error
    assert till.office.ledger.total() == told(till)
    with till.store.read() as state:
        (void,) = state.outbox.members(till.peek.outbox.batches()[1])
    assert b'"total":-1.50' in void.raw
    assert b'{"amount":-1,"price":3,"quantity":-0.50,"sku":"a"}' in void.raw
    assert b'"tax":-0.25' in void.raw
    assert b'"discount":-1' in void.raw
    assert till.push(DAY) == []


def test_again_and_again(till):
    """
    Each correction takes back the one before; one that goes and comes back
    is a correction, too.
    """
    for total in ("1", "2", "3"):
        tells(till, till.sale("t1", total))
        till.push(DAY)
        assert till.office.ledger.total() == told(till)

    tells(till)
    till.push(DAY, accept_changes=True)
    assert till.office.ledger.total() == 0
    assert till.push(DAY) == []
    tells(till, till.sale("t1", "3"))
    till.push(DAY)

    assert till.office.ledger.total() == 3
    assert till.effective()[-2:] == ["t1:void:3", "t1:rev:3"]
    assert till.push(DAY) == []
    story = till.peek.outbox_maintenance.history("t1")
    assert len(story.memberships) == 7
    (void,) = till.peek.outbox_maintenance.history("t1:void:2").memberships
    assert void in story.memberships


def test_void_that_is_refused(till):
    """
    What the back office does not let us take back is set aside, and what it
    became is not sent: it would count twice.
    """
    tells(till, till.sale("t1", "1"))
    till.push()
    till.office.reject = {"t1:void:1": "The day is closed"}
    tells(till, till.sale("t1", "2"))

    (run,) = till.push(DAY)

    assert till.office.ledger.total() == 1
    assert run.status is RunStatus.FAILED
    assert till.quarantined() == {"t1": "The day is closed"}
    assert till.push(DAY) == []


def test_void_that_is_refused_without_a_name(till):
    """
    It is set aside alone, and the others are taken back and sent as they are now.
    """
    names = "abcdefgh"
    tells(till, *map(till.sale, names))
    till.push()
    till.office.reject = {f"a:void:{number}" for number in range(1, 9)}
    till.office.reject_mode = "blind"
    tells(till, till.sale("a", "9"), till.sale("b", "9"), *map(till.sale, names[2:]))

    for _ in range(3):
        till.push(DAY)

    assert set(till.quarantined()) == {"a"}
    assert till.effective() == [*names, "b:void:1", "b:rev:1"]
    requests = till.office.requests["sales"]
    assert till.push(DAY) == []
    assert till.office.requests["sales"] == requests


def test_void_of_a_missing_one_that_is_refused(till):
    """
    It is not tried again and again.
    """
    tells(till, till.sale("t1", "1"), till.sale("t2"))
    till.push()
    till.office.reject = {"t1:void:1"}
    tells(till, till.sale("t2"))
    till.push(DAY)

    assert till.push(DAY) == []
    assert till.office.requests["sales"] == 2


def test_void_that_is_parked(new_till):
    """
    A void whose fate an operator has to settle is not sent again, and what
    follows from it waits.
    """
    till = new_till(profile=ApiProfile(dedupe="none"), office=BackOffice(dedupe="none"))
    till.options = {"on_changed": "resend"}
    tells(till, till.sale("t1", "1"), till.sale("t2", "1"))
    till.push()
    tells(till, till.sale("t2", "5"))
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY)

    assert till.push(DAY) == []
    (batch,) = till.open_batches()
    till.operator().resolve(batch.key, delivered=True)
    till.push(DAY)

    assert till.office.ledger.total() == 5
    assert till.effective() == ["t1", "t2", "t1:void:1", "t2:void:1", "t2:rev:1"]


@pytest.mark.parametrize("what", ["stop", "kill", "host"])
def test_ended_between_a_void_and_what_follows(till, what):
    """
    If a push ends after it took something back, its date stays due, and what
    it became is sent by the next.
    """
    tells(till, till.sale("t1", "1"))
    till.push()
    tells(till, till.sale("t1", "2"))
    settled = []

    def failpoint(step):
        if step == "settled":
            settled.append(step)
            if what == "host":
                till.orders.broken = {DAY}
            if what == "kill":
                raise KeyboardInterrupt

    engine = till.engine(failpoint=failpoint, is_stopping=lambda: what == "stop" and bool(settled))
    with suppress(KeyboardInterrupt):
        (run,) = engine.push(DAY)
        assert run.status is RunStatus.PARTIAL
    till.orders.broken = set()
    assert till.office.ledger.total() == 0

    assert till.engine().due(till.clock.now()) == [DAY]
    till.engine().push()
    assert till.office.ledger.total() == 2


@pytest.mark.parametrize("dedupe", ["key", "transaction_id"])
def test_moved_to_another_date(new_till, dedupe):
    """
    A sale that the host moves to another date is taken back on the one, and
    sent or set aside on the other, as the back office knows its ids.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe), office=BackOffice(dedupe=dedupe))
    till.options = {"on_changed": "resend"}
    sale, next_day = till.sale("t1"), date(2026, 1, 3)
    tells(till, sale)
    till.push()
    till.orders.by_date = {DAY: [], next_day: [sale]}
    till.wait(days=1)

    till.push(DAY, accept_changes=True)
    till.push(since=DAY)

    total = till.office.ledger.total(LOCATION, next_day)
    assert till.office.ledger.total(LOCATION, DAY) == 0
    assert (total, set(till.quarantined())) == (
        (Decimal("1.50"), set()) if dedupe == "key" else (0, {"t1"})
    )


def test_told_twice_on_whole_days(new_till):
    """
    A sale told for two dates is no reason to replace a day again and again.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    till.options = {"on_changed": "resend"}
    sale, next_day = till.sale("t1"), date(2026, 1, 3)
    till.orders.by_date = {DAY: [sale], next_day: [sale, till.sale("t2")]}
    till.wait(days=1)
    till.push(since=DAY)

    assert till.push(next_day) == []
    assert till.office.requests["sales"] == 2


def test_void_in_doubt(till):
    """
    Nothing follows a void whose fate is unknown, until it is known.
    """
    tells(till, till.sale("t1", "1"))
    till.push()
    tells(till, till.sale("t1", "2"))
    till.office.faults("sales: after_commit(reset)")

    (run,) = till.push(DAY)
    assert run.delivery_unknown
    assert till.effective() == ["t1", "t1:void:1"]

    till.push(DAY)
    assert till.effective() == ["t1", "t1:void:1", "t1:rev:1"]


def test_whole_days(new_till):
    """
    Where a push replaces its day, a changed sale is a reason to replace it,
    and nothing has to be taken back.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    till.options = {"on_changed": "resend"}
    tells(till, till.sale("t1", "1"), till.sale("t2"), till.sale("t3"))
    till.push()
    tells(till, till.sale("t1", "2"), till.sale("t3"))

    (run,) = till.push(DAY)

    assert till.effective(DAY) == ["t1", "t3"]
    assert till.office.ledger.total() == told(till)
    assert run.status is RunStatus.SUCCESS
    assert till.push(DAY) == []
    assert till.peek.sales_quarantine.discrepancies() == []


def test_bytes_that_are_gone(till):
    """
    What can't be taken back any more, because its bytes are forgotten or
    something else delivered it, is reported.
    """
    tells(till, till.sale("t1", "1"))
    till.engine().adopt(DAY)
    tells(till, till.sale("t1", "2"))

    (run,) = till.push(DAY)

    assert till.office.requests["sales"] == 0
    assert "changed after it was delivered" in run.last_error


def test_each_in_its_place(till, zoned):
    """
    A sale before midnight, one after it on a day that closes at two, a
    refund the next morning, a void, and a receipt number used on two days.
    """
    till.config = zoned("America/New_York", day_closes_at=datetime.min.replace(hour=2).time())
    next_day = date(2026, 1, 3)

    def at(day, hour, minute):
        return datetime(2026, 1, day, hour, minute, tzinfo=UTC)

    def push_at(moment):
        till.clock.advance_to(moment)
        till.push(since=DAY)

    first = till.sale("0001", "10.10", timestamp=at(2, 17, 0))
    void = till.sale("0002", "5.00", timestamp=at(3, 4, 45))
    late = till.sale("0003", "7.07", timestamp=at(3, 5, 10))
    line = TransactionLine(sku="WINE001", quantity=-1, price=Decimal("10.10"))
    refund = till.sale("0004", "-10.10", timestamp=at(3, 14, 0), items=[line])
    again = till.sale("0001", "3.33", timestamp=at(3, 17, 0))

    till.orders.by_date[DAY] = [first]
    push_at(at(3, 4, 30))
    till.orders.by_date[DAY] = [first, void, late]
    push_at(at(3, 7, 15))
    till.orders.by_date[DAY] = [first, late, refund]
    till.orders.by_date[next_day] = [again]
    push_at(at(4, 4, 30))

    ledger = till.office.ledger
    assert [sale.id for sale in ledger.sales(LOCATION, DAY)] == [
        *("0001", "0002", "0003", "0002:void:1", "0004"),
    ]
    assert [sale.id for sale in ledger.sales(LOCATION, next_day)] == ["0001"]
    assert ledger.total(LOCATION, DAY) == Decimal("7.07")
    assert ledger.total(LOCATION, next_day) == Decimal("3.33")


@settings(max_examples=examples(8, 15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    days=st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 3)), max_size=5),
    faults=st.lists(
        st.sampled_from(["503", "reset", "after_commit(reset)", "refuse", "409"]), max_size=5
    ),
    mode=st.sampled_from(["append", "replace_day"]),
    size=st.sampled_from([1, 100]),
)
def test_the_hosts_last_word_counts(many_tills, days, faults, mode, size):
    """
    Whatever the host changes and the network does: in the end the back
    office's total is the host's, and nothing was sent twice.
    """
    till = many_tills(
        profile=ApiProfile(sales_mode=mode),
        office=BackOffice(sales_mode=mode),
        limits=BatchLimits(transactions=size),
    )
    till.options = {"on_changed": "resend"}
    till.office.faults("sales: " + ", ".join(faults) if faults else "")

    for sold in days:
        # An empty day can't replace another: there is nothing to send.
        fixed = [till.sale("fixed")]
        tells(till, *fixed, *(till.sale(name, str(total)) for name, total in sold.items()))
        till.push(DAY)
    till.office.faults("")
    for _ in range(8):
        till.push(DAY)

    assert till.office.ledger.total() == told(till)
    assert till.office.ledger.doubled() == []
    assert till.open_batches() == []
    assert till.peek.sales_quarantine.discrepancies() == []


class Fickle:
    """
    A till that says something else from the second time on that it is asked.
    """

    def __init__(self, first, then):
        self.answers = [first, then]

    def transactions(self, location_id, business_date):
        if business_date != DAY:
            return []
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.case(
    "C3",
    "a sale changed, is taken back, and another changed when the till is asked again",
    "the date stays due until both are booked as they are",
)
def test_second_look_sees_another_change(till):
    """
    What is taken back in one push comes again, if not in this one, then in
    the next.
    """
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("a"), till.sale("b"))
    till.push()
    now = [till.sale("a", "2.00"), till.sale("b", "3.00")]
    till.orders = Fickle([till.sale("a", "2.00"), till.sale("b")], now)

    (run,) = till.push(DAY)
    assert run.status == "partial"
    assert DAY in till.engine().due(till.clock.now())

    till.push()
    assert till.office.ledger.total() == 5
    assert till.office.ledger.doubled() == []


@pytest.mark.case(
    "C3",
    "a sale is taken back, and the till answers nothing when it is asked again",
    "the date stays due: what it became is sent once the till says it",
)
def test_second_look_sees_nothing(till):
    """
    A guard that refuses the rest leaves the date unsettled.
    """
    till.options = {"on_changed": "resend"}
    sales = [till.sale(f"a{number}") for number in range(5)]
    till.orders.add(*sales)
    till.push()
    changed = [till.sale("a0", "9.00"), *sales[1:]]
    till.orders = Fickle(changed, [])

    till.push(DAY)
    assert DAY in till.engine().due(till.clock.now())

    till.orders = Fickle(changed, changed)
    till.push()
    assert till.office.ledger.total() == 15


class Leaving:
    """
    Ends the process, or says what can't be printed, when it completes a void.
    """

    def __init__(self, orders, error):
        self.orders, self.error = orders, error

    def transactions(self, location_id, business_date):
        return self.orders.transactions(location_id, business_date)

    def complete_void(self, void, sold):
        raise self.error


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize("error", [SystemExit(3), Unprintable()])
@pytest.mark.case(
    "E7",
    "`complete_void` calls `sys.exit()`, or raises what can't be printed",
    "it is an error of the host for that date; the others are pushed",
)
def test_void_that_ends_the_process(till, error):
    """
    Whatever completes a void raises costs its date alone.
    """
    till.options = {"on_changed": "resend"}
    yesterday = DAY - timedelta(days=1)
    till.orders.add(till.sale("a"), day=yesterday)
    till.push(yesterday)
    till.orders.by_date[yesterday] = [attrs.evolve(till.sale("a", "2.00"), business_date=yesterday)]
    till.orders.add(till.sale("b"))
    till.orders = Leaving(till.orders, error)

    till.push()

    assert "b" in till.effective(DAY)
