"""
Facts about sales of one date that have the same id.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.guards import SalesGuards
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NEXT = date(2026, 1, 3)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

CHANGES = pytest.mark.parametrize("on_changed", ["report", "resend"])


def tells(till, *sales, day=DAY):
    """
    From now on the host tells these sales of the day.
    """
    till.orders.by_date[day] = list(sales)


def register(till, number, name="0001", total=None, **more):
    """
    A sale at one of several registers, each a minute after the other.
    """
    moment = NOON + timedelta(minutes=number)
    return till.sale(name, total or f"{number}.00", timestamp=moment, **more)


def amounts(till, day=None):
    return sorted((one.id, str(one.total)) for one in till.office.ledger.sales(LOCATION, day))


@CHANGES
@pytest.mark.case(
    "C4",
    "a second register sends the same receipt number on the same date, with another timestamp",
    "both are sales: the new one is sent, the delivered one stays",
)
def test_second_register_after_the_first(till, on_changed):
    """
    A sale with the id of a delivered one that is told as well is a sale of its
    own.
    """
    till.options = {"on_changed": on_changed}
    tells(till, register(till, 1))
    till.push()
    tells(till, register(till, 1), register(till, 2))

    (run,) = till.push(DAY)

    assert amounts(till) == [("0001", "1.00"), ("0001", "2.00")]
    assert (run.status, run.errors) == (RunStatus.SUCCESS, ())
    assert till.push(DAY) == []


@CHANGES
@pytest.mark.parametrize("size", [1, 2, 2_000])
@pytest.mark.case(
    "C4",
    "two registers send the same receipt numbers in one push",
    "all are sent, those with one id in batches of their own",
)
def test_registers_in_one_push(till, on_changed, size):
    """
    Sales that share an id never share a batch: a refusal names an id.
    """
    till.options = {"on_changed": on_changed}
    till.limits = BatchLimits(transactions=size)
    names = ("0001", "0002", "0003")
    tells(till, *(register(till, number, name) for name in names for number in (1, 2, 3)))

    till.push()

    assert amounts(till) == [(name, f"{number}.00") for name in names for number in (1, 2, 3)]
    assert till.quarantined() == {}
    with till.store.read() as state:
        for batch in till.peek.outbox.batches():
            ids = state.outbox.ids(batch)
            assert len(ids) == len(set(ids))
    assert till.push(DAY) == []


def test_whole_day_of_two_registers(new_till):
    """
    A day that is replaced holds the sales of both, in one batch.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    till.options = {"on_changed": "resend"}
    tells(till, register(till, 1))
    till.push()
    tells(till, register(till, 1), register(till, 2))
    till.push(DAY)
    tells(till, register(till, 1), register(till, 2, total="2.50"), register(till, 3, "0002"))
    till.push(DAY)

    assert amounts(till) == [("0001", "1.00"), ("0001", "2.50"), ("0002", "3.00")]
    assert till.office.requests["sales"] == 3
    assert till.push(DAY) == []


@pytest.mark.case(
    "C4",
    "a delivered sale is returned with another timestamp only",
    "it is that sale, changed: a discrepancy, or a correction, never a new sale",
)
def test_timestamp_that_changed(till):
    """
    Alone under its id, a sale with another timestamp is the delivered one.
    """
    tells(till, register(till, 1))
    till.push()
    tells(till, register(till, 2, total="1.00"))

    (run,) = till.push(DAY)
    assert amounts(till) == [("0001", "1.00")]
    assert "changed after it was delivered" in run.last_error

    till.options = {"on_changed": "resend"}
    till.push(DAY)
    assert amounts(till) == [("0001", "1.00"), ("0001:rev:1", "1.00"), ("0001:void:1", "-1.00")]
    assert till.push(DAY) == []
    assert till.peek.sales_quarantine.discrepancies() == []


def test_one_of_two_timestamps_changed(till):
    """
    So is the one that is left over, where several have the id.
    """
    till.options = {"on_changed": "resend"}
    tells(till, register(till, 1), register(till, 2))
    till.push()
    tells(till, register(till, 1), register(till, 3, total="2.00"))
    till.push(DAY)

    assert till.office.ledger.total() == 3
    assert till.effective().count("0001") == 2
    assert "0001:rev:1" in till.effective()
    assert till.push(DAY) == []


