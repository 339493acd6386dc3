"""
Facts about what operators settle, many at once or for good, and its record.
"""

from datetime import date, timedelta
from decimal import Decimal

import attrs
import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.errors import RunInProgressError


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
DAYS = [DAY + timedelta(days=number) for number in range(3)]


def operator(till):
    return till.operator()


def actions(till, name):
    found = till.peek.outbox_maintenance.history(name).actions

    return [(one.action, one.reason) for one in found]


@pytest.fixture
def parked(new_till):
    """
    Three dates, each with a batch of two sales that is parked.
    """
    till = new_till(profile=ApiProfile(dedupe="none"), office=BackOffice(dedupe="none"))
    till.wait(days=2)
    for day in DAYS:
        till.orders.add(till.sale(f"a{day}"), till.sale(f"b{day}"), day=day)
    till.office.faults("sales: 503*3")
    till.push()
    assert len(till.peek.outbox.parked()) == 3

    return till


@pytest.mark.case(
    "C12",
    "After an outage, the batches of several dates are parked",
    "one command settles all of them, or those of one date, with a record of it",
)
@pytest.mark.parametrize("only", [None, DAYS[1]])
def test_all_are_resolved(parked, only):
    """
    What many have in common is said once.
    """
    days = DAYS if only is None else [only]

    settled = operator(parked).resolve_all(only, delivered=False, reason="down")
    parked.push()

    assert [batch.business_date for batch in settled] == days
    assert parked.effective() == [name for day in days for name in (f"a{day}", f"b{day}")]
    assert len(parked.peek.outbox.parked()) == 3 - len(days)
    assert actions(parked, f"a{days[0]}") == [("resolved as not delivered", "down")]


def test_resending_all_passes_over_what_could_be_doubled(parked, new_till):
    """
    Of many, those that could be doubled stay parked unless it is forced.
    """
    assert operator(parked).resend_all() == []
    assert len(operator(parked).resend_all(force=True)) == 3
    assert actions(parked, f"a{DAY}") == [("sent again by force", None)]

    disputed = new_till()
    disputed.orders.add(disputed.sale("t1"))
    body = '{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}'
    disputed.office.faults(f'sales: 200(body="{body}")')
    disputed.push()

    assert len(operator(disputed).resend_all()) == 1
    disputed.push()
    assert disputed.effective() == ["t1"]


@pytest.mark.parametrize(
    ("delivered", "answer", "action"),
    [
        (True, "delivered, says an operator", "resolved as delivered"),
        (False, "not delivered, says an operator", "resolved as not delivered"),
    ],
)
@pytest.mark.parametrize("is_one", [True, False])
def test_record_of_what_was_resolved(parked, delivered, answer, action, is_one):
    """
    The batch says who settled it, and the record says how and why.
    """
    (batch,) = (one for one in parked.peek.outbox.parked() if one.business_date == DAYS[1])
    parked.wait(minutes=5)
    clerk, said = operator(parked), {"delivered": delivered, "reason": "asked them"}

    if is_one:
        settled = clerk.resolve(batch.key, **said)
    else:
        (settled,) = clerk.resolve_all(DAYS[1], **said)

    assert settled.answer == answer
    (record,) = parked.peek.outbox_maintenance.history(f"a{DAYS[1]}").actions
    assert (record.action, record.reason) == (action, "asked them")
    assert (record.subject, record.business_date) == (batch.key, DAYS[1])
    assert record.at == parked.clock.now()


@pytest.mark.parametrize("is_one", [True, False])
def test_record_of_what_is_sent_again(parked, is_one):
    """
    What could be doubled is sent again by force, and the record says so.
    """
    (batch,) = (one for one in parked.peek.outbox.parked() if one.business_date == DAYS[1])
    clerk, said = operator(parked), {"force": True, "reason": "it was down"}

    if is_one:
        assert clerk.resend(batch.key, **said).key == batch.key
    else:
        assert [one.key for one in clerk.resend_all(DAYS[1], **said)] == [batch.key]

    assert actions(parked, f"a{DAYS[1]}") == [("sent again by force", "it was down")]
    assert actions(parked, f"a{DAYS[0]}") == []
    assert len(parked.peek.outbox.parked()) == 2


