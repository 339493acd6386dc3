"""
Facts about what an operator may do, and about what is forgotten in time.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from databases import forget

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.testing import BackOffice
from conexxus_sync.errors import DateClosedError, HostError, RunInProgressError
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import BatchState, OutboxError
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
ONE = timedelta(days=1)


def operator(till):
    return till.operator()


def parked(till):
    """
    A batch of unknown fate that is not repeated by itself.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.office.faults("sales: after_commit(reset)" if till.arrives else "sales: reset")
    till.push()
    (batch,) = till.open_batches()
    assert batch.parked

    return batch


@pytest.fixture(params=[True, False], ids=["it arrived", "it did not"])
def till(new_till, request):
    """
    A back office that recognises no repetition.
    """
    till = new_till(profile=ApiProfile(dedupe="none"), office=BackOffice(dedupe="none"))
    till.arrives = request.param
    return till


def test_resolved(till):
    """
    An operator who has asked settles the batch: what is there is marked,
    what is not goes in a new batch under another key.  Nothing is lost or
    doubled, and nothing else is needed.
    """
    batch = parked(till)

    resolved = operator(till).resolve(batch.key[:20], delivered=till.arrives)
    till.push()

    assert till.effective() == ["t1", "t2"]
    assert till.open_batches() == []
    assert resolved.state is (BatchState.DELIVERED if till.arrives else BatchState.RESOLVED)
    assert "operator" in resolved.answer
    keys = {push.key for push in till.office.ledger.pushes}
    assert (batch.key in keys) is till.arrives
    with pytest.raises(OutboxError, match="its fate is known"):
        operator(till).resolve(batch.key, delivered=True)


def test_resend_is_refused_where_it_could_double(till):
    """
    A batch that could be doubled is sent again only if the operator insists,
    and then once.
    """
    batch = parked(till)

    with pytest.raises(OutboxError, match="could be doubled"):
        operator(till).resend(batch.key)
    assert till.push() == []

    operator(till).resend(batch.key, force=True)
    till.office.faults("sales: reset")
    till.push()
    (again,) = till.open_batches()
    assert (again.parked is not None, again.forced, again.attempts) == (True, False, 2)
    assert till.push() == []

    operator(till).resend(batch.key, force=True)
    (run,) = till.push()
    assert run.status is RunStatus.SUCCESS
    assert till.office.ledger.pushes[-1].key == batch.key


def test_operators_wait_for_pushes(till):
    """
    While a push is at work, an operator is told so.
    """
    batch = parked(till)
    till.store.leases.acquire("sales", "run-1", till.clock.now())

    with pytest.raises(RunInProgressError):
        operator(till).resolve(batch.key, delivered=True)


