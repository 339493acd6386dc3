"""
Facts about back offices where a push replaces its day.
"""

from datetime import date
from decimal import Decimal

import pytest
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NEXT = date(2026, 1, 3)
UNWRITABLE = {"set": {1, 2}}


def replaces_day(new_till):
    return new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )


@pytest.fixture
def till(new_till):
    return replaces_day(new_till)


def tells(till, *sales, day=DAY):
    """
    From now on the host tells these sales of the day.
    """
    till.orders.by_date[day] = list(sales)


def amounts(till, day=DAY):
    return {sale.id: str(sale.total) for sale in till.office.ledger.sales(LOCATION, day)}


def contradicted(till):
    return {one.id: one.kind.value for one in till.peek.sales_quarantine.discrepancies()}


def test_only_reported(till):
    """
    What changed, disappeared or can't be written any more stays as it was
    delivered when its day is replaced for a new sale; and so it is reported.
    """
    tells(till, till.sale("a", "1.00"), till.sale("b"), till.sale("c"), till.sale("d"))
    till.push()
    tells(
        till, till.sale("a", "2"), till.sale("b", extra=UNWRITABLE), till.sale("d"), till.sale("e")
    )

    (run,) = till.push(DAY)

    assert amounts(till) == {"a": "1.00", "b": "1.50", "c": "1.50", "d": "1.50", "e": "1.50"}
    assert run.status is RunStatus.PARTIAL
    assert contradicted(till) == {"a": "changed", "b": "changed", "c": "missing"}
    assert {issue.item for issue in run.errors} == {"a", "b", "c"}
    assert till.quarantined() == {}
    assert till.push(DAY) == []
    tells(till, till.sale("a", "1.00"), till.sale("b"), till.sale("c"), till.sale("d"))
    till.push(DAY)
    assert set(contradicted(till)) == {"e"}


def test_unusable_sale_of_a_replaced_day(till):
    """
    A sale that can't be sent is set aside, and the others replace the day.
    """
    tells(till, till.sale("a"))
    till.push()
    tells(till, till.sale("a"), {"id": "b"}, till.sale("c"))

    till.push(DAY)

    assert till.effective() == ["a", "c"]
    assert set(till.quarantined()) == {"b"}


def test_moved(till):
    """
    A sale that the host moves to another date stays where it was delivered.
    """
    sale = till.sale("a")
    tells(till, till.sale("x"))
    tells(till, sale, day=NEXT)
    till.wait(days=30)
    till.push(DAY)
    till.push(NEXT)
    tells(till, till.sale("x"), sale)
    tells(till, till.sale("y"), day=NEXT)

    till.push(DAY)
    till.push(NEXT)

    assert (till.effective(DAY), till.effective(NEXT)) == (["x"], ["y", "a"])
    assert till.push(DAY) == till.push(NEXT) == []


def test_unwritable(till):
    """
    Nor is a sale taken back because it can't be written any more where what
    changed is sent again; and that is no reason to replace the day.
    """
    till.options = {"on_changed": "resend"}
    tells(till, till.sale("a"), till.sale("b"), till.sale("c"))
    till.push()
    tells(till, till.sale("a", extra=UNWRITABLE), till.sale("b"), till.sale("c"))
    till.push(DAY)
    assert till.office.requests["sales"] == 1

    tells(till, till.sale("a", extra=UNWRITABLE), till.sale("b", "2"))
    (run,) = till.push(DAY)

    assert amounts(till) == {"a": "1.50", "b": "2"}
    assert (run.status, contradicted(till)) == (RunStatus.SUCCESS, {"a": "changed"})
    assert till.push(DAY) == []


@pytest.mark.parametrize("now", [["2"], []])
def test_bytes_that_are_gone(till, now):
    """
    Where it could not be kept, its day stays as it is, and what is new is set
    aside; until what changed may be sent again.
    """
    tells(till, till.sale("a", "1"), till.sale("b", "1"))
    till.engine().adopt(DAY)
    tells(till, *(till.sale("a", total) for total in now), till.sale("b", "1"), till.sale("c", "1"))

    till.push(DAY)

    assert till.office.requests["sales"] == 0
    assert "can't be replaced" in till.quarantined()["c"]
    assert set(contradicted(till)) == {"a"}
    assert till.push(DAY) == []

    till.options = {"on_changed": "resend"}
    till.operator().replay(DAY, "c")
    till.push(DAY)
    assert amounts(till) == dict(zip("a" * len(now), now, strict=True)) | {"b": "1", "c": "1"}