def test_record_of_what_can_not_be_doubled(till):
    """
    A batch that the back office recognises is sent again without force.
    """
    till.orders.add(till.sale("t1"))
    body = '{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}'
    till.office.faults(f'sales: 200(body="{body}")')
    till.push()
    (batch,) = till.peek.outbox.parked()

    operator(till).resend(batch.key, reason="they found it")

    assert actions(till, "t1") == [("sent again", "they found it")]


def test_record_of_what_was_replayed(till):
    """
    The record of one that is let out of quarantine has its reason and its date.
    """
    till.office.reject = {"t1"}
    till.orders.add(till.sale("t1"))
    till.push()

    assert operator(till).replay(DAY, "t1", reason="the item exists now")

    (record,) = till.peek.outbox_maintenance.history("t1").actions
    assert (record.action, record.reason) == ("replayed", "the item exists now")
    assert (record.subject, record.business_date) == ("t1", DAY)


@pytest.mark.case(
    "C9",
    "Sales of several dates were set aside",
    "one command lets all of them go, or those of one date",
)
@pytest.mark.parametrize("only", [None, DAYS[1]])
def test_all_are_replayed(till, only):
    """
    What was set aside comes back at once; what was dismissed does not.
    """
    till.wait(days=2)
    for day in DAYS:
        till.orders.add(till.sale(f"t{day}"), till.sale(f"no{day}"), day=day)
    till.office.reject = lambda _: True
    till.push()
    for day in DAYS:
        operator(till).dismiss(day, f"no{day}")
    till.office.reject = ()
    days = DAYS if only is None else [only]

    replayed = operator(till).replay_all(only, reason="items exist now")
    till.push()

    assert sorted(sale.business_date for sale in replayed) == days
    assert till.effective() == [f"t{day}" for day in days]
    assert actions(till, f"t{days[0]}") == [("replayed", "items exist now")]


@pytest.mark.case(
    "C19",
    "A refused sale is not wanted any more",
    "it is dismissed: not sent, not counted, and on record",
)
def test_dismissed(till):
    """
    A dismissed sale stays where it is, also when the host tells it otherwise.
    """
    till.office.reject = {"bad"}
    till.orders.add(till.sale("bad"), till.sale("t1"))
    till.push()

    assert operator(till).dismiss(DAY, "bad", reason="a test")
    assert not operator(till).dismiss(DAY, "bad")
    till.office.reject = ()
    till.orders.by_date[DAY] = [till.sale("bad", "9.99"), till.sale("t1")]
    till.push(DAY)

    quarantine = till.peek.sales_quarantine
    assert till.effective() == ["t1"]
    assert (till.quarantined(), quarantine.size(), quarantine.size(DAY)) == (
        {},
        0,
        0,
    )
    assert till.peek.outbox.date_totals(DAY)[0].quarantined == 0
    assert actions(till, "bad") == [("dismissed", "a test")]

    assert operator(till).replay(DAY, "bad")
    till.push(DAY)
    assert till.effective() == ["t1", "bad"]


