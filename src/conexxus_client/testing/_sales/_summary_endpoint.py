"""
Answers what a business date comes to, by the books.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import attrs

from conexxus_client._codec import DayTotals, encode_json, totals_document
from conexxus_client.config import ApiProfile
from conexxus_client.models import Transaction
from conexxus_client.testing._answer import JSON, Answer, problem, timestamp_of

from ._ledger import Ledger
from ._sales_body import Sale


Summary = Literal["transactions", "totals", "none"]


def answer_summary(
    ledger: Ledger,
    summary: Summary,
    profile: ApiProfile,
    parameters: Mapping[str, str],
    now: datetime,
) -> Answer:
    """
    The totals of the date and the location that are asked for.

    Args:
        summary: Whether the transactions are listed, or there are totals alone.
    """
    location = parameters.get("locationId", "")
    try:
        day = date.fromisoformat(parameters.get("date", ""))
    except ValueError:
        return problem(400, "date must be a date like 2026-01-02.")
    if not location:
        return problem(400, "locationId is missing.")

    totals = day_totals(ledger, location, day)
    if summary != "transactions":
        totals = attrs.evolve(totals, transactions=None)
    envelope = {
        profile.success_key: True,
        profile.data_key: totals_document(totals),
        "timestamp": timestamp_of(now),
    }

    return Answer(
        status=200,
        headers=(("Content-Type", JSON),),
        body=encode_json(envelope),
        note=f"{day} {location}: {totals.sales.count} sales",
    )


def day_totals(ledger: Ledger, location: str, day: date) -> DayTotals:
    """
    What *day* comes to: a doubled sale counts twice.
    """
    sales = map(_receipt, ledger.sales(location, day))

    return DayTotals.of(sales, date=day, location_id=location)


def _receipt(sale: Sale) -> Transaction:
    if sale.wire:
        return sale.receipt

    # Of books that an earlier version kept.
    moment = datetime.fromisoformat(sale.timestamp)

    return Transaction(id=sale.id, timestamp=moment, total=sale.total, items=())