def test_resend_where_it_is_recognised(new_till):
    """
    A disputed batch is sent again under its key where that is recognised,
    until the key is forgotten.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    body = '{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}'
    till.office.faults(f'sales: 200(body="{body}"), 200(body="{body}")')
    till.push()
    (batch,) = till.open_batches()

    operator(till).resend(batch.key)
    till.push()
    till.wait(hours=25)

    with pytest.raises(OutboxError, match="24 hours"):
        operator(till).resend(batch.key)


def test_names_of_batches(new_till):
    """
    A batch is named by its key or by how that begins, if that is enough.
    """
    till = new_till()
    till.orders.add(till.sale("t1"), day=DAY)
    till.orders.add(till.sale("t0"), day=DAY - ONE)
    till.push()

    assert operator(till).find("20260102").business_date == DAY
    with pytest.raises(OutboxError) as caught:
        operator(till).find("2026010")
    assert str(caught.value).startswith("several batches have keys that begin with 2026010: see")
    with pytest.raises(OutboxError) as caught:
        operator(till).find("2027")
    assert str(caught.value) == "no batch has the key 2027: see `conexxus outbox list`"


def test_replay(new_till):
    """
    A transaction that is let out of quarantine is looked at anew.
    """
    till = new_till(office=BackOffice(reject={"bad"}))
    till.orders.add(till.sale("bad"))
    till.push()
    till.office.reject = ()

    assert operator(till).replay(DAY, "bad")
    assert not operator(till).replay(DAY, "bad")
    till.push()

    assert till.effective() == ["bad"]


def sold(till, days):
    for day in days:
        till.orders.add(till.sale(f"t{day}"), day=day)


def test_adopted(new_till):
    """
    What the host has up to a date was delivered by something else: nothing
    of it is sent; what comes later is.
    """
    till = new_till()
    till.clock.advance_to(datetime(2026, 1, 4, 12, tzinfo=UTC))
    days = [DAY + n * ONE for n in range(-30, 2)]
    sold(till, days)

    adopted = till.engine().adopt(DAY)

    assert (adopted.first, adopted.through, adopted.transactions) == (DAY - 7 * ONE, DAY, 8)
    assert till.office.requests["sales"] == 0
    till.engine().push()
    assert till.effective() == [f"t{DAY + ONE}"]

    till.orders.add(till.sale("late"), day=DAY)
    till.engine().push(DAY)
    assert till.effective(DAY) == ["late"]


def test_batches_that_are_adopted(new_till):
    """
    How many batches waited is told, over all dates, with those before them.
    """
    till = new_till(limits=BatchLimits(transactions=1))
    days = [DAY - 20 * ONE, DAY - 3 * ONE, DAY]
    for day in days:
        till.orders.add(till.sale(f"a{day}"), till.sale(f"b{day}"), day=day)
        till.office.faults("sales: refuse")
        till.push(day)
    assert len(till.open_batches()) == 6

    assert till.engine().adopt(DAY).batches == 6
    assert till.open_batches() == []
    assert till.engine().adopt(DAY).batches == 0


def test_what_was_settled_is_in_the_log(new_till, caplog):
    """
    The log has what an operator did, to what, and why.
    """
    till = new_till(office=BackOffice(reject={"bad"}))
    till.orders.add(till.sale("bad"))
    till.push()
    caplog.set_level("INFO", "conexxus_sync.sales")
    caplog.clear()

    operator(till).dismiss(DAY, "bad", reason="a test")

    (record,) = caplog.records
    assert record.message == "Conexxus sales were settled by an operator"
    assert (record.action, record.subject) == ("dismissed", "bad")
    assert (record.business_date, record.reason) == ("2026-01-02", "a test")


@pytest.mark.fault(
    "S12", "The store is lost, and adopts what was delivered", "no sale is pushed a second time"
)
def test_adopted_on_a_lost_store(new_till):
    """
    A store that was lost and adopts what was delivered doubles nothing.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    till.push()
    forget(till.store)

    till.engine().adopt(DAY)
    till.engine().push(DAY)
    till.push()

    assert till.office.requests["sales"] == 1


def test_a_replaced_day_that_is_adopted(new_till):
    """
    A whole day that waits replaces what was delivered of it before.
    """
    mode = {"sales_mode": "replace_day"}
    till = new_till(profile=ApiProfile(**mode), office=BackOffice(**mode))
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.by_date[DAY] = [till.sale("t2")]
    till.office.faults("sales: refuse")
    till.push(DAY, accept_changes=True)

    assert till.engine().adopt(DAY).batches == 1

    story = till.peek.outbox_maintenance.history
    assert story("t1").delivered == ()
    assert len(story("t2").delivered) == 1


def test_adopted_twice(new_till):
    """
    To adopt again changes nothing; a batch that waits is adopted, too.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push()
    till.orders.add(till.sale("t2"))

    assert till.engine().adopt(DAY).transactions == 1
    assert till.engine().adopt(DAY).transactions == 0
    till.push()

    assert till.states() == ["delivered"]
    assert till.effective() == []


def test_closed_by_adopting(new_till):
    """
    Dates before the lookback are closed, to `--since`, too.
    """
    till = new_till()
    till.engine().adopt(DAY)
    sold(till, [DAY - 8 * ONE])

    with pytest.raises(DateClosedError, match="2025-12-25 is closed to push"):
        till.push(DAY - 8 * ONE)
    assert till.push(since=DAY - 30 * ONE) == []


def test_closed_by_adopting_before(new_till):
    """
    To adopt up to an earlier date opens nothing again: dates between both were
    not read, and are not sent.
    """
    till = new_till()
    till.clock.advance_to(datetime(2026, 1, 20, 12, tzinfo=UTC))
    till.engine().adopt(DAY + 15 * ONE)
    till.engine().adopt(DAY + 5 * ONE)
    sold(till, [DAY + 6 * ONE])

    with pytest.raises(DateClosedError, match="2026-01-08 is closed to push"):
        till.push(DAY + 6 * ONE)
    assert till.push(since=DAY - 30 * ONE) == []


def test_sold_while_it_was_adopted(new_till):
    """
    What came after the host was asked is found by the next look that falls due.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    till.wait(minutes=44)

    class Slow:
        def transactions(self, location_id, business_date):
            yield from till.orders.transactions(location_id, business_date)
            if business_date == DAY:
                till.wait(minutes=1)

    till.engine(orders=Slow()).adopt(DAY)
    till.orders.add(till.sale("t2"))
    till.push()

    assert till.effective() == ["t2"]


