"""
Facts about order sources that lose sales, or change most of a date, at once.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.testing import BackOffice
from conexxus_sync.health._health import assess_health
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.guards import SalesGuards
from conexxus_sync.model.runs import RunStatus


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def till(till):
    till.options = {"on_changed": "resend"}
    return till


@pytest.fixture(params=["append", "replace_day"])
def any_till(new_till, request):
    mode = request.param
    till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    till.options = {"on_changed": "resend"}
    return till


def day_of(till, count, total="10.00"):
    return [
        till.sale(f"t{number:03}", total, timestamp=NOON + timedelta(seconds=number))
        for number in range(count)
    ]


def tells(till, sales):
    till.orders.by_date[DAY] = list(sales)


def refused(till):
    return till.peek.sales_dates.refused_changes()


@pytest.mark.parametrize("count", [1, 5, 300])
@pytest.mark.case(
    "C3",
    'with `on_changed="resend"`, the order source yields none of a date\'s delivered sales once',
    "nothing is taken back, the run is refused, and an alert says so",
)
def test_source_that_yields_nothing(any_till, count):
    """
    What is gone all at once is not taken back, however little it was.
    """
    till, sales = any_till, day_of(any_till, count)
    tells(till, sales)
    till.push()
    tells(till, [])

    till.wait(minutes=5)
    (run,) = till.push(DAY)

    assert till.office.ledger.total() == 10 * count
    assert run.status is RunStatus.PARTIAL
    assert f"{count} of {count} delivered sale" in run.refused
    assert run.last_error == f"nothing was taken back: {run.refused}"
    assert till.peek.sales_dates.visit(DAY).at == till.clock.now()
    assert till.push(DAY) == []
    assert till.office.ledger.total() == 10 * count

    tells(till, sales)
    till.push(DAY)
    assert (refused(till), till.effective()) == ({}, [one.id for one in sales])


@pytest.mark.case(
    "C3",
    "more than a fifth, and more than five, of a date's sales are gone at once",
    "nothing is taken back, and new sales are sent all the same",
)
@pytest.mark.parametrize(("count", "gone"), [(29, 6), (10, 6), (300, 61)])
def test_source_that_yields_too_little(any_till, count, gone):
    """
    Nor is a large part of a date taken back.
    """
    till, sales = any_till, day_of(any_till, count)
    tells(till, sales)
    till.push()
    tells(till, [*sales[gone:], till.sale("new", "1.00")])

    (run,) = till.push(DAY)

    assert till.office.ledger.total() == 10 * count + 1
    assert f"{gone} of {count} delivered sales" in run.refused
    assert "the limit is 20%" in run.refused
    assert len(till.peek.sales_quarantine.discrepancies()) == gone


@pytest.mark.parametrize(("count", "gone"), [(30, 6), (6, 5), (300, 60)])
def test_few_that_are_gone(till, count, gone):
    """
    A smaller part is taken back, as ever.
    """
    sales = day_of(till, count)
    tells(till, sales)
    till.push()
    tells(till, sales[gone:])
    till.push(DAY)

    assert till.office.ledger.total() == 10 * (count - gone)
    assert refused(till) == {}


def test_source_that_yields_nonsense(any_till):
    """
    An order source that yields most sales otherwise is as likely to be wrong.
    """
    till, sales = any_till, day_of(any_till, 11)
    tells(till, sales)
    till.push()
    tells(till, [*[attrs.evolve(one, total=Decimal(0)) for one in sales[:6]], *sales[6:]])

    (run,) = till.push(DAY)

    assert "6 of 11 delivered sales of the date changed" in run.refused
    assert till.office.ledger.total() == 110


def test_other_part_of_what_is_wrong(till):
    """
    Where too much is gone, what changed is not taken back either.
    """
    sales = day_of(till, 10)
    tells(till, sales)
    till.push()
    tells(till, [attrs.evolve(sales[0], total=Decimal(99)), *sales[8:]])
    till.push(DAY)

    assert till.effective() == [one.id for one in sales]


@pytest.mark.parametrize("on_changed", ["report", "resend"])
@pytest.mark.case(
    "C3",
    "a person accepts the changes of the date: `push --date D --accept-changes`",
    "they are taken back, whatever the guard and the setting say, and the alert ends",
)
def test_accepted_changes(new_till, on_changed):
    """
    Accepted once, what is gone is taken back, and what changed is sent anew.
    """
    till = new_till()
    till.options = {"on_changed": on_changed}
    sales = day_of(till, 10)
    tells(till, sales)
    till.push()
    tells(till, [attrs.evolve(sales[0], total=Decimal(99))])
    till.push(DAY)
    assert till.office.ledger.total() == 100

    till.push(DAY, accept_changes=True)

    assert till.office.ledger.total() == 99
    assert refused(till) == {}
    assert till.peek.sales_quarantine.discrepancies() == []
    assert till.push(DAY) == []


def test_empty_day_that_is_accepted(new_till):
    """
    Where a push replaces its day, nothing can be sent that empties it: the
    refusal says what to do instead, and lasts.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    till.options = {"on_changed": "resend"}
    tells(till, day_of(till, 10))
    till.push()
    tells(till, [])

    (run,) = till.push(DAY, accept_changes=True)

    assert "the back office itself has to delete its sales" in run.refused
    assert list(refused(till)) == [DAY]
    assert till.office.ledger.total() == 100


