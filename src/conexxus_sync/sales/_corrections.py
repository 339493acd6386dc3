"""
Corrections of delivered sales: a void of the old version, a revision with the new.

Each under a name of its own, `<id>:void:<n>` and `<id>:rev:<n>`: under the
old one, a back office would take it for a repetition.
"""

from datetime import date
from decimal import Decimal

import attrs

from conexxus_client import Transaction, TransactionLine, decode_transaction
from conexxus_sync.model.frozen_sales import FrozenTransaction


def void(
    sent: FrozenTransaction, *, revision: int, position: int, business_date: date
) -> FrozenTransaction:
    """
    What takes *sent* back: the same with negated quantities.

    Args:
        revision: The number of this correction.
    """
    transaction = decode_transaction(sent.raw)
    negated = attrs.evolve(
        transaction,
        id=f"{sent.origin}:void:{revision}",
        total=_negated(transaction.total),
        items=[_negated_line(line) for line in transaction.items],
        tax=None if transaction.tax is None else _negated(transaction.tax),
        discount=None if transaction.discount is None else _negated(transaction.discount),
    )

    return attrs.evolve(
        FrozenTransaction.of(negated, position=position, business_date=business_date),
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


def _negated_line(line: TransactionLine) -> TransactionLine:
    return attrs.evolve(
        line,
        quantity=-line.quantity if isinstance(line.quantity, int) else _negated(line.quantity),
        amount=None if line.amount is None else _negated(line.amount),
    )


def _negated(amount: Decimal) -> Decimal:
    # Without a context: the operator would round.
    return amount.copy_negate()
