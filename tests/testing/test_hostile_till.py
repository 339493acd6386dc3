"""
Facts about the till that misbehaves.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from conexxus_sync.model.order_records import UnusableTransaction, transaction_of
from conexxus_sync.testing import AnswerKind, Defect, HostileTill, ListOrders, sale


DAY, NEXT = date(2026, 1, 2), date(2026, 1, 3)
SOLD = ["t1", "t2", "t3", "t4"]


@pytest.fixture
def till():
    return HostileTill(ListOrders(map(sale, SOLD)))


def ids(till, day=DAY):
    return [each.id for each in till.transactions("loc-001", day)]


def test_complete_by_default(till):
    """
    It returns what it has sold, as often as it is asked.
    """
    assert ids(till) == ids(till) == SOLD


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (AnswerKind.COMPLETE, SOLD),
        (AnswerKind.EMPTY, []),
        (AnswerKind.LATE, ["t1", "t2"]),
        (AnswerKind.DOUBLED, SOLD + SOLD),
    ],
)
def test_a_kind_is_of_one_answer(till, kind, answer):
    """
    The next answer is of the kind, the one after it complete.
    """
    till.answer_with(kind)

    assert ids(till) == answer
    assert ids(till) == SOLD


def test_shuffled(till):
    """
    The same sales in another order.
    """
    till.answer_with(AnswerKind.SHUFFLED)

    answer = ids(till)

    assert answer != SOLD
    assert sorted(answer) == SOLD


def test_broken(till):
    """
    It breaks off half-way, with an error.
    """
    till.answer_with(AnswerKind.BROKEN)
    answer = []

    with pytest.raises(RuntimeError, match="database is gone"):
        answer.extend(each.id for each in till.transactions("loc-001", DAY))

    assert ids(till) == SOLD


def test_edited(till):
    """
    A sale has another total, and lines that come to it; a refund is one too.
    """
    till.edit("t2", Decimal("-7.00"), business_date=DAY)

    edited = till.sold.by_date[DAY][1]
    assert (edited.id, edited.total) == ("t2", Decimal("-7.00"))
    assert sum(line.quantity * line.price for line in edited.items) == Decimal("-7.00")


def test_moved(till):
    """
    A sale is on the other date, and only there.
    """
    till.move("t2", DAY, NEXT)

    assert ids(till) == ["t1", "t3", "t4"]
    assert ids(till, NEXT) == ["t2"]


def test_another_register(till):
    """
    Two sales have one receipt number, at different times.
    """
    first = till.sold.by_date[DAY][0]

    second = till.sell_on_another_register(first, later=timedelta(minutes=3), business_date=DAY)

    assert ids(till) == [*SOLD, "t1"]
    assert second.timestamp - first.timestamp == timedelta(minutes=3)


def test_mistimed(till):
    """
    A sale has another time, and stays on its date.
    """
    till.mistime("t2", timedelta(hours=13), business_date=DAY)

    assert ids(till) == SOLD
    assert till.sold.by_date[DAY][1].timestamp.date() == NEXT


@pytest.mark.parametrize(
    ("defect", "field"),
    [
        (Defect.FLOAT, "total"),
        (Defect.NAIVE, "timestamp"),
        (Defect.NO_ID, "id"),
        (Defect.NUMBER_ID, "id"),
        (Defect.NO_SKU, "sku"),
    ],
)
def test_spoiled(till, defect, field):
    """
    A sale can't be built, for its defect alone, until it is mended.
    """
    till.spoil("t2", defect, business_date=DAY)
    first, second, *_ = till.transactions("loc-001", DAY)
    till.mend("t2", business_date=DAY)

    broken = transaction_of(second)
    assert isinstance(broken, UnusableTransaction)
    assert field in broken.reason
    assert first.id == "t1"
    assert ids(till) == SOLD


def test_purged(till):
    """
    Old dates are empty, others stay.
    """
    till.sold.add(sale("t9"), business_date=NEXT)

    till.purge(NEXT)

    assert ids(till) == []
    assert ids(till, NEXT) == ["t9"]


def test_what_is_not_there(till):
    """
    A test that changes a sale that is not there is told so.
    """
    with pytest.raises(LookupError, match="add it to `sold` first"):
        till.move("t2", NEXT, DAY)
    with pytest.raises(LookupError, match="t7"):
        till.edit("t7", Decimal(1), business_date=DAY)
    with pytest.raises(LookupError, match="t7"):
        till.spoil("t7", Defect.FLOAT, business_date=DAY)
