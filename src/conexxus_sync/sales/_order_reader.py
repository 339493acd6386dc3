"""
Reads the host's transactions of a business date, and freezes each.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from conexxus_client import Transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.frozen_sales import FrozenTransaction

from ._push_context import PushContext, PushStoppedError


HOLD_EVERY = 1_000

# An exception of the host may quote a whole table.
LONGEST_COMPLAINT = 500


def read_transactions(context: PushContext, business_date: date) -> Iterator[FrozenTransaction]:
    """
    What the host tells of *business_date*, as it comes.

    Raises:
        HostError: Whatever the host raised.
        StoppedError: The push shall end.
    """
    for position, transaction in enumerate(_asked(context, business_date)):
        if position % HOLD_EVERY == 0:
            context.renew_lease()
            if context.stopped():
                raise PushStoppedError

        yield FrozenTransaction.of(transaction, position=position, business_date=business_date)


def _asked(context: PushContext, business_date: date) -> Iterator[Transaction]:
    try:
        transactions: Any
        for transactions in context.orders.transactions(context.location_id, business_date):
            if not isinstance(transactions, Transaction):
                msg = f"it gave a {type(transactions).__name__} instead of a Transaction"
                raise TypeError(msg)
            yield transactions
    except HostError:
        raise
    except Exception as exc:
        msg = (
            f"the order source failed for business date {business_date}: "
            f"{type(exc).__name__}: {str(exc)[:LONGEST_COMPLAINT]}"
        )
        raise HostError(msg) from exc
