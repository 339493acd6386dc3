"""
Facts about sales that the host moves to another business date.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.sales import DiscrepancyKind


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NEXT = date(2026, 1, 3)
MIDNIGHT = datetime(2026, 1, 3, 0, 30, tzinfo=UTC)

MODES = pytest.mark.parametrize("mode", ["append", "replace_day"])
WAYS = pytest.mark.parametrize(("source", "target"), [(NEXT, DAY), (DAY, NEXT)])


@pytest.fixture
def moving(new_till):
    """
    Makes a till with a sale A on one date, delivered; other sales are on both.
    """

    def make(source, *, mode="append", on_changed="resend"):
        till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
        till.options = {"on_changed": on_changed}
        tells(till, {"A": source})
        return till

    return make


def tells(till, places):
    """
    From now on the host tells these sales on these dates.
    """
    till.orders.by_date = {
        day: [
            till.sale(f"x-{day}", "0.25"),
            *(till.sale(name, timestamp=MIDNIGHT) for name, at in places.items() if at == day),
        ]
        for day in (DAY, NEXT)
    }


def every_six_hours(till, until):
    """
    Among these is the push time; what falls due in between goes with the next.
    """
    while till.clock.now() < until:
        till.push()
        till.wait(hours=6)


def totals(till):
    return {day: till.office.ledger.total(LOCATION, day) for day in (DAY, NEXT)}


def told(till):
    return {
        day: sum((sale.total for sale in till.orders.by_date[day]), Decimal())
        for day in (DAY, NEXT)
    }


@MODES
@WAYS
def test_moved_before_the_last_look(moving, source, target, mode):
    """
    A sale that the host moves while both dates are still looked at, if only
    once more, is taken back on the one and is delivered on the other, once.
    """
    till = moving(source, mode=mode)
    last_look = datetime(2026, 1, 9, 23, 30, tzinfo=UTC)
    every_six_hours(till, last_look - timedelta(hours=1))
    assert "A" in till.effective(source)

    tells(till, {"A": target})
    every_six_hours(till, last_look + timedelta(days=10))

    assert totals(till) == told(till)
    assert till.effective(target).count("A") == 1
    assert till.office.ledger.doubled() == []
    assert till.peek.sales_quarantine.discrepancies() == []


@MODES
@WAYS
def test_moved_and_pushed_by_hand(moving, source, target, mode):
    """
    So it is where somebody pushes the one date, and then the other.
    """
    till = moving(source, mode=mode)
    till.wait(days=30)
    till.push(DAY)
    till.push(NEXT)
    tells(till, {"A": target})
    till.push(target)
    till.push(source)

    assert totals(till)[target] == Decimal("0.25")
    assert target in till.engine().due(till.clock.now())
    till.push()

    assert totals(till) == told(till)
    assert till.push() == []


def test_moved_while_it_is_in_doubt(moving):
    """
    So it is where it is not known for a while whether it was taken back, and
    the date that it moved to is looked at meanwhile.
    """
    till = moving(DAY)
    till.wait(days=30)
    till.push(DAY)
    till.push(NEXT)
    tells(till, {"A": NEXT})
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY)
    till.push(NEXT)

    till.push()
    till.push()

    assert totals(till) == told(till)


@pytest.mark.parametrize("mode", ["append", "replace_day"])
@pytest.mark.parametrize("died", range(12))
def test_moved_and_killed(moving, mode, died):
    """
    So it is wherever a push dies.
    """
    till = moving(NEXT, mode=mode)
    till.wait(days=30)
    till.push(DAY)
    till.push(NEXT)
    tells(till, {"A": DAY})
    left = iter(range(died))

    def failpoint(_):
        if next(left, None) is None:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        engine = till.engine(failpoint=failpoint)
        engine.push(DAY)
        engine.push(NEXT)
    till.push(DAY)
    till.push(NEXT)
    till.push()

    assert totals(till) == told(till)
    assert till.office.ledger.doubled() == []


def test_moved_and_given_up(moving):
    """
    A sale that moved while it waited, and that an operator then says was not
    delivered, is sent on the date that it moved to.
    """
    till = moving(NEXT, on_changed="report")
    till.profile = ApiProfile(dedupe="none")
    till.wait(days=30)
    till.office.faults("sales: reset")
    till.push(NEXT)
    tells(till, {"A": DAY})
    till.push(DAY)
    (batch,) = till.open_batches()

    till.operator().resolve(batch.key, delivered=False)
    till.push()

    assert totals(till) == told(till)


def test_moved_and_refused(moving):
    """
    A sale that moved while it waited, and is refused where it was, is tried
    on the date that it moved to.
    """
    till = moving(NEXT, on_changed="report")
    till.wait(days=30)
    till.office.faults("sales: 409")
    till.push(NEXT)
    tells(till, {"A": DAY})
    till.push(DAY)
    till.office.reject = {"A"}
    till.push(NEXT)
    till.office.reject = set()
    till.push()

    assert totals(till) == told(till)


def test_moved_and_only_reported(moving):
    """
    By default nothing moves at the back office, and both dates say so.
    """
    till = moving(NEXT, on_changed="report")
    till.wait(days=30)
    till.push(DAY)
    till.push(NEXT)
    tells(till, {"A": DAY})
    till.push(DAY)
    till.push(NEXT)
    till.push()

    assert totals(till) == {DAY: Decimal("0.25"), NEXT: Decimal("1.75")}
    found = {(one.business_date, one.kind) for one in till.peek.sales_quarantine.discrepancies()}
    assert found == {(DAY, DiscrepancyKind.ELSEWHERE), (NEXT, DiscrepancyKind.MISSING)}


@settings(
    max_examples=examples(10, 30), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    moves=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abc"), st.sampled_from([DAY, NEXT])),
            st.permutations([DAY, NEXT]),
        ),
        max_size=4,
    ),
    faults=st.lists(
        st.sampled_from(["503", "reset", "after_commit(reset)", "refuse", "409"]), max_size=5
    ),
    mode=st.sampled_from(["append", "replace_day"]),
)
def test_wherever_the_host_moves_them(many_tills, moves, faults, mode):
    """
    Once both dates were asked, in whatever order, what is due by itself makes
    them what the host tells, long after their last look.
    """
    till = many_tills(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    till.options = {"on_changed": "resend"}
    till.office.faults("sales: " + ", ".join(faults) if faults else "")
    tells(till, {})
    till.wait(days=30)

    for places, order in moves:
        tells(till, places)
        for day in order:
            till.push(day)
    till.office.faults("")
    for _ in range(8):
        till.push()

    assert totals(till) == told(till)
    assert till.office.ledger.doubled() == []
    assert till.open_batches() == []
    assert till.peek.sales_quarantine.discrepancies() == []
