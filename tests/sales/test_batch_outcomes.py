"""
Facts about what becomes of a batch that was not simply accepted: what it is divided into, for
how long it is tried, and what the run says of it.
"""

from datetime import date, timedelta

import attrs
import pytest
from databases import in_sqlite

from conexxus_client import ApiProfile, Delivery, ServerError
from conexxus_client.testing import BackOffice
from conexxus_sync.sales import BatchLimits


DAY = date(2026, 1, 2)
ONE = BatchLimits(transactions=1)


class Judge:
    """
    A client whose back office answers each batch with what *answers* says of its first sale.
    """

    def __init__(self, till, **answers):
        self.client, self.profile = till.client(), till.profile
        self.answers, self.sent = answers, []

    def push_sales(self, batch, *, idempotency_key, repeat_within=None):
        name = next(iter(batch.transactions())).id
        self.sent.append(name)
        if name in self.answers:
            raise self.answers[name]
        return self.client.push_sales(batch, idempotency_key=idempotency_key)


def broken():
    return ServerError(status=500, path="/", delivery=Delivery.UNKNOWN)


def die_at(step):
    def die(at):
        if at == step:
            raise KeyboardInterrupt

    return die


def by_id(new_till, **more):
    same = {"dedupe": "transaction_id"}

    return new_till(profile=ApiProfile(**same), office=BackOffice(**same), **more)


def unrecognised(new_till, **more):
    same = {"dedupe": "none"}

    return new_till(profile=ApiProfile(**same), office=BackOffice(**same), **more)


def sell(till, *names):
    till.orders.add(*map(till.sale, names))


def parts(till):
    """
    The batches that a batch was divided into, in their order.
    """
    found = [batch for batch in till.peek.outbox.batches() if batch.parent is not None]

    return sorted(found, key=lambda batch: (batch.freeze, batch.first))


@pytest.mark.parametrize(("script", "tried"), [("ok", 6), ("422", 6), ("reset", 4)])
def test_patience_begins_anew(new_till, script, tried):
    """
    What is accepted, or refused, resets the count of unknown fates.
    """
    till = new_till(limits=ONE)
    sell(till, *(f"t{number}" for number in range(9)))
    till.office.faults(f"sales: reset, {script}, reset*forever")

    till.push()

    assert sum(batch.attempts for batch in till.peek.outbox.batches()) == tried


@pytest.mark.parametrize("mode", ["blind", "batch"])
def test_parts_of_a_refused_batch(new_till, mode):
    """
    Each part says which batch it was taken from.
    """
    till = new_till(office=BackOffice(reject={"b"}, reject_mode=mode))
    sell(till, "a", "b", "c", "d")

    till.push()

    (whole,) = (batch for batch in till.peek.outbox.batches() if batch.parent is None)
    assert whole.transactions == 4
    assert whole.key in {part.parent for part in parts(till)}
    keys = {batch.key for batch in till.peek.outbox.batches()}
    assert {part.parent for part in parts(till)} < keys


def test_halves_of_an_unknown_batch(new_till):
    """
    A batch that was divided because its fate stayed unknown says so.
    """
    till = by_id(new_till)
    sell(till, "a", "b")
    till.office.faults("sales: 500*3")
    for _ in range(3):
        till.push(DAY)

    (divided,) = (one for one in till.peek.outbox.batches() if one.parent is None)
    assert divided.answer.startswith("divided, as its fate stayed unknown: Conexxus API")
    assert [part.parent for part in parts(till)] == [divided.key] * 2
    assert till.effective() == ["a", "b"]


def test_a_push_that_is_stopped_after_it_divided(new_till):
    """
    The halves may have arrived already, and the run says so.
    """
    till, stop = by_id(new_till), []
    till.options = {"is_stopping": lambda: bool(stop)}
    sell(till, "a", "b")
    till.office.faults("sales: reset*forever")
    for _ in range(2):
        till.push(DAY)

    (run,) = till.engine(failpoint=lambda at: at == "settled" and stop.append(at)).push(DAY)

    assert len(parts(till)) == 2
    assert run.delivery_unknown
    assert run.last_error == "the push was stopped; what waits is delivered by the next one"


def test_what_never_left_does_not_count(new_till):
    """
    A batch is divided once its fate was unknown in three pushes, not after
    pushes that did not reach the back office.
    """
    till = by_id(new_till)
    sell(till, "a", "b")
    till.office.faults("sales: refuse*2, reset")
    for _ in range(3):
        till.push(DAY)

    (batch,) = till.open_batches()
    assert (batch.transactions, batch.unknown_pushes) == (2, 1)


