"""
Corrections of delivered sales: a void of the old version, a revision with the new.

Each under a name of its own, `<id>:void:<n>` and `<id>:rev:<n>`: under the
old one, a back office would take it for a repetition.
"""

from datetime import date
from decimal import Decimal

import attrs

from conexxus_client import Transaction, TransactionLine, decode_transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.protocols import OrderSource, VoidingOrderSource
from conexxus_sync.runtime.host_exceptions import described, ends_process
from conexxus_sync.runtime.host_methods import called

from ._order_reader import LONGEST_COMPLAINT


def void(
    sent: FrozenTransaction,
    *,
    orders: OrderSource,
    revision: int,
    position: int,
    business_date: date,
) -> FrozenTransaction:
    """
    What takes *sent* back: every amount is negated, and `extra` is what the
    host makes of it.

    Args:
        orders: May complete it.
        revision: The number of this correction.

    Raises:
        HostError: The host did not complete it as it should.
    """
    sold = decode_transaction(sent.raw)
    negated = attrs.evolve(
        sold,
        id=f"{sent.origin}:void:{revision}",
        total=_negated(sold.total),
        items=[_negated_line(line) for line in sold.items],
        tax=None if sold.tax is None else _negated(sold.tax),
        discount=None if sold.discount is None else _negated(sold.discount),
        # What it holds is not for us to read: a payment said again would count
        # again.
        extra={},
    )
    complete = _completed(negated, sold, orders)
    frozen = FrozenTransaction.of(complete, position=position, business_date=business_date)

    if frozen.fault is not None:
        msg = f"complete_void of the order source failed for {sold.id}: {frozen.fault}"
        raise HostError(msg)

    return attrs.evolve(
        frozen,
        origin=sent.origin,
        revision=revision,
        voids=True,
        mismatched=False,
        has_card_number=False,
    )


def corrected(current: FrozenTransaction, business_date: date) -> FrozenTransaction:
    """
    *current* as it is sent: under a new name, if its first version was voided.
    """
    if not current.revision:
        return current

    named: Transaction = attrs.evolve(
        decode_transaction(current.raw), id=f"{current.id}:rev:{current.revision}"
    )
    frozen = FrozenTransaction.of(named, position=current.position, business_date=business_date)

    # The digest stays that of what the host tells, to compare it again.
    return attrs.evolve(
        frozen,
        digest=current.digest,
        version=current.version,
        origin=current.id,
        revision=current.revision,
    )


def _completed(void: Transaction, sold: Transaction, orders: OrderSource) -> Transaction:
    """
    The *void* of what was *sold*, with what the host adds.
    """
    if not isinstance(orders, VoidingOrderSource):
        return void

    try:
        complete = called(orders, "complete_void", void, sold)
    except BaseException as exc:
        if ends_process(exc):
            raise
        said = described(exc, LONGEST_COMPLAINT)
        msg = f"complete_void of the order source failed for {sold.id}: {said}"
        raise HostError(msg[:LONGEST_COMPLAINT]) from exc

    if not isinstance(complete, Transaction) or _bare(complete) != void:
        msg = (
            f"complete_void of the order source failed for {sold.id}: it may change nothing but "
            "`extra`, of the transaction and of its lines"
        )
        raise HostError(msg)

    return complete


def _bare(transaction: Transaction) -> Transaction:
    lines = [attrs.evolve(line, extra={}) for line in transaction.items]
    return attrs.evolve(transaction, extra={}, items=lines)


def _negated_line(line: TransactionLine) -> TransactionLine:
    return attrs.evolve(
        line,
        quantity=-line.quantity if isinstance(line.quantity, int) else _negated(line.quantity),
        amount=None if line.amount is None else _negated(line.amount),
        extra={},
    )


def _negated(amount: Decimal) -> Decimal:
    # Without a context: the operator would round.
    return amount.copy_negate()
