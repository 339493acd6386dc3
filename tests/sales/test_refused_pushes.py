"""
Facts about refusals: one batch alone never proves that its content is to blame.
"""

from datetime import date, timedelta

import pytest

from conexxus_client import (
    ApiProfile,
    ConfigurationError,
    Delivery,
    PermissionDeniedError,
    ServerError,
    StatusError,
)
from conexxus_client.testing import BackOffice
from conexxus_sync.config import SyncConfig
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
BAD = {"dedupe": "transaction_id"}


class Judge:
    """
    A client whose back office dislikes some sales, by id, with an answer of its own.
    """

    def __init__(self, till, *, ids, error):
        self.client = till.client()
        self.profile = till.profile
        self.ids, self.error, self.calls = set(ids), error, 0

    def push_sales(self, batch, *, idempotency_key, repeat_within=None):
        self.calls += 1
        if self.ids & {one.id for one in batch.transactions()}:
            raise self.error()
        return self.client.push_sales(batch, idempotency_key=idempotency_key)


def broken():
    return ServerError(status=500, path="/", delivery=Delivery.UNKNOWN)


def forbidden():
    return PermissionDeniedError(status=403, path="/")


def missing():
    return StatusError(status=404, path="/")


def sell(till, count, day=DAY):
    names = [f"{day:%d}-{number:03}" for number in range(count)]
    till.orders.add(*(till.sale(name) for name in names), day=day)

    return names


def pushes(till, count, client=None):
    options = {} if client is None else {"client": client}
    for _ in range(count):
        till.engine(**options).push(since=date(2026, 1, 1), honour_past=True)
        till.wait(minutes=15)


@pytest.mark.case(
    "C9",
    "Everything is answered 400 for five hours, with 300 sales",
    "nothing is set aside, and all of them arrive without a person",
)
@pytest.mark.parametrize("mode", ["append", "replace_day"])
def test_five_hours_of_refusals(new_till, mode):
    """
    Ten refusals in a row without an acceptance say nothing about the sales.
    """
    till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    names = sell(till, 300)
    till.office.faults("sales: 400*forever")
    pushes(till, 20)
    assert till.quarantined() == {}

    till.office.faults("")
    pushes(till, 2)

    assert sorted(till.effective()) == names
    assert till.quarantined() == {}
    assert till.open_batches() == []


@pytest.mark.case(
    "C9",
    "Each date has few sales, and all of them are refused, over ten in one push",
    "the push counts them over its dates, and sets none aside",
)
def test_refusals_over_several_dates(till):
    """
    Refusals in a row are counted over a push, not over a date.
    """
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(5)]
    till.wait(days=4)
    names = [name for day in days for name in sell(till, 3, day)]
    till.office.faults("sales: 422*forever")

    pushes(till, 2)
    assert till.quarantined() == {}
    till.office.faults("")
    pushes(till, 2)

    assert sorted(till.effective()) == sorted(names)


@pytest.mark.case(
    "C9",
    "An answer accepts none of a batch, and names every sale as refused",
    "that counts as refusals in a row, and the batch waits",
)
@pytest.mark.parametrize("mode", ["listed", "batch"])
def test_all_of_a_batch_is_named(till, mode):
    """
    To be named is no better proof than to be refused.
    """
    names = sell(till, 12)
    till.office.reject, till.office.reject_mode = (lambda _: True), mode
    pushes(till, 3)
    assert till.quarantined() == {}

    till.office.reject = ()
    pushes(till, 1)

    assert sorted(till.effective()) == names


@pytest.mark.case(
    "C9",
    "The first twelve sales of a day are bad, and the others are good",
    "the twelve are set aside once another batch is accepted",
)
def test_bad_sales_in_front(till):
    """
    Bad sales in front do not hold up the others for ever.
    """
    names = sell(till, 60)
    till.office.reject, till.office.reject_mode = set(names[:12]), "blind"

    pushes(till, 6)

    assert sorted(till.effective()) == names[12:]
    assert sorted(till.quarantined()) == names[:12]


def test_below_ten(till):
    """
    Fewer refusals are about the sales, as before.
    """
    names = sell(till, 9)
    till.office.reject, till.office.reject_mode = set(names), "blind"

    pushes(till, 1)

    assert sorted(till.quarantined()) == names