def test_corrections_of_sales_with_one_id(till):
    """
    Their corrections are numbered together, and none has the id of another.
    """
    till.options = {"on_changed": "resend"}
    tells(till, register(till, 1), register(till, 2))
    till.push()

    for first, second in (("1.10", "2.20"), ("1.30", "2.20"), ("1.30", "2.40")):
        tells(till, register(till, 1, total=first), register(till, 2, total=second))
        till.push(DAY)
        assert till.office.ledger.total() == Decimal(first) + Decimal(second)

    corrections = [name for name in till.effective() if name != "0001"]
    assert len(corrections) == len(set(corrections)) == 8
    assert till.push(DAY) == []


def test_timestamp_that_changes_back(till):
    """
    A sale that was taken back under one timestamp and returns under it, next
    to its correction, is sent under a name of its own.
    """
    till.options = {"on_changed": "resend"}
    tells(till, register(till, 1))
    till.push()
    tells(till, register(till, 2))
    till.push(DAY)
    tells(till, register(till, 1), register(till, 2))
    till.push(DAY)

    assert till.office.ledger.total() == 3
    assert till.office.ledger.doubled() == []
    assert till.push(DAY) == []


@CHANGES
def test_same_second(till, on_changed):
    """
    Next to the delivered version, another of the same id and second is a
    discrepancy; the delivered one stays.
    """
    till.options = {"on_changed": on_changed}
    tells(till, register(till, 1))
    till.push()
    tells(till, register(till, 1), register(till, 1, total="7.00"))

    (run,) = till.push(DAY)

    assert amounts(till) == [("0001", "1.00")]
    assert run.status is RunStatus.PARTIAL
    assert len(till.peek.sales_quarantine.discrepancies()) == 1
    assert till.push(DAY) == []


@pytest.mark.parametrize("at_once", [True, False])
@CHANGES
@pytest.mark.case(
    "C4",
    "the back office recognises transactions by their id alone",
    "the second sale under an id is set aside, the first is delivered",
)
def test_ids_alone(new_till, on_changed, at_once):
    """
    To such a back office the second one would be a repetition.
    """
    till = new_till(
        profile=ApiProfile(dedupe="transaction_id"), office=BackOffice(dedupe="transaction_id")
    )
    till.options = {"on_changed": on_changed}
    if not at_once:
        tells(till, register(till, 2))
        till.push()
    tells(till, register(till, 2), register(till, 1), register(till, 3, "0002"))
    till.push(DAY)

    assert amounts(till) == [("0001", "2.00"), ("0002", "3.00")]
    assert till.quarantined() == {
        "0001": "Transaction id was used by another sale of this business date"
    }
    assert till.push(DAY) == []


def test_what_was_set_aside_hides_nothing(new_till):
    """
    A sale that is set aside does not keep the delivered one of its id from
    being compared.
    """
    till = new_till()
    till.options = {"on_changed": "resend"}
    tells(till, register(till, 1), register(till, 2, extra={"set": {1}}))
    till.push()
    tells(till, register(till, 1, total="5.00"), register(till, 2, extra={"set": {1}}))
    till.push(DAY)

    assert till.office.ledger.total() == 5
    assert set(till.quarantined()) == {"0001"}


def test_while_one_waits(till):
    """
    A sale goes out while another of its id waits to be delivered.
    """
    tells(till, register(till, 1))
    till.office.faults("sales: 409")
    till.push()
    tells(till, register(till, 1), register(till, 2))
    till.push(DAY)
    till.push(DAY)

    assert amounts(till) == [("0001", "1.00"), ("0001", "2.00")]
    assert till.office.ledger.total() == 3


def test_refused_one(till):
    """
    Of two sales with one id, the back office may refuse one.
    """
    till.office.reject = {"0001": "no"}
    tells(till, register(till, 1))
    till.push()
    till.office.reject = {}
    tells(till, register(till, 1), register(till, 2))
    till.push(DAY)

    assert amounts(till) == [("0001", "2.00")]
    assert till.quarantined() == {"0001": "no"}


def test_adopted_with_another_timestamp(till):
    """
    What is adopted is matched with what was delivered, too: one changed, one is
    new.
    """
    tells(till, register(till, 1))
    till.push()
    tells(till, register(till, 2, total="1.00"), register(till, 3, "0002"))

    assert till.engine().adopt(DAY).transactions == 2


def test_moved_between_dates_of_two_registers(till):
    """
    An id that another register uses on another date is a sale of its own.
    """
    tells(till, register(till, 1), register(till, 2))
    later = attrs.evolve(register(till, 3), timestamp=NOON + timedelta(days=1))
    tells(till, later, register(till, 1), day=NEXT)
    till.wait(days=1)
    till.push(since=DAY)

    assert amounts(till, DAY) == [("0001", "1.00"), ("0001", "2.00")]
    assert amounts(till, NEXT) == [("0001", "3.00")]