def test_parts_of_a_date_that_is_never_answered(new_till):
    """
    While nothing is accepted, a date is divided into sixteen parts at most.
    """
    till = by_id(new_till, limits=BatchLimits(transactions=4))
    sell(till, *(f"t{number:02}" for number in range(64)))
    till.office.faults("sales: reset*forever")

    for _ in range(6):
        till.push(DAY)

    assert len(till.open_batches()) == 16


def test_a_push_counts_once(new_till):
    """
    A sale that is tried once more in the same push was unknown in one push.
    """
    till = by_id(new_till, limits=ONE)
    sell(till, "bad", "good")
    judge = Judge(till, bad=broken())

    till.engine(client=judge).push(DAY)

    (batch,) = till.open_batches()
    assert (judge.sent, batch.unknown_pushes) == (["bad", "good", "bad"], 1)


def test_what_is_lost_on_the_way_is_not_suspected(new_till):
    """
    Only what the back office itself answers may be about the sale.
    """
    till = by_id(new_till, limits=ONE)
    sell(till, "bad", "good")
    till.office.faults("sales: reset, ok")

    till.push(DAY)

    assert till.office.requests["sales"] == 2


def test_what_is_broken_is_not_divided_to_learn_why(new_till):
    """
    While all is answered 500, nothing is forbidden.
    """
    till = by_id(new_till)
    sell(till, "a", "b")
    till.office.faults("sales: 500*forever")

    till.push(DAY)

    assert (till.office.requests["sales"], len(till.open_batches())) == (1, 1)


@pytest.mark.parametrize("dedupe", ["transaction_id", "key"])
def test_a_poisoned_sale_is_parked_after_three_pushes(new_till, dedupe):
    """
    Where ids are recognised, a sale that three pushes did not settle, while
    others were accepted, waits for an operator.
    """
    same = {"dedupe": dedupe}
    till = new_till(profile=ApiProfile(**same), office=BackOffice(**same), limits=ONE)
    sell(till, "bad")
    judge = Judge(till, bad=broken())
    parked = []

    for number in range(4):
        sell(till, f"good{number}")
        till.engine(client=judge).push(DAY)
        (batch,) = till.open_batches()
        parked.append(batch.parked)

    why = "3 pushes did not settle it, and others were accepted meanwhile"
    assert parked == ([None, None, why, why] if dedupe == "transaction_id" else [None] * 4)


def test_what_waits_and_what_is_parked(new_till):
    """
    A run counts all that was left, whatever it waits for.
    """
    till = unrecognised(new_till, limits=BatchLimits(transactions=2))
    till.profile = attrs.evolve(till.profile, unprocessed_statuses=(503,))
    sell(till, *(f"t{number}" for number in range(9)))
    till.office.faults("sales: reset*2, 503*forever")

    (run,) = till.push(DAY)

    assert (run.items_failed, run.items_succeeded) == (9, 0)
    assert sorted(batch.parked is not None for batch in till.open_batches()) == [
        *[False] * 3,
        *[True] * 2,
    ]


def test_a_run_tells_of_its_own_unknowns(new_till):
    """
    What an earlier run left parked is not unknown to this one.
    """
    till = unrecognised(new_till)
    sell(till, "a")
    till.office.faults("sales: reset")
    (first,) = till.push(DAY)
    sell(till, "b")

    (second,) = till.push(DAY)

    assert (first.delivery_unknown, second.delivery_unknown) == (True, False)
    assert second.items_failed == 0


def test_what_an_operator_gave_up_goes_in_halves(new_till):
    """
    What was not delivered, says an operator, is frozen anew in halves that
    come from it; what is new has a batch of its own.
    """
    till = unrecognised(new_till)
    parked = given_up(till)
    sell(till, "e")

    till.push(DAY)

    halves = parts(till)
    assert [(half.parent, half.transactions) for half in halves] == [(parked.key, 2)] * 2
    others = [batch for batch in till.peek.outbox.batches() if batch.parent is None]
    (fresh,) = (batch for batch in others if batch.key != parked.key)
    assert fresh.transactions == 1
    assert sorted(till.effective()) == ["a", "b", "c", "d", "e"]


def given_up(till, names="abcd"):
    """
    A batch of sales that were not delivered, says an operator.
    """
    sell(till, *names)
    till.office.faults(f"sales: reset*{till.retries + 1}")
    till.push(DAY)
    (whole,) = till.open_batches()

    return till.operator().resolve(whole.key, delivered=False)