@pytest.mark.parametrize("fault", [{"business_date": date(2026, 1, 3)}, {"extra": {"a": {1}}}])
def test_source_that_yields_what_cannot_be_sent(any_till, fault):
    """
    Sales that are told so that they can't be sent are as good as gone.
    """
    till, sales = any_till, day_of(any_till, 3)
    tells(till, sales)
    till.push()
    tells(till, [*[attrs.evolve(one, **fault) for one in sales], till.sale("new", "1.00")])
    till.push(DAY)

    assert till.office.ledger.total() == 31
    assert list(refused(till)) == [DAY]


def test_accepted_for_one_date_only(till):
    """
    Changes are accepted of a date that a person named.
    """
    with pytest.raises(ConfigurationError, match="name it"):
        till.push(accept_changes=True)


def test_empty_date_that_is_only_reported(new_till):
    """
    By default nothing is taken back in the first place, and nothing refused.
    """
    till = new_till()
    tells(till, day_of(till, 10))
    till.push()
    tells(till, [])

    (run,) = till.push(DAY)

    assert (run.refused, refused(till)) == (None, {})
    assert len(till.peek.sales_quarantine.discrepancies()) == 10


def test_report_keeps_a_refusal(till):
    """
    A push that corrects nothing does not end the alert of one that would.
    """
    tells(till, day_of(till, 10))
    till.push()
    tells(till, [])
    till.push(DAY)
    till.options = {"on_changed": "report"}
    till.push(DAY)

    assert list(refused(till)) == [DAY]


def test_changes_that_are_gone_end_a_refusal(till):
    """
    What is as it was again needs no decision, whatever becomes of changes now.
    """
    tells(till, day_of(till, 10))
    till.push()
    tells(till, [])
    till.push(DAY)
    till.options = {"on_changed": "report"}
    tells(till, day_of(till, 10))
    till.push(DAY)

    assert refused(till) == {}


def test_empty_day_that_was_emptied_bit_by_bit(new_till):
    """
    Nothing is sent that empties a day, though few sales are gone at once.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    first, second = day_of(till, 2)
    tells(till, [first, second])
    till.push()
    tells(till, [second])
    till.push(DAY)
    till.operator().accept_discrepancy(first.id)
    tells(till, [])

    (run,) = till.push(DAY, accept_changes=True)

    assert run.refused == (
        "all sales are gone, and an empty day can't replace another: the back office itself has "
        "to delete its sales"
    )


def test_alert(till):
    """
    The alert names the date, what was seen, and a command that works.
    """
    tells(till, day_of(till, 10))
    till.push()
    tells(till, [])
    till.push(DAY)

    health = assess_health(
        till.store,
        till.config,
        missing=(),
        api=None,
        orders=True,
        watched_since=till.clock.now(),
        now=till.clock.now(),
    )
    (alert,) = [one for one in health.alerts if one.name is AlertName.CHANGES_REFUSED]

    assert str(alert) == (
        "Nothing of the sales of 2026-01-02 was taken back: 10 of 10 delivered sales of "
        "the date are gone at the till. If the till is right: "
        "`conexxus push --orders ORDERS --date 2026-01-02 --accept-changes`."
    )


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_limits(known, gone, changed):
    """
    A refusal is about all, or about more than five and more than the share.
    """
    gone, changed = min(gone, known), min(changed, known - min(gone, known))
    too_many = gone > max(5, known * 0.2) or changed > max(5, known * 0.5) or 0 < known == gone

    assert (SalesGuards().refusal(known=known, gone=gone, changed=changed) is not None) == too_many
