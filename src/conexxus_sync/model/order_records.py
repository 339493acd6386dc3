"""
What an order source may yield besides transactions: mappings, sales that can't be built, remarks.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import attrs

from conexxus_client import Transaction


# What building a sale raises for a value that it can't have.
UNFIT = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)

# Enough to find a sale by; a till may put a picture into it.
LONGEST_RAW = 64 * 1024


@attrs.frozen(kw_only=True)
class UnusableTransaction:
    """
    A sale that can't be built; an order source yields it in its place.

    It is set aside under its id, with the reason, and the other sales go.

    Attributes:
        id: Of the sale, or what else finds it at the till.
        reason: What is wrong with it, and in which field.
        raw: The sale as it was found, for who looks at it.
    """

    id: str
    reason: str
    raw: bytes = attrs.field(default=b"{}", repr=False)


@attrs.frozen(kw_only=True)
class OrderRemark:
    """
    Something to look at in what an order source reads; no sale waits for it.

    It is shown among the errors of the date's run, and does not change its status.
    """

    text: str


OrderRecord = Transaction | Mapping[str, Any] | UnusableTransaction | OrderRemark


def transaction_of(record: object) -> Transaction | UnusableTransaction | OrderRemark:
    """
    Build the sale that an order source means by *record*, or say why not.
    """
    if isinstance(record, Transaction | UnusableTransaction | OrderRemark):
        return record
    if not isinstance(record, Mapping):
        reason = f"it is a {type(record).__name__} instead of a Transaction or a mapping"
        return unusable(record, reason)

    try:
        return Transaction.from_mapping(record, unknown="ignore")
    except UNFIT as exc:
        return unusable(record, _reason(exc))


def unusable(record: object, reason: str) -> UnusableTransaction:
    """
    Set *record* aside for *reason*, under its id if it has one.

    What has no id is named after its content: the same in each read, and
    never like a sale.
    """
    raw = _raw(record)
    name = _id_of(record)

    if name is None:
        name = f"no id #{sha256(raw).hexdigest()[:8]}"

    return UnusableTransaction(id=name, reason=f"Transaction can't be built: {reason}", raw=raw)


def _id_of(record: object) -> str | None:
    name = record.get("id") if isinstance(record, Mapping) else None

    if isinstance(name, int):
        # Not the sale whose id is the text.
        return f"{name} ({type(name).__name__})"

    return name if isinstance(name, str) and name.strip() else None


def _reason(exc: BaseException) -> str:
    text = str(exc)
    return text if isinstance(exc, ValueError | TypeError) else f"{type(exc).__name__}: {text}"


def _raw(record: object) -> bytes:
    """
    *record* as JSON, as far as it can be written: the same in each read.
    """
    try:
        text = json.dumps(record, default=_written, skipkeys=True, sort_keys=True)
    except UNFIT:
        text = json.dumps({"type": type(record).__name__})

    return text.encode()[:LONGEST_RAW]


def _written(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Decimal | date):
        return str(value)

    # The text of any other object may hold an address, another in each read.
    return f"<{type(value).__name__}>"
