"""
Facts about what is remarked of sales, and about sales told twice.
"""

from datetime import date, timedelta
from decimal import Decimal

import attrs
import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NEXT = DAY + timedelta(days=1)
CARD = "4111 1111 1111 1111"


def test_lines_that_do_not_add_up(till):
    """
    Lines that do not add up are counted and shown, never repaired, and do
    not change the status.
    """
    odd = attrs.evolve(till.sale("odd", "1.50"), total=Decimal("9.99"))
    till.orders.add(odd, till.sale("t1"))

    (run,) = till.push()

    assert (run.status, run.items_failed, run.last_error) == (RunStatus.SUCCESS, 0, None)
    assert str(run.total) == "11.49"
    (issue,) = run.errors
    assert issue.item is None
    assert "1 transaction whose lines do not add up" in issue.error
    assert "odd" in issue.error
    assert till.peek.outbox.mismatched() == 1


def test_card_numbers(till):
    """
    What looks like a card's number is warned about, without the number.
    """
    till.orders.add(till.sale("t1", extra={"note": CARD}), till.sale("t2", extra={"note": CARD}))

    (run,) = till.push()

    assert (run.status, run.last_error) == (RunStatus.SUCCESS, None)
    assert "2 transactions with what may be a card's number" in run.errors[0].error
    assert "4111" not in str(run)


def test_card_number_of_a_line(till):
    """
    One that is only in the free text of a line is warned about, too.
    """
    sale = till.sale("t1")
    lines = [attrs.evolve(line, extra={"note": CARD}) for line in sale.items]
    till.orders.add(attrs.evolve(sale, items=lines))

    (run,) = till.push()

    assert "1 transaction with what may be a card's number" in run.errors[0].error
    assert "4111" not in str(run)


def twice(till):
    """
    One sale, told for two dates.
    """
    sale = till.sale("t1")
    till.orders.by_date[DAY] = [sale]
    till.orders.by_date[NEXT] = [sale, till.sale("t2")]
    till.wait(days=1)


@pytest.mark.parametrize("dedupe", ["key", "none"])
def test_told_for_two_dates(new_till, dedupe):
    """
    The same id and timestamp under two dates is one sale, and is reported.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe), office=BackOffice(dedupe=dedupe))
    twice(till)

    first, second = till.push(since=DAY)

    assert till.effective() == ["t1", "t2"]
    assert (first.status, second.status) == (RunStatus.SUCCESS, RunStatus.PARTIAL)
    assert "taken for the same sale" in second.last_error
    assert [one.kind for one in till.peek.sales_quarantine.discrepancies()] == ["elsewhere"]
    assert till.peek.sales_quarantine.discrepancy_count() == 1
    assert till.push(NEXT) == []


def test_told_for_two_dates_while_the_first_waits(till):
    """
    So it is while the first telling is not delivered yet.
    """
    till.orders.by_date[DAY] = [till.sale("t1")]
    till.office.faults("sales: 409")
    till.push()
    twice(till)

    till.office.faults("sales: 409")
    till.push(NEXT)
    till.push(since=DAY)

    assert sorted(till.effective()) == ["t1", "t2"]


def test_another_time_is_another_sale(till):
    """
    The same receipt number at another time is another sale.
    """
    till.orders.add(till.sale("0001"))
    till.orders.add(till.sale("0001"), day=NEXT)
    till.wait(days=1)

    till.push(since=DAY)

    assert till.effective() == ["0001", "0001"]


@pytest.mark.parametrize("fault", ["", "sales: 409"])
def test_ids_that_are_used_once(new_till, fault):
    """
    Where a back office knows transactions by id alone, an id of another
    date, delivered or about to be, is set aside whatever its timestamp.
    """
    till = new_till(
        profile=ApiProfile(dedupe="transaction_id"), office=BackOffice(dedupe="transaction_id")
    )
    till.orders.add(till.sale("0001"))
    till.orders.add(till.sale("0001"), day=NEXT)
    till.office.faults(fault)
    till.wait(days=1)

    till.push(since=DAY)

    assert till.peek.sales_quarantine.size() == 1
    assert "another business date" in till.quarantined()["0001"]
