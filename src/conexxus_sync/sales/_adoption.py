"""
Sales that something else delivered, before there was this store.
"""

from datetime import date

import attrs

from conexxus_sync.model.calendar import DAY

from ._order_reader import told_of
from ._push_context import Desk


@attrs.frozen(kw_only=True)
class Adoption:
    """
    What was adopted.

    Attributes:
        first: The first date whose sales were read; earlier ones are closed.
        through: The last.
        transactions: How many were not known before.
    """

    first: date
    through: date
    transactions: int


def adopt(desk: Desk, through: date, *, lookback_days: int) -> Adoption:
    """
    Mark what the host has, date by date, and close what lies before.

    Killed in the middle, it has marked some dates and closed none; done
    again, it does the rest.
    """
    first, count = through - lookback_days * DAY, 0

    for days in range(lookback_days + 1):
        desk.hold()
        count += _adopt_date(desk, first + days * DAY)

    with desk.writing() as transaction:
        desk.outbox.dates.close_before(transaction, desk.location_id, first, desk.clock.now())

    return Adoption(first=first, through=through, transactions=count)


def _adopt_date(desk: Desk, business_date: date) -> int:
    staging = desk.outbox.staging

    with desk.store.reading() as connection:
        staging.fill(connection, told_of(desk, business_date))

        with desk.writing(connection) as transaction:
            return staging.adopt(transaction, desk.location_id, business_date, desk.clock.now())
