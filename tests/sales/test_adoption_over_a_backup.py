"""
Facts about adopting dates of which a restored store remembers an older state.
"""

import shutil
from datetime import date
from decimal import Decimal

import attrs
import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.sales import OPEN_STATES


DATABASES = ("sqlite",)
LOCATION = "loc-001"
DAY = date(2026, 1, 2)
YESTERDAY = date(2026, 1, 1)
SPOILED = {
    "id": "t1",
    "timestamp": "2026-01-02T12:00:00Z",
    "items": [{"sku": "WINE001", "quantity": 1, "price": Decimal("1.50")}],
}
LONG_AGO = date(2025, 12, 1)


def backup(till):
    """
    Copy the store as it is.
    """
    shutil.copy(till.folder / "store.db", till.folder / "backup.db")


def restore(till):
    """
    Put the copy in the place of the store, and adopt what was delivered.
    """
    for name in ("store.db-wal", "store.db-shm"):
        (till.folder / name).unlink(missing_ok=True)
    (till.folder / "backup.db").replace(till.folder / "store.db")
    till.engine().adopt(DAY)


def operator(till):
    return till.operator()


def sent(till):
    return [sale.id for sale in till.office.ledger.sales(LOCATION)]


@pytest.fixture
def resending(till):
    """
    A till that corrects delivered sales, with one delivered, and a back office
    that recognises no repetition.
    """
    till.profile, till.office = ApiProfile(dedupe="none"), BackOffice(dedupe="none")
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    return till


@pytest.mark.case(
    "E2",
    "A sale was corrected after the backup, and the date is adopted",
    "It is not corrected again",
)
def test_a_correction_is_not_repeated(resending):
    """
    What the till says counts as delivered, also where the store remembers
    another version.
    """
    till = resending
    backup(till)
    till.orders.replace(till.sale("t1", "9.00"))
    till.push(DAY)
    before = sent(till)

    restore(till)
    till.push(DAY)
    till.wait(days=1)
    till.engine().push(honour_past=True)

    assert sent(till) == before == ["t1", "t1:void:1", "t1:rev:1"]


@pytest.mark.case(
    "E2",
    "A sale was taken back after the backup, and the date is adopted",
    "It is not taken back again, but reported",
)
def test_a_void_is_not_repeated(resending):
    """
    What the till has no longer may have been taken back already.
    """
    till = resending
    till.orders.add(till.sale("t2"))
    till.push(DAY)
    backup(till)
    till.orders.remove("t1")
    till.push(DAY)
    before = sent(till)

    restore(till)
    (run,) = till.push(DAY)

    assert sent(till) == before == ["t1", "t2", "t1:void:1"]
    assert [issue.item for issue in run.errors] == ["t1"]


@pytest.mark.case(
    "E2",
    "The till returned only part of a date when it was adopted",
    "What it did not return is not sent again when it is there",
)
def test_what_was_not_told_is_not_sent_again(resending):
    """
    To be missing at the adoption makes no delivered sale a new one.
    """
    till = resending
    till.orders.remove("t1")
    till.engine().adopt(DAY)
    till.orders.add(till.sale("t1"))

    till.push(DAY)

    assert sent(till) == ["t1"]


@pytest.mark.case(
    "E2",
    "A batch that is pending in the backup was delivered since",
    "The adoption settles it, and it is not sent again",
)
@pytest.mark.parametrize("day", [DAY, YESTERDAY, LONG_AGO])
@pytest.mark.parametrize("dedupe", ["key", "none"])
def test_a_pending_batch_is_not_sent_again(till, day, dedupe):
    """
    Whatever waits on the date that is named, or before it, counts as
    delivered; so does what lies before the dates that are read.
    """
    till.profile, till.office = ApiProfile(dedupe=dedupe), BackOffice(dedupe=dedupe)
    till.orders.add(till.sale("t1"), day=day)
    till.office.faults("sales: refuse")
    till.push(day)
    backup(till)
    till.push(day)

    restore(till)
    till.wait(days=2)
    till.engine().push(honour_past=True)

    assert sent(till) == ["t1"]
    (batch,) = till.peek.outbox.batches()
    assert (batch.state, batch.answer) == ("delivered", "taken for delivered by something else")