@pytest.mark.parametrize("step", [None, "sent"])
def test_an_operator_speaks_of_what_was_before(new_till, step):
    """
    A half that may have arrived since is sent again under its key, and not
    divided, whatever is answered then.
    """
    till = new_till()
    given_up(till)
    if step is None:
        till.office.faults("sales: after_commit(reset), ok")
        till.push(DAY)
    else:
        with pytest.raises(KeyboardInterrupt):
            till.engine(failpoint=die_at(step)).push(DAY)
    till.orders.add(till.sale("e"), day=DAY - timedelta(days=1))
    till.wait(hours=1)

    till.office.faults("sales: ok, 500, ok*forever")
    till.push()
    assert till.effective().count("a") == 1
    till.push()

    assert sorted(till.effective()) == ["a", "b", "c", "d", "e"]
    assert till.open_batches() == []


@in_sqlite
def test_what_an_operator_said_in_a_store_of_before(new_till):
    """
    An earlier version did not keep whether each attempt was answered: of a half
    that may have arrived, nothing is taken for granted.
    """
    till = new_till()
    given_up(till)
    till.office.faults("sales: after_commit(reset), refuse")
    till.push(DAY)
    with till.store.write() as state:
        state.session.execute("UPDATE batches SET released = 1")
        state.session.execute("PRAGMA user_version = 26")

    halves = {batch.state: batch.released for batch in till.open_batches()}

    assert halves == {"unknown": False, "pending": True}


def test_an_attempt_that_was_lost_within_a_call(new_till):
    """
    Each attempt of a call counts, not the last alone.
    """
    till = new_till(retries=1)
    given_up(till)
    till.orders.add(till.sale("e"), day=DAY - timedelta(days=1))

    till.office.faults("sales: ok, after_commit(reset), 500, ok*forever")
    till.push()
    till.push()

    assert sorted(till.effective()) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("dedupe", "sent", "why"),
    [("none", "acab", "others were accepted"), ("key", "acaab", "its fate stayed unknown")],
)
def test_a_half_that_is_broken_while_others_are_accepted(new_till, dedupe, sent, why):
    """
    What an operator gave up is divided once others are accepted: where nothing
    recognises a repetition, without being sent as it is once more.
    """
    same = {"dedupe": dedupe}
    till = new_till(profile=ApiProfile(**same), office=BackOffice(**same))
    whole = given_up(till)
    judge = Judge(till, a=broken())

    till.engine(client=judge).push(DAY)

    assert judge.sent == list(sent)
    assert sorted(till.effective()) == ["b", "c", "d"]
    (alone,) = till.open_batches()
    assert alone.released
    (half,) = (one for one in till.peek.outbox.batches() if one.key == alone.parent)
    assert (alone.transactions, half.parent) == (1, whole.key)
    assert half.answer.startswith(f"divided, as {why}")


def test_a_single_sale_is_not_divided(new_till):
    """
    Under a key of its own it would be sent a second time.
    """
    till = unrecognised(new_till)
    given_up(till, "ab")
    judge = Judge(till, a=broken())

    till.engine(client=judge).push(DAY)

    assert judge.sent == ["a", "b"]
    (batch,) = till.open_batches()
    assert (batch.transactions, batch.parked is not None) == (1, True)


def test_what_was_not_tried_again(new_till):
    """
    A date that is looked at again for one of its batches leaves the others to
    the next push, and says so.
    """
    till = new_till(limits=ONE)
    sell(till, "a", "b", "c")
    till.office.faults("sales: 403, reset, ok, ok")

    first, second = till.push(DAY)

    assert (first.items_succeeded, second.items_succeeded) == (1, 1)
    assert second.last_error == "1 transaction not sent yet: the next push sends what waits"
    assert (second.items_failed, second.end_time) == (1, till.clock.now())


def test_limits_hold_for_what_is_new_beside_halves(new_till):
    """
    What is new is divided as always.
    """
    till = unrecognised(new_till, limits=BatchLimits(transactions=2))
    parked = given_up(till, "ab")
    sell(till, "c", "d", "e")

    till.push(DAY)

    sizes = sorted(
        push.transactions for push in till.peek.outbox.batches() if push.key != parked.key
    )
    assert sizes == [1, 1, 1, 2]


def test_a_profile_is_kept_by_the_date_that_freezes(till):
    """
    A date of which nothing could be sent keeps no profile for the next.
    """
    till.orders.add({"id": "x"})
    sell(till, "y")
    till.orders.by_date = {
        DAY - timedelta(days=1): till.orders.by_date[DAY][:1],
        DAY: till.orders.by_date[DAY][1:],
    }

    till.push()

    assert till.effective() == ["y"]
    with till.store.read() as state:
        assert state.sales_profiles.kept() is not None