@pytest.mark.case(
    "C10",
    "One of 500 sales is always answered 500, and ids are recognised",
    "the other 499 arrive by themselves, and the one is parked alone",
)
@pytest.mark.parametrize("place", [0, 250, 499])
def test_one_poisoned_sale_by_id(new_till, place):
    """
    What stays unknown is halved where that doubles nothing.
    """
    till = new_till(profile=ApiProfile(**BAD), office=BackOffice(**BAD))
    names = sell(till, 500)
    client = Judge(till, ids={names[place]}, error=broken)

    pushes(till, 8, client)

    assert sorted(till.effective()) == [name for name in names if name != names[place]]
    (batch,) = till.open_batches()
    assert (batch.transactions, batch.parked is not None) == (1, True)
    assert till.office.ledger.doubled() == []
    story = till.peek.outbox_maintenance.history(names[place])
    keys = {one.batch.key for one in story.memberships}
    assert {one.batch.parent for one in story.memberships} - {None} < keys


def test_halves_of_what_may_have_arrived(new_till):
    """
    A half is as unknown as what it is a half of: no refusal settles it.
    """
    till = new_till(profile=ApiProfile(**BAD), office=BackOffice(**BAD))
    names = sell(till, 2)
    till.office.faults("sales: after_commit(reset)*3, status(422)*2")

    pushes(till, 3)

    assert [(batch.transactions, batch.state) for batch in till.open_batches()] == [
        (1, "unknown"),
        (1, "unknown"),
    ]
    pushes(till, 1)
    assert (till.open_batches(), till.quarantined()) == ([], {})
    assert sorted(till.effective()) == names


