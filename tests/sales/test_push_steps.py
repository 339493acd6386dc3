"""
Facts about the steps of a push: their order and names, and what a run says of each.
"""

from datetime import date, timedelta

import attrs
import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.errors import StoreError
from conexxus_sync.model.order_records import OrderRemark
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.runtime.run_logging import RunFilter
from conexxus_sync.sales import BatchLimits
from conexxus_sync.stores import LocationStore


DAY = date(2026, 1, 2)
SENDS = ["sending", "sent", "settled"]


class Reader:
    """
    A collector that keeps the runs it is told of.
    """

    def __init__(self):
        self.runs = []

    def run_started(self, run):
        self.runs.append(run)

    run_finished = run_started


def steps_of(till, **options):
    steps = []
    till.engine(failpoint=steps.append, **options).push(DAY)

    return steps


def die_at(step, error=KeyboardInterrupt):
    def die(at):
        if at == step:
            raise error

    return die


def test_order_of_steps(new_till):
    """
    A push reads, freezes, and then sends one batch after the other.
    """
    till = new_till(limits=BatchLimits(transactions=1))
    till.orders.add(till.sale("t1"), till.sale("t2"))

    assert steps_of(till) == ["leased", "read", "frozen", *SENDS, *SENDS, "visited"]
    assert steps_of(till) == ["leased", "read", "frozen", "visited"]
    assert steps_of(till) == ["leased", "visited"]


def test_order_of_steps_of_a_correction(till):
    """
    What changed is taken back, then all is read again, frozen and sent.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.by_date[DAY] = [till.sale("t1", "2")]

    till.wait(minutes=10)
    steps = steps_of(till, on_changed="resend")

    assert steps == ["leased", "read", "frozen", *SENDS, "frozen", *SENDS, "visited"]
    assert till.peek.sales_dates.visit(DAY).at == till.clock.now()


def test_order_of_steps_of_a_look(till, monkeypatch):
    """
    A look reads, freezes what has settled, and sends it.
    """
    till.config = attrs.evolve(till.config, push_every=timedelta(minutes=15))
    till.clock.set(till.clock.now() - timedelta(days=1, hours=12))
    till.engine().push()
    till.wait(days=1)
    till.orders.add(till.sale("t1"))
    steps = []
    engine = till.engine(failpoint=steps.append)

    writes, write = [], LocationStore.write
    monkeypatch.setattr(
        LocationStore, "write", lambda *given, **more: writes.append(0) or write(*given, **more)
    )

    for sends in ([], SENDS, []):
        steps.clear()
        writes.clear()
        engine.push()
        assert steps[-3 - len(sends) :] == ["read", "frozen", *sends, "visited"]
        assert engine.retry_at is None
        # The look, what is staged of it, and two more for each batch.
        assert len(writes) == 2 + 2 * bool(sends)
        till.wait(minutes=15)


@pytest.mark.parametrize("dedupe", ["key", "none"])
def test_what_a_parked_batch_says(new_till, dedupe):
    """
    A batch that is parked keeps the last answer, or that there was none.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe), office=BackOffice(dedupe=dedupe))
    till.orders.add(till.sale("t1"))
    if dedupe == "none":
        with pytest.raises(KeyboardInterrupt):
            till.engine(failpoint=die_at("sending")).push(DAY)
        said = "no answer came back"
    else:
        till.office.faults("sales: 500")
        till.push()
        said = till.open_batches()[0].answer
        assert "500" in said
        till.wait(hours=25)

    (run,) = till.push(DAY)

    (batch,) = till.open_batches()
    assert batch.parked is not None
    assert batch.answer == said
    assert run.last_error.endswith(f"Last answer: {said}")


def test_what_a_hopeless_push_says(till):
    """
    Where all is refused, the run says how many were, and what was answered.
    """
    till.orders.add(*(till.sale(f"t{number}") for number in range(12)))
    till.office.reject, till.office.reject_mode = (lambda _: True), "batch"

    (run,) = till.push()

    assert run.last_error.startswith("the back office refused 12 transactions in a row")
    assert run.last_error.endswith("(422): 12 transactions were refused.")
    assert run.status is RunStatus.FAILED


