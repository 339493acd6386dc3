"""
A day of each trade: built, pushed and reconciled.
"""

from decimal import Decimal

import attrs
import pytest
from receipts import RECEIPTS, TRADES, planted

from conexxus_client import Transaction, exact_sum
from conexxus_sync.model.date_reconciliation import Measure
from conexxus_sync.model.sum_checks import Mismatch
from conexxus_sync.sales import DateReconciler
from conexxus_sync.sales._source_watch import SourceWatch
from tills import DAY


PLANTED = planted()

# What is remarked on, by the sums that disagree.
REMARKS = {
    Mismatch.LINES: "whose lines",
    Mismatch.TENDERS: "whose tenders",
    Mismatch.TAXES: "whose taxes",
    Mismatch.DISCOUNTS: "whose discounts",
    Mismatch.KIND: "kind",
}

# Totals without what was paid in and out, and tenders without change, with tips.
EXPECTED = {
    "convenience store, US": ("90.88", {"cash": "60.42", "card": "14.10"}),
    "supermarket, EU": ("26.55", {"card": "19.71", "cash": "6.84"}),
    "café, AU": ("23.93", {"cash": "16.95", "card": "6.98"}),
    "konbini, JP": ("1930", {"card": "1080", "cash": "850"}),
    "bakery, KW": ("4.380", {"cash": "4.380"}),
    "fuel station, US": ("158.56", {"card": "42.70", "fleet": "40.99", "cash": "32.17"}),
    "restaurant, US": ("186.10", {"card": "166.40", "cash": "32.70"}),
    "duty free, EU": ("171.00", {"cash": "100.00", "card": "71.00"}),
}


def sales_of(trade):
    """
    The receipts of a trade, each with an id of its own.
    """
    return [
        attrs.evolve(Transaction.from_mapping(RECEIPTS[name]), id=f"t{place}")
        for place, name in enumerate(TRADES[trade])
    ]


def reconciled(till):
    return DateReconciler(
        store=till.store,
        business_date=DAY,
        orders=till.orders,
        client=till.client(),
        watch=SourceWatch(till.clock),
    ).reconcile()


def test_receipts_of_all_trades():
    """
    Each receipt is one of a trade, and there are thirty at least.
    """
    assert sorted(name for names in TRADES.values() for name in names) == sorted(RECEIPTS)
    assert (len(TRADES), len(RECEIPTS)) == (8, 33)


@pytest.mark.parametrize("trade", TRADES)
def test_day_of_a_trade(till, trade):
    """
    All of it arrives without a remark, and comes to the same at till, outbox
    and back office, to the smallest unit.
    """
    till.orders.add(*sales_of(trade))

    (run,) = till.push()
    found = reconciled(till)

    assert run.errors == ()
    assert found.agrees
    assert found.remarks == ()
    total, tenders = EXPECTED[trade]
    amounts = {(row.measure, row.name): row.back_office for row in found.rows}
    assert amounts[Measure.TOTAL, None] == Decimal(total)
    for name, amount in tenders.items():
        assert amounts[Measure.TENDER, name] == Decimal(amount)
    taxes = [row for row in found.rows if row.measure is Measure.TAX]
    assert exact_sum(row.till for row in taxes) == exact_sum(
        tax.amount for one in sales_of(trade) for tax in one.all_taxes
    )


def test_money_that_moved(till):
    """
    What was paid in and out is no sale.
    """
    till.orders.add(*sales_of("convenience store, US"))
    till.push()

    paid = {row.measure: row.back_office for row in reconciled(till).rows if row.name is None}

    assert paid[Measure.COUNT] == 8
    assert (paid[Measure.PAID_IN], paid[Measure.PAID_OUT]) == (100, -65)


@pytest.mark.parametrize(("name", "bad", "expected"), PLANTED)
def test_planted_error(till, name, bad, expected):
    """
    One wrong figure is exactly one remark, which names the sums; the sale is
    sent and reconciled as it was given.
    """
    till.orders.by_date[DAY] = [bad]

    (run,) = till.push()

    (issue,) = run.errors
    assert REMARKS[expected] in issue.error
    assert reconciled(till).agrees


def test_tip_that_was_adjusted_later(till):
    """
    The date agrees before and after: with the tip, it is another tender.
    """
    till.options = {"on_changed": "resend"}
    sales = sales_of("restaurant, US")
    till.orders.add(*sales)
    till.push()

    (paid,) = sales[0].tenders
    tipped = attrs.evolve(paid, amount=Decimal("50.00"), tip=Decimal("10.00"))
    till.orders.replace(attrs.evolve(sales[0], tenders=[tipped]))
    assert not reconciled(till).agrees
    till.push(DAY)

    found = reconciled(till)
    assert found.agrees
    (card,) = [row for row in found.rows if row.name == "card"]
    assert card.back_office == Decimal("168.40")