@pytest.mark.case(
    "C10",
    "One of 500 sales is always answered 500, and keys are recognised",
    "the other 499 arrive after one outbox resolve --not-delivered",
)
@pytest.mark.parametrize(
    ("dedupe", "place"),
    [
        *(("key", 0), ("none", 250), ("key", 499)),
        *(
            pytest.param(*other, marks=pytest.mark.long)
            for other in [("none", 0), ("key", 250), ("none", 499)]
        ),
    ],
)
def test_one_poisoned_sale_by_key(new_till, dedupe, place):
    """
    Without a word of an operator nothing is divided; with it, all of it is.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe), office=BackOffice(dedupe=dedupe))
    names = sell(till, 500)
    client = Judge(till, ids={names[place]}, error=broken)
    pushes(till, 5, client)
    (batch,) = till.open_batches()
    assert (batch.transactions, till.effective()) == (500, [])

    operator = till.operator()
    operator.resolve(batch.key, delivered=False)
    pushes(till, 4, client)

    assert sorted(till.effective()) == [name for name in names if name != names[place]]
    assert till.office.ledger.doubled() == []
    assert [one.transactions for one in till.open_batches()] == [1]


@pytest.mark.case(
    "C10",
    "The line is too slow for the batch, and ids are recognised",
    "the batch is halved until it arrives",
)
def test_a_line_that_is_too_slow(new_till):
    """
    A batch that is never answered becomes smaller after three pushes.
    """
    till = new_till(profile=ApiProfile(**BAD), office=BackOffice(**BAD))
    names = sell(till, 100)
    client = Judge(till, ids=(), error=broken)

    def push_sales(batch, *, idempotency_key, repeat_within=None):
        if len(list(batch.transactions())) > 30:
            raise StatusError(status=408, path="/", delivery=Delivery.UNKNOWN)
        return client.client.push_sales(batch, idempotency_key=idempotency_key)

    client.push_sales = push_sales
    pushes(till, 12, client)

    assert sorted(till.effective()) == names
    assert till.open_batches() == []


@pytest.mark.case(
    "C10",
    "Everything is answered 503 for a day, and ids are recognised",
    "no batch is parked, few are divided, and all arrives afterwards",
)
def test_an_outage_parks_nothing(new_till):
    """
    An outage is no fault of a sale.
    """
    till = new_till(profile=ApiProfile(**BAD), office=BackOffice(**BAD))
    names = sell(till, 64)
    till.office.faults("sales: 503*forever")
    pushes(till, 60)
    assert all(batch.parked is None for batch in till.open_batches())
    assert len(till.open_batches()) <= 17

    till.office.faults("")
    pushes(till, 2)

    assert sorted(till.effective()) == names


@pytest.mark.case(
    "C11",
    "A firewall answers 403 or 404 for one text",
    "that sale alone is set aside, because others were accepted in the same push",
)
@pytest.mark.parametrize("error", [forbidden, missing])
@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize("place", [0, 7, 19])
def test_one_forbidden_text(new_till, error, size, place):
    """
    Another accepted batch, or half of this one, proves that it is the text.
    """
    till = new_till(limits=BatchLimits(transactions=size))
    names = sell(till, 20)
    sell(till, 2, date(2026, 1, 1))
    till.orders.by_date[date(2026, 1, 1)] = []
    client = Judge(till, ids={names[place]}, error=error)

    pushes(till, 3, client)

    assert sorted(till.effective()) == [name for name in names if name != names[place]]
    assert list(till.quarantined()) == [names[place]]


@pytest.mark.case(
    "C11",
    "A firewall refuses two texts, one in each half of the only batch",
    "both are found, and the others arrive",
)
def test_two_forbidden_texts(till):
    """
    If both halves are refused, their halves are tried with the next push.
    """
    names = sell(till, 20)
    bad = {names[3], names[16]}

    pushes(till, 4, Judge(till, ids=bad, error=forbidden))

    assert set(till.effective()) == set(names) - bad
    assert set(till.quarantined()) == bad


@pytest.mark.case(
    "C11",
    "The key has no permission, or the path is wrong, for hours, and health is fine",
    "everything waits, and the run names permission, path and firewall",
)
@pytest.mark.parametrize("fault", ["403", "404"])
def test_no_permission(till, fault):
    """
    As long as nothing is accepted, a refusal is about the key or the path.
    """
    names = sell(till, 100)
    sell(till, 5, date(2026, 1, 1))
    till.office.faults(f"sales: {fault}*forever")
    pushes(till, 40)
    (*_, run) = till.push()

    assert till.quarantined() == {}
    assert len(till.open_batches()) <= 36
    for word in ("permission", "/api/v1/sales/push", "firewall"):
        assert word in run.last_error

    till.office.faults("")
    pushes(till, 2)
    assert set(till.effective()) >= set(names)


def test_a_forbidden_answer_after_an_unknown_one(till):
    """
    A batch that may have arrived is never divided for a 403.
    """
    sell(till, 4)
    till.office.faults("sales: after_commit(reset), 403*forever")

    pushes(till, 3)

    assert till.states() == ["unknown"]
    assert till.quarantined() == {}


@pytest.mark.case(
    "C12",
    "A back office in maintenance answers 503 for ten days",
    "where the profile says that 503 processes nothing, nothing is parked",
)
def test_maintenance(new_till):
    """
    A status that processes nothing leaves the batch as it was.
    """
    till = new_till(profile=ApiProfile(unprocessed_statuses=[503]), retries=2)
    names = sell(till, 5)
    till.office.faults("sales: 503*forever")
    for _ in range(10):
        till.push()
        till.wait(days=1)
    assert till.states() == ["pending"]

    till.office.faults("")
    till.push()

    assert sorted(till.effective()) == names


@pytest.mark.case(
    "C12",
    "A batch has an attempt of unknown fate, in an earlier push or the same call",
    "a later 503 of maintenance does not settle it",
)
@pytest.mark.parametrize("script", ["after_commit(reset), 503*forever", "reset, 503, reset, 503"])
def test_maintenance_after_an_unknown_attempt(new_till, script):
    """
    One attempt of unknown fate outweighs any that processed nothing.
    """
    till = new_till(profile=ApiProfile(unprocessed_statuses=(503,)), retries=1)
    sell(till, 2)
    till.office.faults(f"sales: {script}")

    till.push()
    till.push()

    assert till.states() == ["unknown"]


@pytest.mark.case(
    "C10",
    "A batch is too large for a line",
    "its limits are settings, and the message names them",
)
def test_limits_are_settings(till):
    """
    The message about a batch that was not answered names the settings.
    """
    settings = {"CONEXXUS_BATCH_TRANSACTIONS": "50", "CONEXXUS_BATCH_BYTES": "4096"}
    sell(till, 2)
    till.office.faults("sales: reset")

    (run,) = till.push()

    assert BatchLimits.of(SyncConfig.from_env(settings)) == BatchLimits(transactions=50, bytes=4096)
    assert all(name in run.last_error for name in settings)
    with pytest.raises(ConfigurationError, match="CONEXXUS_BATCH_BYTES must be a whole number"):
        SyncConfig.from_env({"CONEXXUS_BATCH_BYTES": "0"})


def test_no_status_is_unprocessed_by_itself():
    """
    Without the profile's word, a 503 may have been processed.
    """
    assert ApiProfile().unprocessed_statuses == ()