def test_gone_since_it_was_adopted(new_till):
    """
    A date of which nothing but adopted sales are known is compared, though the
    host returns none of them.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    till.engine().adopt(DAY)
    till.orders.remove("t1")

    (run,) = till.push(DAY)

    assert [issue.item for issue in run.errors] == ["t1"]


def test_a_host_that_fails_while_it_is_adopted(new_till):
    """
    If the host fails, no date is closed, and it can be done again.
    """
    till = new_till()
    sold(till, [DAY - ONE, DAY])
    till.orders.broken = {DAY}

    with pytest.raises(HostError):
        till.engine().adopt(DAY)
    till.orders.broken = set()

    assert till.engine().adopt(DAY).transactions == 1
    assert till.push() == []


def test_a_date_to_come(new_till):
    """
    What is yet to be sold can't be adopted.
    """
    with pytest.raises(ConfigurationError, match="yet to come"):
        new_till().engine().adopt(DAY + ONE)


def test_forgotten(new_till):
    """
    Bytes are kept for 30 days, ids for 400; then the date is closed.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    till.push()
    key = till.peek.outbox.batches()[0].key

    def later(days):
        day = DAY + days * ONE
        till.clock.advance_to(datetime(2026, 1, 2, 23, 50, tzinfo=UTC) + days * ONE)
        till.orders.add(till.sale(f"t{days}"), day=day)
        till.push(day)
        with till.store.read() as state:
            (size,) = state.session.execute(
                "SELECT length(body) FROM batches WHERE key = ?", (key,)
            ).fetchone() or ("gone",)
        return size

    assert later(29) > 100
    assert later(31) is None
    assert till.push(DAY) == []
    assert later(399) is None
    assert later(402) == "gone"
    with pytest.raises(DateClosedError, match="no longer remembered"):
        till.push(DAY)
    assert till.office.ledger.doubled() == []


def test_a_clock_that_is_years_ahead_forgets_nothing(new_till):
    """
    Sales have dates of their own: a clock that is years ahead does not make
    us forget what was sold today, not even if it goes on like that.
    """
    till = new_till()
    till.orders.add(till.sale("t1"))
    till.push()
    later = DAY + 2_000 * ONE
    till.orders.broken = {later}

    till.wait(days=2_000)
    till.push(later)
    till.wait(hours=25)
    till.push(later)

    with till.store.read() as state:
        assert state.runs.is_safe_to_purge(till.clock.now())
        assert state.session.execute("SELECT count(*) FROM delivered").fetchone() == (1,)
        assert state.session.execute("SELECT body IS NULL FROM batches").fetchone() == (0,)


def test_story(new_till):
    """
    Of a transaction it is known in which batches it was, under which keys,
    how often they were sent, and what was answered.
    """
    till = new_till(office=BackOffice(reject={"bad": "No such SKU"}, reject_mode="blind"))
    till.orders.add(till.sale("t1"), till.sale("bad"))
    till.push()

    story = till.peek.outbox_maintenance.history("bad")

    assert [one.batch.transactions for one in story.memberships] == [2, 1]
    assert [one.batch.state.value for one in story.memberships] == ["resolved", "rejected"]
    assert all("422" in one.batch.answer for one in story.memberships)
    assert "422" in story.quarantined[0].reason
    (delivered,) = till.peek.outbox_maintenance.history("t1").delivered
    assert till.peek.outbox.get(delivered.key).state is BatchState.DELIVERED
    assert not till.peek.outbox_maintenance.history("nobody")


def test_summary(new_till):
    """
    On request each batch says exactly what it comes to, its halves, too.
    """
    till = new_till(office=BackOffice(reject={"bad"}, reject_mode="blind"))
    till.options = {"summary": True}
    till.orders.add(
        till.sale("t1", "0.10", tax=Decimal("0.01")), till.sale("bad"), till.sale("t3", "0.2000")
    )
    till.push()

    bodies = []
    with till.store.read() as state:
        for batch in till.peek.outbox.batches([BatchState.DELIVERED]):
            bodies.append(state.outbox.body(batch).decode())
    figures = [body[body.index('"summary"') :] for body in reversed(bodies)]
    assert len(figures) == 2
    assert '"totalOrders":1,"totalRevenue":0.10,"totalTax":0.01' in figures[0]
    assert '"totalRevenue":0.2000' in figures[1]
    assert till.effective() == ["t1", "t3"]
