"""
The trade's nouns: what comes from the back office and what goes to it.

Amounts are `Decimal` with the digits they were given, moments are aware
datetimes, a business date is a `date`.  A binary float is refused wherever
money is expected, because it has already lost the digits.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from functools import reduce
from typing import Any, TypeVar

import attrs


T = TypeVar("T")

MAX_DIGITS = 38
MAX_DECIMALS = 18

_CENT = Decimal("0.01")

# Any number of so many bits has at most 38 digits.
_SMALL_BITS = 126

# Enough for a billion of the largest amounts.
_SUM_DIGITS = MAX_DIGITS + MAX_DECIMALS + 9


def is_valid_amount(amount: Decimal) -> bool:
    """
    Is *amount* finite, with at most 38 digits of which 18 are decimals?
    """
    _, digits, exponent = amount.as_tuple()

    if not isinstance(exponent, int) or -exponent > MAX_DECIMALS:
        return False

    # The size is settled on the exponent, before anything expands it.
    return max(len(digits) + exponent, 0) + max(-exponent, 0) <= MAX_DIGITS


def _is_plain(amount: Decimal) -> bool:
    """
    Is *amount* of cents, not zero, and small enough?  Nearly all are, and
    this takes a tenth of the time that its digits take.
    """
    return bool(amount) and amount.same_quantum(_CENT) and amount.adjusted() < MAX_DIGITS - 2


def unsigned_zero(amount: Decimal) -> Decimal:
    """
    *amount*, but a zero without a minus sign: JSON parsers drop it.
    """
    return amount if amount else amount.copy_abs()


def exact_sum(amounts: Iterable[Decimal | int]) -> Decimal:
    """
    Add up *amounts* without losing a digit.

    The built-in `sum` rounds to the precision of the thread's decimal
    context: 28 digits by default, or what the host application has set.
    """
    exact = Context(prec=_SUM_DIGITS, traps=[Inexact])

    return reduce(exact.add, amounts, Decimal())


def _amount(value: Any) -> Decimal:
    """
    Turn *value* into an exact amount.

    Raises:
        TypeError: It is neither a Decimal nor an int.
        ValueError: It is not finite, or has more digits than an amount may.
    """
    if type(value) is Decimal and _is_plain(value):
        return value

    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        msg = f"an amount must be a Decimal or an int, not {type(value).__name__}"
        raise TypeError(msg)

    amount = Decimal(value)

    if not is_valid_amount(amount):
        msg = f"an amount is finite, with at most {MAX_DIGITS} digits and {MAX_DECIMALS} decimals"
        raise ValueError(msg)

    return unsigned_zero(amount)


def _named_amount(name: str, value: Any) -> Decimal:
    """
    The amount of a field: a till has dozens, so what is wrong has its name.
    """
    try:
        return _amount(value)
    except (TypeError, ValueError) as exc:
        msg = f"{name}: {exc}"
        raise type(exc)(msg) from None


def _quantity(value: Any) -> int | Decimal:
    if type(value) is int and value.bit_length() <= _SMALL_BITS:
        return value

    amount = _named_amount("quantity", value)
    return value if isinstance(value, int) else amount


def _line_price(value: Any) -> Decimal:
    return _named_amount("price", value)


def _line_amount(value: Any) -> Decimal | None:
    return None if value is None else _named_amount("amount", value)


def _total(value: Any) -> Decimal:
    return _named_amount("total", value)


def _tax(value: Any) -> Decimal | None:
    return None if value is None else _named_amount("tax", value)


def _discount(value: Any) -> Decimal | None:
    return None if value is None else _named_amount("discount", value)


def _aware(_: Any, attribute: "attrs.Attribute[datetime]", value: Any) -> None:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        msg = f"{attribute.name} must be an aware datetime: say in which zone it was read"
        raise ValueError(msg)


def _all(values: tuple[T, ...], kind: type[T]) -> tuple[T, ...]:
    for value in values:
        if not isinstance(value, kind):
            msg = f"expected a {kind.__name__}, got {type(value).__name__}"
            raise TypeError(msg)

    return values


def _price(value: Any) -> Decimal:
    # Nearly always it is one already, and there may be a million of them.
    return value if type(value) is Decimal else _amount(value)


def _text(_: Any, attribute: "attrs.Attribute[str]", value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        msg = f"{attribute.name} must be a text that is not empty"
        raise ValueError(msg)


def _date(_: Any, attribute: "attrs.Attribute[date]", value: Any) -> None:
    if isinstance(value, datetime) or not isinstance(value, date):
        msg = f"{attribute.name} must be a date, without a time"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Item:
    """
    One thing that the back office sells.

    Attributes:
        price: In the store's currency, with the digits received.
        extra: Whatever else the back office said about it, by wire key.
            Numbers are `int` or `Decimal`, never float.
    """

    sku: str
    name: str
    price: Decimal = attrs.field(converter=_price)
    category: str | None = None
    description: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class InvalidItem:
    """
    An element of the catalogue that is not an item, kept as it came.

    Attributes:
        raw: Its JSON text, byte for byte; of one that is too large, the
            beginning.
        reason: What is wrong with it, for people.
        path: Where in it, as a JSONPath: `$.price`.
        sku: Its SKU, if that much can be read.
        detail: Which rule it breaks, if the reason has several.
    """

    raw: bytes
    reason: str
    path: str = "$"
    sku: str | None = None
    detail: str | None = attrs.field(default=None, eq=False)


@attrs.frozen(kw_only=True)
class TransactionLine:
    """
    One line of a receipt.

    Attributes:
        quantity: Negative on a refund; a Decimal for goods sold by weight.
        price: Of one unit; positive on a refund, too.
        amount: Of the line, if the till's differs from quantity times price.
    """

    sku: str = attrs.field(validator=_text)
    quantity: int | Decimal = attrs.field(converter=_quantity)
    price: Decimal = attrs.field(converter=_line_price)
    amount: Decimal | None = attrs.field(default=None, converter=_line_amount)
    extra: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


def _lines(lines: Iterable[TransactionLine]) -> tuple[TransactionLine, ...]:
    return _all(tuple(lines), TransactionLine)


@attrs.frozen(kw_only=True)
class Transaction:
    """
    One finished sale at the till.

    A refund is a transaction with negative quantities.  Open, suspended and
    training sales are none.

    Attributes:
        id: Unique within its location and business date.
        timestamp: When it was finished; aware.
        total: What was paid, tax included.
        business_date: The till's own, if it knows one; never sent.
    """

    id: str = attrs.field(validator=_text)
    timestamp: datetime = attrs.field(validator=_aware)
    total: Decimal = attrs.field(converter=_total)
    items: tuple[TransactionLine, ...] = attrs.field(converter=_lines)
    tax: Decimal | None = attrs.field(default=None, converter=_tax)
    discount: Decimal | None = attrs.field(default=None, converter=_discount)
    business_date: date | None = attrs.field(
        default=None, validator=attrs.validators.optional(_date)
    )
    extra: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class SalesSummary:
    """
    A day in six figures.
    """

    total_orders: int
    total_revenue: Decimal
    total_tax: Decimal
    total_discount: Decimal
    average_order_value: Decimal
    items_sold: int | Decimal

    @classmethod
    def of(cls, transactions: Iterable[Transaction]) -> "SalesSummary":
        """
        Sum up *transactions* exactly; only the average is rounded, to cents.
        """
        sales = tuple(transactions)
        revenue = exact_sum(sale.total for sale in sales)
        sold = exact_sum(line.quantity for sale in sales for line in sale.items)

        return cls(
            total_orders=len(sales),
            total_revenue=revenue,
            total_tax=exact_sum(sale.tax or 0 for sale in sales),
            total_discount=exact_sum(sale.discount or 0 for sale in sales),
            average_order_value=_average(revenue, len(sales)),
            items_sold=int(sold) if sold == sold.to_integral_value() else sold,
        )


def _average(amount: Decimal, count: int) -> Decimal:
    """
    To cents, half up.
    """
    wide = Context(prec=2 * _SUM_DIGITS, rounding=ROUND_HALF_UP)

    return wide.divide(amount, Decimal(count or 1)).quantize(_CENT, context=wide)


def _transactions(transactions: Iterable[Transaction]) -> tuple[Transaction, ...]:
    return _all(tuple(transactions), Transaction)


@attrs.frozen(kw_only=True)
class SalesBatch:
    """
    Transactions of one location and business date that are sent together.
    """

    date: Date = attrs.field(validator=_date)
    location_id: str = attrs.field(validator=_text)
    transactions: tuple[Transaction, ...] = attrs.field(converter=_transactions)
    summary: SalesSummary | None = None


@attrs.frozen(kw_only=True)
class RejectedTransaction:
    """
    A transaction that the back office refused, and its reason.
    """

    id: str
    error: str


@attrs.frozen(kw_only=True)
class PushReceipt:
    """
    The back office's answer to a batch that it took.

    Attributes:
        accepted: How many transactions it says it took, if it says so.
        rejected: Those it refused by name; the rest are accepted, unless
            there is a `complaint`.
        duplicates: How many it says it had before, if it gives a count.
        duplicate_ids: Those it says it had before, if it names them.
        least: The smallest of its other counts, like `processed`.
        complaint: What else the answer says is wrong, in spite of its
            success: then it is no assent.
    """

    accepted: int | None = None
    rejected: tuple[RejectedTransaction, ...] = ()
    duplicates: int = 0
    duplicate_ids: tuple[str, ...] = ()
    least: int | None = None
    complaint: str | None = None
    request_id: str | None = None


@attrs.frozen(kw_only=True)
class ApiHealth:
    """
    What the back office says of itself.

    Attributes:
        latency: Seconds from the request to the whole answer.
    """

    ok: bool
    status: str
    latency: float


@attrs.frozen(kw_only=True)
class ConnectionCheck:
    """
    Whether the back office can be reached with this configuration.
    """

    success: bool
    message: str
    latency_ms: int | None = None