def test_a_look_that_fails_waits_for_the_next(till):
    """
    What is pushed during the day has its own rhythm: a failure without a wait
    that was asked for does not change it.
    """
    till.config = attrs.evolve(till.config, push_every=timedelta(minutes=15))
    till.clock.set(till.clock.now() - timedelta(days=1, hours=12))
    till.engine().push()
    till.wait(days=1)
    till.orders.add(till.sale("t1"))
    for _ in range(2):
        till.wait(minutes=15)
        till.engine().push()
    till.orders.add(till.sale("t2"))
    engine = till.engine()
    till.office.faults("sales: 500, 429(retry_after=3000)")

    for waits in (False, False, True):
        till.wait(minutes=30)
        engine.push()
        assert (engine.retry_at is not None) is waits


def test_sends_while_the_back_office_is_down(new_till):
    """
    After three batches of unknown fate in a row, and one more, a date is left for
    later; the next date is left after one, and one more.
    """
    till = new_till(limits=BatchLimits(transactions=1))
    for day in (DAY, DAY + timedelta(days=1)):
        till.orders.add(*(till.sale(f"{day:%d}-{number}") for number in range(9)), day=day)
    till.wait(days=1)
    till.office.faults("sales: reset*forever")

    till.push()

    tried = [batch.business_date for batch in till.peek.outbox.batches() if batch.attempts]
    assert (tried.count(DAY), tried.count(DAY + timedelta(days=1))) == (4, 2)


def test_what_the_client_is_given(till):
    """
    A batch says of which date and location it is, and has the key that is stored.
    """
    given, client = [], till.client()
    push = client.push_sales
    client.push_sales = lambda batch, **options: (
        given.append((batch.date, batch.location_id, options)) or push(batch, **options)
    )
    till.orders.add(till.sale("t1"))

    till.engine(client=client).push(DAY)

    (batch,) = till.peek.outbox.batches()
    assert batch.answer == "accepted 1 of 1 transaction"
    options = {"idempotency_key": batch.key, "repeat_within": None}
    assert given == [(DAY, "loc-001", options)]


