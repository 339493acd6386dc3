"""
Facts about what follows from the back office's answers.
"""

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest

from conexxus_client import ApiProfile, decode_transaction
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus


LOCATION = "loc-001"
DAY = date(2026, 1, 2)


@pytest.mark.parametrize("mode", ["listed", "batch", "blind"])
@pytest.mark.parametrize("size", [1, 2, 3, 64, 100])
def test_one_bad_transaction(new_till, mode, size):
    """
    A bad transaction is isolated, by the list or by bisecting, and set
    aside with its reason; the rest arrives, in order.
    """
    till = new_till(office=BackOffice(reject={"bad": "No such SKU"}, reject_mode=mode))
    names = [f"t{n}" for n in range(size - 1)]
    names.insert(size // 3, "bad")
    till.orders.add(*(till.sale(name) for name in names))

    (run,) = till.push()

    good = [name for name in names if name != "bad"]
    assert till.effective() == good
    assert set(till.quarantined()) == {"bad"}
    assert (run.items_succeeded, run.items_failed) == (len(good), 1)
    assert run.status is (RunStatus.PARTIAL if good else RunStatus.FAILED)
    assert till.office.requests["sales"] - 1 <= 2 * math.log2(size) + 1
    assert till.open_batches() == []
    assert till.push(DAY) == []


def test_reason_and_raw(till):
    """
    Quarantine keeps what the back office said, and the bytes that were sent.
    """
    till.office.reject, till.office.reject_mode = {"bad": "No such SKU"}, "batch"
    sale = till.sale("bad", "49.9800")
    till.orders.add(sale, till.sale("t1"))

    (run,) = till.push()

    (aside,) = till.peek.sales_quarantine.transactions()
    assert (aside.reason, decode_transaction(aside.raw)) == ("No such SKU", sale)
    assert b"49.9800" in aside.raw
    assert [(issue.item, issue.error) for issue in run.errors] == [("bad", "No such SKU")]


def test_quarantine_waits(till):
    """
    What is in quarantine waits there, even if the host changes it.
    """
    till.office.reject = {"bad"}
    till.orders.add(till.sale("bad"))
    till.push()
    till.office.reject = ()
    till.orders.by_date[DAY] = [till.sale("bad", "2.00"), till.sale("t1")]

    till.push(DAY)

    assert till.effective() == ["t1"]


def test_too_large(till):
    """
    A batch that is too large is divided until it fits, and nothing is lost.
    """
    till.orders.add(*(till.sale(f"t{n}") for n in range(8)))
    till.office.faults("sales: 413, 413, 413")

    (run,) = till.push()

    assert till.effective() == [f"t{n}" for n in range(8)]
    assert run.status is RunStatus.SUCCESS
    assert till.quarantined() == {}


def test_hopeless(till):
    """
    A back office that refuses everything gets nothing set aside: after ten in
    a row, and one more try, all of it waits.
    """
    till.office.reject, till.office.reject_mode = (lambda _: True), "blind"
    till.orders.add(*(till.sale(f"t{n}") for n in range(100)))

    (run,) = till.push()

    assert till.quarantined() == {}
    assert run.items_processed == 100
    assert "accepted none" in run.last_error
    assert till.engine().due(till.clock.now()) == [DAY]


@pytest.mark.parametrize("dedupe", ["key", "transaction_id", "none"])
def test_dispute(new_till, dedupe):
    """
    A count that no list explains marks nothing, and is never repeated.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe))
    till.orders.add(till.sale("t1"), till.sale("t2"))
    body = '{\\"success\\": true, \\"data\\": {\\"accepted\\": 1}}'
    till.office.faults(f'sales: 200(body="{body}")')

    (run,) = till.push()

    assert (run.status, run.delivery_unknown, run.items_failed) == (RunStatus.FAILED, True, 2)
    assert "accepted 1 of 2" in run.last_error
    assert till.push(DAY) == []
    (batch,) = till.open_batches()
    assert "accepted 1 of 2" in batch.parked
    assert till.office.requests["sales"] == 1


def test_rejected_because_it_is_there(new_till):
    """
    A back office that rejects what it has, asked again, makes no sale count
    as undelivered: an operator is asked.
    """
    kind = {"dedupe": "transaction_id"}
    till = new_till(profile=ApiProfile(**kind), office=BackOffice(**kind))
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.office.faults("sales: after_commit(reset)")
    till.push()
    till.office.reject = {"t1": "duplicate id"}

    (run,) = till.push()

    assert till.quarantined() == {}
    assert till.states() == ["unknown"]
    assert "rejects 1 of them now: duplicate id" in run.last_error


def test_same_id_elsewhere(new_till):
    """
    Where the back office knows transactions by id alone, an id of another
    date would be passed over: it is set aside instead.
    """
    till = new_till(
        profile=ApiProfile(dedupe="transaction_id"), office=BackOffice(dedupe="transaction_id")
    )
    till.orders.add(till.sale("0001"), day=date(2026, 1, 1))
    till.orders.add(till.sale("0001"), till.sale("0002"))
    till.office.faults("sales: after_commit(reset)")

    till.push()
    till.push()

    assert till.effective(date(2026, 1, 1)) == ["0001"]
    assert till.effective(DAY) == ["0002"]
    assert "another business date" in till.quarantined()["0001"]


def test_conflict_is_delivered(new_till):
    """
    Where the profile says so, a conflict means that it has arrived.
    """
    till = new_till(profile=ApiProfile(conflict_is_delivered=True))
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: 409")

    (run,) = till.push()

    assert run.status is RunStatus.SUCCESS
    assert till.states() == ["delivered"]


def test_conflict_waits(till):
    """
    Elsewhere, a conflict leaves the batch waiting.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: 409")

    till.push()
    assert till.states() == ["pending"]
    till.push()

    assert till.effective() == ["t1"]


def test_total_is_what_was_taken(till):
    """
    The run's total leaves out what was refused.
    """
    till.office.reject = {"bad"}
    till.orders.add(till.sale("t1", "10.10"), till.sale("bad", "5"), till.sale("t2", "0.05"))

    (run,) = till.push()

    assert run.total == till.office.ledger.total() == Decimal("10.15")
    assert run.end_time - run.start_time == timedelta(0)
