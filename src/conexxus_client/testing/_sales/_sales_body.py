"""
Reads the body of a sales push, and reports everything that is wrong with it.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn

import attrs

from conexxus_client._codec import decode_transaction, encode_json
from conexxus_client._receipt._amounts import is_valid_amount
from conexxus_client._receipt._receipt_parts import LineKind
from conexxus_client.errors import DecodeError
from conexxus_client.models import Transaction
from conexxus_client.testing._answer import RefusalError, problem


MAX_PROBLEMS = 100

_PLAIN = {"id", "timestamp", "total", "items", "tax", "discount", "extra"}
_PLAIN_LINE = {"sku", "quantity", "price", "amount", "extra"}
_KINDS_WITHOUT_SKU = {kind for kind in LineKind if not kind.needs_sku}


@attrs.frozen(kw_only=True)
class SaleLine:
    """
    One line of a receipt, as the back office has it.
    """

    sku: str
    quantity: Decimal
    price: Decimal


@attrs.frozen(kw_only=True)
class Sale:
    """
    One transaction, as the back office has it.

    Attributes:
        wire: All of it, as it was sent, as JSON.
    """

    id: str
    timestamp: str
    total: Decimal
    lines: tuple[SaleLine, ...] = ()
    tax: Decimal | None = None
    discount: Decimal | None = None
    wire: str = attrs.field(default="", eq=False, repr=False)

    @property
    def receipt(self) -> Transaction:
        """
        With tenders, taxes and whatever else was sent.

        Raises:
            DecodeError: The books are of a version that did not keep it.
        """
        return decode_transaction(self.wire)


@attrs.frozen(kw_only=True)
class SalesReport:
    """
    The body of one push.
    """

    location: str
    date: date
    sales: tuple[Sale, ...]


def read_sales(body: bytes) -> SalesReport:
    """
    Read the body of a push.

    Raises:
        RefusalError: 400 if it is no JSON, 422 if it is no sales report.
    """
    value = _decode(body)
    errors = [
        {"pointer": f"#{pointer}", "detail": detail}
        for (pointer, detail), _ in zip(_problems(value), range(MAX_PROBLEMS), strict=False)
    ]

    if errors:
        first = errors[0]
        raise RefusalError(problem(422, f"{first['pointer']} {first['detail']}", errors=errors))

    return SalesReport(
        location=value["locationId"],
        date=date.fromisoformat(value["date"]),
        sales=tuple(map(_decode_sale, value["transactions"])),
    )


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise RefusalError(problem(400, "The body is nested too deeply.")) from None
    except ValueError as exc:
        raise RefusalError(problem(400, f"The body is not JSON: {exc}")) from exc


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


def _problems(value: Any) -> Iterator[tuple[str, str]]:
    """
    What is wrong, each with its JSON pointer.
    """
    if not isinstance(value, dict):
        yield "", "must be an object"
        return
    if not _is_date(value.get("date")):
        yield "/date", "must be a date like 2026-01-02"
    if not _is_text(value.get("locationId")):
        yield "/locationId", "must be a text that is not empty"
    transactions = value.get("transactions")
    if not isinstance(transactions, list):
        yield "/transactions", "must be an array"
        return
    for index, transaction in enumerate(transactions):
        yield from _transaction_problems(transaction, f"/transactions/{index}")


def _transaction_problems(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield at, "must be an object"
        return
    if not _is_text(value.get("id")):
        yield f"{at}/id", "must be a text that is not empty"
    if not _is_moment(value.get("timestamp")):
        yield f"{at}/timestamp", "must be a moment with its offset, like 2026-01-02T10:00:00Z"
    if not _is_amount(value.get("total")):
        yield f"{at}/total", "must be a number"
    for name in ("tax", "discount"):
        if value.get(name) is not None and not _is_amount(value[name]):
            yield f"{at}/{name}", "must be a number"
    lines = value.get("items")
    if not isinstance(lines, list):
        yield f"{at}/items", "must be an array"
        return
    problems = [
        problem
        for index, line in enumerate(lines)
        for problem in _line_problems(line, f"{at}/items/{index}")
    ]
    yield from problems or _receipt_problems(value, at)


def _receipt_problems(value: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """
    What is wrong with fields that a plain sale has not.
    """
    if value.keys() <= _PLAIN and all(line.keys() <= _PLAIN_LINE for line in value["items"]):
        return

    try:
        decode_transaction(encode_json(value))
    except (DecodeError, ValueError) as exc:
        yield at, f"is no receipt: {exc}"


def _line_problems(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield at, "must be an object"
        return
    if "sku" not in value and value.get("kind") in _KINDS_WITHOUT_SKU:
        pass
    elif not _is_text(value.get("sku")):
        yield f"{at}/sku", "must be a text that is not empty"
    for name in ("quantity", "price"):
        if not _is_amount(value.get(name)):
            yield f"{at}/{name}", "must be a number"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_amount(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False

    return is_valid_amount(Decimal(value))


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


def _decode_sale(value: dict[str, Any]) -> Sale:
    return Sale(
        wire=encode_json(value).decode(),
        id=value["id"],
        timestamp=value["timestamp"],
        total=Decimal(value["total"]),
        tax=_optional_amount(value.get("tax")),
        discount=_optional_amount(value.get("discount")),
        lines=tuple(
            SaleLine(
                sku=line.get("sku", ""),
                quantity=Decimal(line["quantity"]),
                price=Decimal(line["price"]),
            )
            for line in value["items"]
        ),
    )


def _optional_amount(value: int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)
