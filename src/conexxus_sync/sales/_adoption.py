"""
Adoption: marks sales as delivered by something else before this store existed.
"""

from datetime import date

import attrs

from conexxus_sync.model.calendar import DAY
from conexxus_sync.model.sale_digests import COMPARABLE

from ._order_reader import read_transactions
from ._push_context import PushContext


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


def adopt(context: PushContext, through: date, *, lookback_days: int) -> Adoption:
    """
    Mark what the host has, date by date, and close what lies before.

    Killed in the middle, it has marked some dates and closed none; done
    again, it does the rest.
    """
    first, count = through - lookback_days * DAY, 0

    for days in range(lookback_days + 1):
        context.renew_lease()
        count += _adopt_date(context, first + days * DAY)

    with context.writing() as transaction:
        context.outbox.dates.close_before(
            transaction, context.location_id, first, context.clock.now()
        )

    return Adoption(first=first, through=through, transactions=count)


def _adopt_date(context: PushContext, business_date: date) -> int:
    staging = context.outbox.staging

    with context.store.reading() as connection:
        transactions = read_transactions(context, business_date)
        staging.fill(connection, transactions, fields=COMPARABLE)

        with context.writing(connection) as transaction:
            return staging.adopt(
                transaction, context.location_id, business_date, context.clock.now()
            )
