"""
Corrections of delivered sales: a void of the old version, a revision with the new.

Each under a name of its own, `<id>:void:<n>` and `<id>:rev:<n>`: under the
old one, a back office would take it for a repetition.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from conexxus_client import Transaction, TransactionLine, decode_transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sum_checks import Mismatch
from conexxus_sync.protocols import OrderSource, VoidingOrderSource
from conexxus_sync.runtime.host_exceptions import described, ends_process
from conexxus_sync.runtime.host_methods import called

from ._source_watch import LONGEST_COMPLAINT


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
        **_negated_fields(sold, "tax", "discount", "rounding"),
        **_negated_parts(sold),
        tenders=[
            attrs.evolve(tender, **_negated_fields(tender, "amount", "change", "tip"))
            for tender in sold.tenders
        ],
        # What it holds is not for us to read: a payment said again would count
        # again.
        extra={},
    )
    complete = _completed(negated, sold, orders)
    frozen = FrozenTransaction.of(
        complete, position=position, business_date=business_date, sku_required=False
    )

    if frozen.fault is not None:
        msg = f"complete_void of the order source failed for {sold.id}: {frozen.fault}"
        raise HostError(msg)

    return attrs.evolve(
        frozen,
        origin=sent.origin,
        revision=revision,
        voids=True,
        mismatched=Mismatch(0),
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
    frozen = FrozenTransaction.of(
        named, position=current.position, business_date=business_date, sku_required=False
    )

    # The digest stays that of what the host returns, to compare it again.
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
        **_negated_fields(line, "amount"),
        **_negated_parts(line),
        extra={},
    )


def _negated_parts(sold: Transaction | TransactionLine) -> dict[str, Any]:
    """
    The taxes and discounts of *sold*, taken back.
    """
    return {
        "taxes": [
            attrs.evolve(tax, **_negated_fields(tax, "taxable", "amount")) for tax in sold.taxes
        ],
        "discounts": [attrs.evolve(one, amount=_negated(one.amount)) for one in sold.discounts],
    }


def _negated_fields(sold: object, *names: str) -> dict[str, Any]:
    """
    Those amounts *names* that *sold* has.
    """
    amounts = {name: getattr(sold, name) for name in names}
    return {name: _negated(amount) for name, amount in amounts.items() if amount is not None}


def _negated(amount: Decimal) -> Decimal:
    # Without a context: the operator would round.
    return amount.copy_negate()
