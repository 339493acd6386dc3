"""
What an order source may yield besides transactions: mappings, sales that can't be built, remarks.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import attrs

from conexxus_client import Discount, LineKind, Tax, Tender, Transaction, TransactionLine


T = TypeVar("T")

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


class FieldError(ValueError):
    """
    A field of a mapping that a sale can't be built from; the text names it.
    """


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
        return _built(record)
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


def _built(record: Mapping[str, Any]) -> Transaction:
    return Transaction(
        id=_text(record, "id"),
        timestamp=_moment(record, "timestamp"),
        total=_amount(record, "total"),
        items=_lines(record),
        tax=_amount(record, "tax", optional=True),
        discount=_amount(record, "discount", optional=True),
        business_date=_day(record, "businessDate") or _day(record, "business_date"),
        extra=_mapping(record, "extra"),
        register=_text(record, "register", optional=True),
        kind=_text(record, "kind", optional=True),
        currency=_text(record, "currency", optional=True),
        rounding=_amount(record, "rounding", optional=True),
        tenders=_parts(record, "tenders", "", _tender),
        taxes=_parts(record, "taxes", "", _tax),
        discounts=_parts(record, "discounts", "", _discount),
    )


def _lines(record: Mapping[str, Any]) -> list[TransactionLine]:
    lines = record.get("items")

    if isinstance(lines, str | bytes | Mapping) or not isinstance(lines, Iterable):
        raise _wrong("items", "a list of lines", lines)

    return [_line(line, f"items[{number}]") for number, line in enumerate(lines)]


def _line(line: object, path: str) -> TransactionLine:
    if isinstance(line, TransactionLine):
        return line
    if not isinstance(line, Mapping):
        raise _wrong(path, "a mapping", line)

    within = f"{path}."

    return TransactionLine(
        sku=_text(line, "sku", within, optional=_needs_no_sku(line)),
        quantity=_amount(line, "quantity", within),
        price=_amount(line, "price", within),
        amount=_amount(line, "amount", within, optional=True),
        extra=_mapping(line, "extra", within),
        name=_text(line, "name", within, optional=True),
        category=_text(line, "category", within, optional=True),
        unit=_text(line, "unit", within, optional=True),
        kind=_text(line, "kind", within, optional=True),
        discounts=_parts(line, "discounts", within, _discount),
        taxes=_parts(line, "taxes", within, _tax),
    )


def _needs_no_sku(line: Mapping[str, Any]) -> bool:
    kind = line.get("kind")
    return kind is not None and kind not in (LineKind.ITEM, LineKind.FUEL)


def _parts(
    record: Mapping[str, Any], key: str, within: str, read: Callable[[Mapping[str, Any], str], T]
) -> list[T]:
    """
    What *read* makes of each mapping of a list, which may be absent.
    """
    values = record.get(key) or ()

    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _wrong(within + key, "a list", values)

    return [_part(value, f"{within}{key}[{place}]", read) for place, value in enumerate(values)]


def _part(value: Any, path: str, read: Callable[[Mapping[str, Any], str], T]) -> T:
    if isinstance(value, Mapping):
        return read(value, f"{path}.")
    if not isinstance(value, Tender | Tax | Discount):
        raise _wrong(path, "a mapping", value)

    return value  # type: ignore[return-value]  # the model refuses one of another kind


def _tender(record: Mapping[str, Any], within: str) -> Tender:
    return Tender(
        type=_text(record, "type", within),
        amount=_amount(record, "amount", within),
        change=_amount(record, "change", within, optional=True),
        tip=_amount(record, "tip", within, optional=True),
        reference=_text(record, "reference", within, optional=True),
    )


def _tax(record: Mapping[str, Any], within: str) -> Tax:
    return Tax(
        code=_text(record, "code", within),
        amount=_amount(record, "amount", within),
        taxable=_amount(record, "taxable", within, optional=True),
        rate=_amount(record, "rate", within, optional=True),
        included=record.get("included"),
    )


def _discount(record: Mapping[str, Any], within: str) -> Discount:
    return Discount(
        amount=_amount(record, "amount", within),
        code=_text(record, "code", within, optional=True),
    )


def _text(record: Mapping[str, Any], key: str, within: str = "", *, optional: bool = False) -> Any:
    value = record.get(key)

    if value is None and optional:
        return None
    if not isinstance(value, str) or not value.strip():
        raise _wrong(within + key, "a text that is not empty", value)

    return value


def _amount(
    record: Mapping[str, Any], key: str, within: str = "", *, optional: bool = False
) -> Any:
    value = record.get(key)

    if value is None and optional:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise _wrong(within + key, "a Decimal or an int", value)

    try:
        # The model bounds how long an amount may be.
        TransactionLine(sku="-", quantity=1, price=Decimal(value))
    except UNFIT as exc:
        msg = f"{within}{key}: {_reason(exc).removeprefix('price: ')}"
        raise FieldError(msg) from None

    return value


def _moment(record: Mapping[str, Any], key: str) -> datetime:
    value = record.get(key)

    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _wrong(key, "a moment like 2026-01-02T10:00:00Z", value) from None

    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise _wrong(key, "an aware datetime, or a text like 2026-01-02T10:00:00Z", value)

    return value


def _day(record: Mapping[str, Any], key: str) -> date | None:
    value = record.get(key)

    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _wrong(key, "a date like 2026-01-02", value) from None

    if value is not None and (isinstance(value, datetime) or not isinstance(value, date)):
        raise _wrong(key, "a date, without a time", value)

    return value


def _mapping(record: Mapping[str, Any], key: str, within: str = "") -> Mapping[str, Any]:
    value = record.get(key)

    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(within + key, "a mapping", value)

    return value


def _wrong(path: str, expected: str, value: object) -> FieldError:
    found = "it is missing or None" if value is None else f"not {_kind(value)}"
    return FieldError(f"{path} must be {expected}, {found}")


def _kind(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        return "a naive datetime"
    if isinstance(value, str):
        return "another text" if value.strip() else "an empty text"

    return f"a value of type {type(value).__name__}"


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