@pytest.mark.case(
    "E2",
    "A delivery is unknown or parked in the backup",
    "The adoption settles it as delivered",
)
@pytest.mark.parametrize("dedupe", ["key", "none"])
def test_an_unknown_batch_is_settled(till, dedupe):
    """
    Nothing of the adopted dates waits any more, not even for an operator.
    """
    till.profile = ApiProfile(dedupe=dedupe)
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY)

    till.engine().adopt(DAY)

    assert till.peek.outbox.batches(OPEN_STATES) == []
    till.wait(days=2)
    till.engine().push(honour_past=True)
    assert sent(till) == ["t1"]


@pytest.mark.case(
    "E2",
    "A correction is pending in the backup and was delivered since",
    "The adoption settles it, and the sale is not corrected again",
)
def test_a_pending_correction_is_settled(resending):
    """
    Whether the void or the new version waits, neither is sent again.
    """
    till = resending
    till.orders.replace(till.sale("t1", "9.00"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    backup(till)
    till.push(DAY)
    before = sent(till)

    restore(till)
    till.push(DAY)

    assert sent(till) == before
    assert before[0] == "t1"


@pytest.mark.case(
    "E2",
    "A batch of a later date is pending in the backup",
    "It stays as it is: only the adopted dates are settled",
)
def test_later_dates_are_not_settled(till):
    """
    What lies after the date that is named goes on.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push(DAY)

    till.engine().adopt(YESTERDAY)
    assert till.states() == ["pending"]
    till.push(DAY)

    assert sent(till) == ["t1"]


@pytest.mark.case(
    "E2",
    "An adopted sale changes once more at the till",
    "It is reported, not corrected: this store did not send what is there",
)
def test_a_later_change_is_reported(resending):
    """
    Which corrections there were is not known any more.
    """
    till = resending
    backup(till)
    till.orders.replace(till.sale("t1", "9.00"))
    till.push(DAY)
    before = sent(till)
    restore(till)

    till.orders.replace(till.sale("t1", "10.00"))
    (run,) = till.push(DAY)

    assert sent(till) == before
    assert [issue.item for issue in run.errors] == ["t1"]


@pytest.mark.case(
    "E2",
    "A day that is replaced waits in the backup and was delivered since",
    "The adoption settles it, and the day is not replaced by an older one",
)
def test_a_replaced_day(till):
    """
    The back office keeps the day as the till has it.
    """
    till.profile, till.office = (
        ApiProfile(sales_mode="replace_day"),
        BackOffice(sales_mode="replace_day"),
    )
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    till.orders.add(till.sale("t2"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    backup(till)
    till.orders.add(till.sale("t3"))
    till.push(DAY)
    till.push(DAY)
    assert sorted(sent(till)) == ["t1", "t2", "t3"]

    restore(till)
    till.push(DAY)

    assert sorted(sent(till)) == ["t1", "t2", "t3"]


def test_adopting_twice_counts_what_is_new(till):
    """
    The number is that of the sales that were not known like this.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"))

    first = till.engine().adopt(DAY)
    again = till.engine().adopt(DAY)
    till.orders.replace(attrs.evolve(till.sale("t1", "9.00")))
    changed = till.engine().adopt(DAY)

    assert [it.transactions for it in (first, again, changed)] == [2, 0, 1]


def test_set_aside_before(till):
    """
    A sale that was set aside, and was brought to the back office by other means,
    is delivered: a replay does not send it again.
    """
    till.orders.add({**SPOILED, "total": 1.5})
    till.push(DAY)
    till.orders.by_date[DAY] = [{**SPOILED, "total": Decimal("1.50")}]

    till.engine().adopt(DAY)
    replayed = operator(till).replay_all()
    till.push(DAY)

    assert replayed == []
    assert till.quarantined() == {}
    assert sent(till) == []
