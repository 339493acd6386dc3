"""
What the host tells of a business date.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from conexxus_client import Transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.frozen import FrozenTransaction

from ._push_context import Desk, StoppedError


HOLD_EVERY = 1_000

# An exception of the host may quote a whole table.
LONGEST_COMPLAINT = 500


def told_of(desk: Desk, business_date: date) -> Iterator[FrozenTransaction]:
    """
    What the host tells of *business_date*, as it comes.

    Raises:
        HostError: Whatever the host raised.
        StoppedError: The push shall end.
    """
    for position, transaction in enumerate(_asked(desk, business_date)):
        if position % HOLD_EVERY == 0:
            desk.hold()
            if desk.stopped():
                raise StoppedError

        yield FrozenTransaction.of(transaction, position=position, business_date=business_date)


def _asked(desk: Desk, business_date: date) -> Iterator[Transaction]:
    try:
        told: Any
        for told in desk.orders.transactions(desk.location_id, business_date):
            if not isinstance(told, Transaction):
                msg = f"it gave a {type(told).__name__} instead of a Transaction"
                raise TypeError(msg)
            yield told
    except HostError:
        raise
    except Exception as exc:
        msg = (
            f"the order source failed for business date {business_date}: "
            f"{type(exc).__name__}: {str(exc)[:LONGEST_COMPLAINT]}"
        )
        raise HostError(msg) from exc