def test_died_while_repeating(till):
    """
    Who died while sending for the second time has sent first when it did: this
    computer knows how old the key is.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: reset*2")
    till.push()
    till.wait(hours=20)
    with pytest.raises(KeyboardInterrupt):
        till.engine(failpoint=die_at("sent")).push(DAY)

    till.wait(hours=3)
    till.push()

    assert till.effective() == ["t1"]
    assert till.office.requests["health"] == 0
    assert till.peek.outbox.batches()[0].sent_at == till.clock.now()


@pytest.mark.parametrize(
    ("ttl", "leaves"),
    [
        (timedelta(hours=24), timedelta(seconds=150)),
        (timedelta(minutes=50), timedelta(seconds=150)),
        (timedelta(minutes=40), timedelta(seconds=120)),
    ],
)
@pytest.mark.parametrize("more", [0, 1])
def test_stood_still_before_sending(new_till, ttl, leaves, more):
    """
    What stood still for longer than half of the tolerance, or of a tenth of
    the key's time, sends nothing, and decides anew.
    """
    till = new_till(profile=ApiProfile(key_ttl=ttl))
    till.orders.add(till.sale("t1"))

    def stand_still(at):
        if at == "sending":
            till.wait(seconds=leaves.total_seconds() + more)

    (run,) = till.engine(failpoint=stand_still).push(DAY)

    assert till.effective() == ([] if more else ["t1"])
    if more:
        (batch,) = till.open_batches()
        assert batch.answer == (
            "This computer or process stood still before the batch was sent: nothing was sent. "
            "The next push decides anew."
        )
        assert (batch.state, run.delivery_unknown) == ("pending", False)


def test_a_host_that_fails_is_in_the_log(till, caplog):
    """
    The log has what the host raised, with its traceback, and which run it was.
    """
    told = RunFilter()
    caplog.handler.addFilter(told)
    till.orders.add(till.sale("t1"))
    till.orders.broken.add(DAY)

    (run,) = till.push()
    caplog.handler.removeFilter(told)

    (record,) = (one for one in caplog.records if one.levelname == "ERROR")
    assert record.message.startswith("Conexxus sales: the order source failed for")
    assert "the order table is locked" in record.message
    assert record.exc_info[0] is RuntimeError
    assert (record.run, record.location) == (run.id, "loc-001")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "unexpected KeyError"),
        (StoreError("the disk is full"), "the disk is full"),
    ],
)
@pytest.mark.parametrize("step", ["frozen", "sending", "sent"])
def test_a_push_that_breaks_off_is_told(till, error, said, step):
    """
    The collectors are told of a run that can't be recorded, and why.
    """
    reader = Reader()
    till.orders.add(till.sale("t1"), {"id": "t2"})

    with pytest.raises(type(error)):
        till.engine(failpoint=die_at(step, error), observer=reader).push(DAY)

    started, finished = reader.runs
    assert (started.id, finished.last_error) == (finished.id, said)
    assert finished.end_time == till.clock.now()


def test_remarks_on_a_date_without_news(till):
    """
    What the order source remarks is in a run, though no sale is new; and
    though there is none.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    assert till.push(DAY) == []
    till.orders.by_date[DAY].append(OrderRemark(text="two receipts were void"))
    till.orders.by_date[DAY - timedelta(days=1)] = [OrderRemark(text="the shop was closed")]

    (run,) = till.push(DAY)
    assert [issue.error for issue in run.errors] == ["two receipts were void"]

    (run,) = till.push(DAY - timedelta(days=1))
    assert [issue.error for issue in run.errors] == ["the shop was closed"]


def test_a_date_without_news_stays_known(till):
    """
    What a comparison proved is kept by a push that finds it as it was.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    till.push(DAY)
    proven = till.peek.sales_dates.fingerprint(DAY)
    assert proven is not None

    till.push(DAY)

    assert till.peek.sales_dates.fingerprint(DAY) == proven


def test_what_became_of_a_sale_waits_for_its_void(new_till):
    """
    As long as an operator has to say whether a sale was taken back, what it
    became does not go.
    """
    till = new_till(profile=ApiProfile(dedupe="none"), office=BackOffice(dedupe="none"))
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.by_date[DAY] = [till.sale("t1", "2")]
    till.office.faults("sales: after_commit(reset)")

    (run,) = till.push(DAY)

    assert till.effective() == ["t1", "t1:void:1"]
    assert run.status is RunStatus.FAILED
    assert "is parked" in run.last_error
    (void,) = till.open_batches()
    till.operator().resolve(void.key, delivered=True)
    till.push()
    assert till.effective() == ["t1", "t1:void:1", "t1:rev:1"]


def test_a_till_that_changes_its_mind(till):
    """
    What is something else when it is asked once more goes with the next push.
    """
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.push()
    told = [[till.sale("t1", "2"), till.sale("t2")], [till.sale("t1", "2"), till.sale("t2", "3")]]

    class Fickle:
        def transactions(self, location_id, business_date):
            yield from told.pop(0)

    (run,) = till.engine(orders=Fickle()).push(DAY)

    assert run.last_error == "what changed is taken back; what it became goes with the next push"
    assert till.effective() == ["t1", "t2", "t1:void:1", "t2:void:1"]


def test_nothing_is_proven_of_a_date_with_an_unusable_sale(till):
    """
    A date with a sale that can't be sent is looked into each time.
    """
    till.orders.add(till.sale("t1"), {"id": "t2"})
    till.push()
    till.push(DAY)

    assert till.peek.sales_dates.fingerprint(DAY) is None