def test_bytes_that_the_host_still_has(till):
    """
    What something else delivered goes along as the host tells it, if it is
    the same.
    """
    tells(till, till.sale("a", "1"))
    till.engine().adopt(DAY)
    tells(till, till.sale("a", "1"), till.sale("b", "1"))

    till.push(DAY)

    assert amounts(till) == {"a": "1", "b": "1"}


@settings(
    max_examples=examples(15, 60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(days=st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 3)), max_size=6))
def test_the_hosts_first_word_counts(many_tills, days):
    """
    Whatever the host changes: what is not to be sent again stays as it was
    sent first.
    """
    till = replaces_day(many_tills)
    first: dict[str, str] = {}

    for sold in days:
        tells(
            till,
            *(
                till.sale(
                    name, str(total), extra=UNWRITABLE if name in first and total == 3 else {}
                )
                for name, total in sold.items()
            ),
        )
        till.push(DAY)
        first = {name: str(total) for name, total in sold.items()} | first
        assert amounts(till) == first

    assert till.office.ledger.total() == sum(map(Decimal, first.values()))
    assert till.quarantined() == {}


@pytest.fixture
def replacing(new_till):
    return new_till(
        profile=ApiProfile(sales_mode="replace_day"),
        office=BackOffice(sales_mode="replace_day"),
        limits=BatchLimits(transactions=2),
    )


def test_replace_day(replacing):
    """
    Where a push replaces its date, the whole day goes in one batch, whatever
    its size, under a new key.
    """
    till = replacing
    till.orders.add(*(till.sale(f"t{n}") for n in range(5)))
    till.push()
    till.orders.add(till.sale("late"))
    till.wait(minutes=45)

    (run,) = till.push()

    assert till.effective(DAY) == ["t0", "t1", "t2", "t3", "t4", "late"]
    assert (run.batches, run.items_succeeded) == (1, 6)
    assert len(till.office.ledger.keys) == 2
    assert till.push(DAY) == []


def test_replace_day_and_back(replacing):
    """
    A day that becomes what it once was is sent under another key: the first
    one's answer would be replayed without effect.
    """
    till = replacing
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("a"))
    till.push()
    till.orders.add(till.sale("b"))
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("b")]
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("b"), till.sale("c")]
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("a"), till.sale("b")]

    till.push(DAY)

    assert till.effective(DAY) == ["a", "b"]
    assert len(till.office.ledger.keys) == 5


def test_replace_day_listed(new_till):
    """
    A refused whole day is sent again without those that were named.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"),
        office=BackOffice(sales_mode="replace_day", reject={"bad"}, reject_mode="batch"),
    )
    till.orders.add(till.sale("t1"), till.sale("bad"), till.sale("t2"))

    (run,) = till.push()

    assert till.effective(DAY) == ["t1", "t2"]
    assert (run.batches, run.status) == (2, RunStatus.PARTIAL)


def test_replace_day_blind(new_till):
    """
    A whole day is never bisected: what is new in it is set aside, and what
    the back office had before stays.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"),
        office=BackOffice(sales_mode="replace_day", reject={"bad"}, reject_mode="blind"),
    )
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.add(till.sale("bad"))

    (run,) = till.push(DAY)

    assert till.office.requests["sales"] == 2
    assert till.effective(DAY) == ["t1"]
    assert set(till.quarantined()) == {"bad"}
    assert run.status is RunStatus.FAILED


def test_replace_day_waits(replacing):
    """
    A day with a batch of unknown fate is not replaced by another.
    """
    till = replacing
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset)")
    till.push()
    till.orders.add(till.sale("t2"))
    till.office.faults("sales: reset")

    till.push()
    assert till.office.requests["sales"] == 2
    till.push()

    assert till.office.effective_batches == [{"t1"}, {"t1", "t2"}]


def test_replace_day_is_parked(new_till):
    """
    Nor by a new one while an operator has to say whether it was: sent again, the
    parked one would replace what came after it.
    """
    modes = {"sales_mode": "replace_day", "dedupe": "none"}
    till = new_till(profile=ApiProfile(**modes), office=BackOffice(**modes))
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: reset")
    till.push(DAY)
    till.orders.add(till.sale("t2"))

    till.push(DAY)
    assert till.office.requests["sales"] == 1
    (parked,) = till.open_batches()
    till.operator().resend(parked.key, force=True)
    till.push(DAY)

    assert till.effective(DAY) == ["t1", "t2"]