@pytest.mark.case(
    "C19",
    "A delivered sale was changed or removed at the till, and that is known",
    "the discrepancy is accepted, and comes back only with another change",
)
@pytest.mark.parametrize("told", ["2.00", None])
def test_accepted_discrepancy(till, told):
    """
    What is accepted is that change, not every change.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.push()
    till.orders.by_date[DAY] = [till.sale("t2")] + ([till.sale("t1", told)] if told else [])
    till.push(DAY)
    quarantine = till.peek.sales_quarantine
    assert quarantine.discrepancy_count() == 1

    assert operator(till).accept_discrepancy("t1", reason="known") == [DAY]
    assert operator(till).accept_discrepancy("t1") == []
    till.push(DAY)

    assert (quarantine.discrepancy_count(), quarantine.discrepancies()) == (0, [])
    assert till.peek.outbox.date_totals(DAY)[0].discrepancies == 0
    assert actions(till, "t1") == [("discrepancy accepted", "known")]

    till.orders.by_date[DAY] = [till.sale("t2"), till.sale("t1", "3.00")]
    till.push(DAY)
    assert quarantine.discrepancy_count() == 1


def test_actions_wait_for_pushes(parked):
    """
    While a push is at work, nothing is settled, and nothing is on record.
    """
    parked.store.leases.acquire("sales", "run-1", parked.clock.now())
    clerk = operator(parked)

    for work in (
        lambda: clerk.resolve_all(delivered=True),
        clerk.resend_all,
        clerk.replay_all,
        lambda: clerk.dismiss(DAY, "x"),
        lambda: clerk.accept_discrepancy("x"),
    ):
        with pytest.raises(RunInProgressError):
            work()

    assert actions(parked, f"a{DAY}") == []


@pytest.mark.case(
    "C19",
    "a sale was dismissed, another register's sale of its number is set aside, all are replayed",
    "the dismissed one stays where it is",
)
def test_replaying_all_leaves_what_was_dismissed(till):
    """
    Two sales under one number are two sales to the operator as well.
    """
    till.office.reject = {"a"}
    till.orders.add(till.sale("a"), till.sale("z"))
    till.push()
    operator(till).dismiss(DAY, "a", reason="fraud")
    second = till.sale("a", "9.00")
    till.orders.add(attrs.evolve(second, timestamp=second.timestamp + timedelta(hours=2)))
    till.push(DAY)
    till.office.reject = ()

    operator(till).replay_all()
    till.push(DAY)

    assert sorted(str(one.total) for one in till.office.ledger.sales(LOCATION)) == ["1.50", "9.00"]
    assert till.effective() == ["z", "a"]


@pytest.mark.case(
    "C19",
    "a dismissed sale is gone at the till, and another register sells under its number",
    "the other is a sale of its own, and is sent",
)
def test_dismissed_sale_stands_for_no_other(till):
    """
    What was settled for good is matched by its own second alone.
    """
    till.office.reject = {"a"}
    till.orders.add(till.sale("a"), till.sale("z"))
    till.push()
    operator(till).dismiss(DAY, "a")
    till.office.reject = ()
    other = till.sale("a", "9.00")
    till.orders.by_date[DAY] = [
        till.sale("z"),
        attrs.evolve(other, timestamp=other.timestamp + timedelta(hours=2)),
    ]

    till.push(DAY)

    assert till.effective() == ["z", "a"]


@pytest.mark.parametrize("on_changed", ["report", "resend"])
@pytest.mark.parametrize("told", ["2.00", None])
def test_accepted_discrepancy_is_not_taken_back(till, told, on_changed):
    """
    The back office corrected its copy of what was accepted by hand: a void of
    what was sent would count the correction twice.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"), till.sale("t3"))
    till.push()
    accepted = [till.sale("t1", told)] if told else []
    till.orders.by_date[DAY] = [till.sale("t2"), till.sale("t3"), *accepted]
    till.push(DAY)
    operator(till).accept_discrepancy("t1")
    till.options = {"on_changed": on_changed}

    till.orders.by_date[DAY] = [till.sale("t2", "5.00"), till.sale("t3"), *accepted]
    till.push(DAY, accept_changes=on_changed == "report")

    assert till.effective() == ["t1", "t2", "t3", "t2:void:1", "t2:rev:1"]
    assert till.peek.sales_quarantine.discrepancy_count() == 0
    # The till's own: what is gone there stays what was delivered.
    assert till.peek.outbox.date_totals(DAY)[0].total == Decimal("8.50" if told else "8.00")

    till.orders.by_date[DAY] = [till.sale("t2", "5.00"), till.sale("t3"), till.sale("t1", "3.00")]
    till.push(DAY, accept_changes=True)

    assert len(till.effective()) == 5
    assert till.peek.sales_quarantine.discrepancy_count() == 1


@pytest.mark.parametrize("told", ["2.00", None])
def test_accepted_discrepancy_of_a_replaced_day(new_till, told):
    """
    A day that is replaced has the accepted sale as it is at the till.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.push()
    accepted = [till.sale("t1", told)] if told else []
    till.orders.by_date[DAY] = [till.sale("t2"), *accepted]
    till.push(DAY)
    operator(till).accept_discrepancy("t1")

    till.orders.add(till.sale("t3"), day=DAY)
    till.push(DAY)

    assert till.office.ledger.total() == sum(sale.total for sale in till.orders.by_date[DAY])
    assert till.peek.sales_quarantine.discrepancy_count() == 0
