"""
Adoption: marks sales as delivered by something else before this store existed.
"""

from datetime import date

import attrs

from conexxus_sync.errors import SyncError
from conexxus_sync.model.calendar import DAY
from conexxus_sync.model.sale_digests import COMPARABLE

from ._order_reader import read_transactions
from ._push_context import PushContext, PushStoppedError


@attrs.frozen(kw_only=True)
class Adoption:
    """
    What was adopted.

    Attributes:
        first: The first date whose sales were read; earlier ones are closed.
        through: The last.
        transactions: How many were not known before, or not like this.
        batches: How many that waited were taken for delivered.
    """

    first: date
    through: date
    transactions: int
    batches: int = 0


def adopt(context: PushContext, through: date) -> Adoption:
    """
    Mark what the host has, date by date, and close what lies before.

    What waits on these dates, or before them, counts as delivered, too: it may
    have been, by the store of which this one is a backup.

    Killed in the middle, it has marked some dates and closed none; done
    again, it does the rest.

    Raises:
        SyncError: It was stopped.
    """
    lookback_days = context.config.lookback_days
    first, count, batches = through - lookback_days * DAY, 0, 0

    try:
        for days in range(lookback_days + 1):
            context.renew_lease()
            transactions, settled = _adopt_date(context, first + days * DAY)
            count += transactions
            batches += settled
    except PushStoppedError:
        msg = "the adoption was stopped: done again, it does the rest"
        raise SyncError(msg) from None

    with context.writing() as state:
        state.sales_dates.close_before(first, context.clock.now())
        state.freezes.catch_up()
        state.freezes.advance()

    return Adoption(first=first, through=through, transactions=count, batches=batches)


def _adopt_date(context: PushContext, business_date: date) -> tuple[int, int]:
    """
    Adopt one date, and what waits on it or an earlier one.

    Returns:
        How many transactions are news, and how many batches waited.
    """
    looked_at = context.clock.now()

    with context.store.read() as state:
        transactions = read_transactions(context, business_date)
        state.sales_staging.fill(transactions, fields=COMPARABLE)

    with context.writing() as state:
        now = context.clock.now()
        # A backup from before has nothing of it.  A store that lags goes on
        # lagging until all dates are adopted.
        if not state.freezes.numbers().is_behind:
            state.freezes.advance()
        state.sales_dates.record([(business_date, looked_at, None)])
        batches = state.outbox.adopt_open(business_date, replaces_day=context.replaces_day, now=now)
        return state.sales_staging.adopt(business_date, now), batches