@settings(
    max_examples=examples(10, 30), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    days=st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3)), st.integers(1, 3)
        ),
        max_size=5,
    ),
    faults=st.lists(
        st.sampled_from(["503", "reset", "after_commit(reset)", "refuse", "409"]), max_size=5
    ),
    mode=st.sampled_from(["append", "replace_day"]),
    size=st.sampled_from([1, 2, 100]),
)
def test_the_hosts_sales_are_delivered(many_tills, days, faults, mode, size):
    """
    Whatever ids the registers share, and whatever changes: in the end the back
    office has exactly what the host tells.
    """
    till = many_tills(
        profile=ApiProfile(sales_mode=mode),
        office=BackOffice(sales_mode=mode),
        limits=BatchLimits(transactions=size),
    )
    # Days that nearly vanish are right here, not a host that lost its sales.
    at_will = SalesGuards(max_gone=1, max_changed=1)
    till.options = {"on_changed": "resend", "sales_guards": at_will}
    till.office.faults("sales: " + ", ".join(faults) if faults else "")
    told = [till.sale("fixed")]

    for sold in days:
        told = [
            till.sale("fixed"),
            *(register(till, at, name, str(total)) for (name, at), total in sold.items()),
        ]
        tells(till, *told)
        till.push(DAY)
    till.office.faults("")
    for _ in range(8):
        till.push(DAY)

    assert till.office.ledger.total() == sum((one.total for one in told), Decimal()) * bool(days)
    assert till.open_batches() == []
    assert till.peek.sales_quarantine.discrepancies() == []
    assert till.office.ledger.doubled() == []


def at(till, number, second=0, name="0001", total=None, **more):
    """
    A sale that says its register.
    """
    moment = NOON + timedelta(seconds=second)
    made = till.sale(name, total or f"{number}.00", timestamp=moment, **more)

    return attrs.evolve(made, register=str(number))


@CHANGES
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.case(
    "C4",
    "two registers send the same receipt number in the same second",
    "both are sales, as each says its register",
)
def test_one_second_of_two_registers(till, on_changed, at_once):
    """
    Sales with one id and one second at two registers are two sales, and neither
    takes the other back.
    """
    till.options = {"on_changed": on_changed}
    if not at_once:
        tells(till, at(till, 1))
        till.push()
    tells(till, at(till, 1), at(till, 2))
    till.push(DAY)

    assert amounts(till) == [("0001", "1.00"), ("0001", "2.00")]
    assert till.quarantined() == {}
    assert till.push(DAY) == []
    assert till.peek.sales_quarantine.discrepancies() == []


def test_each_register_is_corrected_alone(till):
    """
    A change at one register leaves the sale of the other as it is.
    """
    till.options = {"on_changed": "resend"}
    tells(till, at(till, 1), at(till, 2))
    till.push()
    tells(till, at(till, 1), at(till, 2, total="5.00"))
    till.push(DAY)
    tells(till, at(till, 2, total="5.00"))
    till.push(DAY, accept_changes=True)

    assert amounts(till) == [
        ("0001", "1.00"),
        ("0001", "2.00"),
        ("0001:rev:1", "5.00"),
        ("0001:void:1", "-2.00"),
        ("0001:void:2", "-1.00"),
    ]
    assert till.push(DAY) == []


@CHANGES
def test_register_that_is_said_since(till, on_changed):
    """
    Sales that were delivered without a register are the same ones when they say
    it, also on another date; and what was dismissed stays so.
    """
    till.options = {"on_changed": on_changed}
    till.office.reject = {"0009"}
    plain = [attrs.evolve(at(till, n, n, f"000{n}"), register=None) for n in (1, 2, 9)]
    tells(till, *plain)
    till.push()
    till.operator().dismiss(DAY, "0009")
    till.office.reject = set()
    said = [at(till, n, n, f"000{n}") for n in (1, 2, 9)]

    tells(till, *said)
    first = till.push(DAY)
    tells(till, *said, at(till, 3, 1, "0001"))
    till.push(DAY)
    tells(till, at(till, 1, 1, "0001"), day=NEXT)
    till.clock.advance(days=1)
    till.push(NEXT)

    assert first == []
    assert amounts(till) == [("0001", "1.00"), ("0001", "3.00"), ("0002", "2.00")]


def test_register_that_changed(till):
    """
    One alone under a delivered id, at another register, is that sale, changed.
    """
    tells(till, at(till, 1))
    till.push()
    tells(till, at(till, 2, total="1.00"))

    (run,) = till.push(DAY)

    assert run.errors[0].error.startswith("Transaction changed after it was delivered")
    assert amounts(till) == [("0001", "1.00")]
