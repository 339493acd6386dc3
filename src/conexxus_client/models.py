"""
The trade's nouns: what comes from the back office and what goes to it.

Amounts are `Decimal` with the digits they were given, moments are aware
datetimes, a business date is a `date`.  A binary float is refused wherever
money is expected, because it has already lost the digits.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs
from attrs.converters import optional

from ._receipt import _amounts as fields
from ._receipt._amounts import amount_of, average, exact_sum
from ._receipt._mapping_reader import MappingReader, Unknown
from ._receipt._receipt_parts import (
    Discount,
    LineKind,
    Tax,
    Tender,
    TransactionKind,
    currency_decimals,
    is_aware,
    is_currency,
    is_text,
)


# A converter that type checkers can follow: at run time, it is `tuple`.
if TYPE_CHECKING:

    def _tenders(values: Iterable[Tender]) -> tuple[Tender, ...]: ...
    def _taxes(values: Iterable[Tax]) -> tuple[Tax, ...]: ...
    def _discounts(values: Iterable[Discount]) -> tuple[Discount, ...]: ...
else:
    _tenders = _taxes = _discounts = tuple

# What a receipt may have besides a plain sale, and a line of it.
_OF_RECEIPT = attrgetter(
    "register", "kind", "tenders", "taxes", "discounts", "rounding", "currency"
)
_OF_LINE = attrgetter("name", "category", "unit", "kind", "discounts", "taxes")
_PLAIN_RECEIPT = (None, None, (), (), (), None, None)
_PLAIN_LINE = (None, None, None, None, (), ())


def _price(value: Any) -> Decimal:
    # Nearly always it is one already, and there may be a million of them.
    return value if type(value) is Decimal else amount_of(value)


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
        sku: May be absent if there is a `kind` that is neither an item nor fuel.
        quantity: Negative on a refund; a Decimal for goods sold by weight.
        price: Of one unit; positive on a refund, too.
        amount: Of the line, before its discounts, if the till's differs from
            quantity times price.
        unit: What the quantity counts, like `each`, `kg` or `gal`.
        taxes: What the line has of the taxes of the receipt.
    """

    sku: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))
    quantity: int | Decimal = attrs.field(converter=fields.quantity)
    price: Decimal = attrs.field(converter=fields.price)
    amount: Decimal | None = attrs.field(default=None, converter=optional(fields.amount))
    extra: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    name: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))
    category: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))
    unit: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))
    kind: LineKind | None = attrs.field(default=None, converter=optional(LineKind))
    discounts: tuple[Discount, ...] = attrs.field(default=(), converter=_discounts)
    taxes: tuple[Tax, ...] = attrs.field(default=(), converter=_taxes)

    def __attrs_post_init__(self) -> None:
        if self.sku is None and (self.kind is None or self.kind.needs_sku):
            msg = "sku must be a text that is not empty"
            raise ValueError(msg)

        _refuse_others(Discount, self.discounts)
        _refuse_others(Tax, self.taxes)

    @property
    def sent_sku(self) -> str:
        """
        Its SKU; of a line without one its kind, like `TIP`.
        """
        return self.sku or str(self.kind).upper()


def _lines(lines: Iterable[TransactionLine]) -> tuple[TransactionLine, ...]:
    found = tuple(lines)
    _refuse_others(TransactionLine, found)

    return found


def _refuse_others(kind: type, values: Iterable[object]) -> None:
    for value in values:
        if not isinstance(value, kind):
            msg = f"expected a {kind.__name__}, got {type(value).__name__}"
            raise TypeError(msg)


@attrs.frozen(kw_only=True)
class Transaction:
    """
    One finished sale at the till.

    A refund is a transaction with negative quantities.  Open, suspended and
    training sales are none.

    Attributes:
        id: Unique within its location and business date.
        timestamp: When it was finished; aware.
        total: What was paid, tax included, without a tip that is in a tender.
        tax: The sum of the taxes; where `taxes` are given, these count.
        discount: The sum of the discounts, likewise.
        business_date: The till's own, if it has one; never sent.
        register: The till at which it was made.
        taxes: The totals by code.
        discounts: Those that are on no line.
        rounding: What was added, or with a minus taken off, to pay in coins.
        currency: By ISO 4217; it says how many decimals an amount has.
    """

    id: str = attrs.field(validator=is_text)
    timestamp: datetime = attrs.field(validator=is_aware)
    total: Decimal = attrs.field(converter=fields.total)
    items: tuple[TransactionLine, ...] = attrs.field(converter=_lines)
    tax: Decimal | None = attrs.field(default=None, converter=optional(fields.tax))
    discount: Decimal | None = attrs.field(default=None, converter=optional(fields.discount))
    business_date: date | None = attrs.field(
        default=None, validator=attrs.validators.optional(_date)
    )
    extra: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    register: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))
    kind: TransactionKind | None = attrs.field(default=None, converter=optional(TransactionKind))
    tenders: tuple[Tender, ...] = attrs.field(default=(), converter=_tenders)
    taxes: tuple[Tax, ...] = attrs.field(default=(), converter=_taxes)
    discounts: tuple[Discount, ...] = attrs.field(default=(), converter=_discounts)
    rounding: Decimal | None = attrs.field(default=None, converter=optional(fields.rounding))
    currency: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(is_currency)
    )

    def __attrs_post_init__(self) -> None:
        _refuse_others(Tender, self.tenders)
        _refuse_others(Tax, self.taxes)
        _refuse_others(Discount, self.discounts)

    @classmethod
    def from_mapping(
        cls,
        record: Mapping[str, Any],
        minor_units: int | None = None,
        *,
        unknown: Unknown = "refuse",
    ) -> "Transaction":
        """
        Build it from what a database row or an API gives, by field name.

        Lines, tenders, taxes and discounts are lists of mappings.  A float is
        refused; an amount may be a Decimal, an int or a plain decimal text,
        and a moment a text with its offset.  None is an absent value.

        Args:
            minor_units: Decimals of the currency.  With it, an int is in its
                smallest unit (4998 is 49.98), and every other amount but a
                `price` is rounded to it, half up; without it, an int is in
                whole units, and each digit stays.  Quantities and rates are
                never changed.
            unknown: Whether a key that is no field is refused, kept in the
                `extra` of the transaction or line, or ignored.

        Raises:
            ValueError: A value is missing or wrong; it names the field, like
                `items[0].price`.
        """
        return MappingReader(parts=_PARTS, minor_units=minor_units, unknown=unknown).build(
            cls, record
        )

    # Asked by all that writes, compares or checks a sale.
    @cached_property
    def is_plain(self) -> bool:
        """
        Is it no more than id, time, total, sums and lines of SKU, quantity and price?
        """
        return _OF_RECEIPT(self) == _PLAIN_RECEIPT and all(
            map(_PLAIN_LINE.__eq__, map(_OF_LINE, self.items))
        )

    @property
    def all_taxes(self) -> tuple[Tax, ...]:
        """
        The taxes by code, or what the lines have of them.
        """
        return self.taxes or tuple(tax for line in self.items for tax in line.taxes)

    @property
    def all_discounts(self) -> tuple[Discount, ...]:
        """
        The discounts, those of the lines included.
        """
        return (*self.discounts, *(one for line in self.items for one in line.discounts))

    @property
    def is_revenue(self) -> bool:
        """
        Is it more than money that was put into the drawer, or taken out?
        """
        return self.kind is None or not self.kind.moves_money_only


_PARTS: Mapping[str, type] = {
    "items": TransactionLine,
    "tenders": Tender,
    "taxes": Tax,
    "discounts": Discount,
}


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
        Sum up *transactions* exactly, without what was paid in and out; only
        the average is rounded, to the decimals of the currency.
        """
        sales = tuple(sale for sale in transactions if sale.is_revenue)
        revenue = exact_sum(sale.total for sale in sales)
        sold = exact_sum(line.quantity for sale in sales for line in sale.items)
        decimals = max((currency_decimals(sale.currency) for sale in sales), default=2)

        return cls(
            total_orders=len(sales),
            total_revenue=revenue,
            total_tax=exact_sum(_sum_of(sale.all_taxes, sale.tax) for sale in sales),
            total_discount=exact_sum(_sum_of(sale.all_discounts, sale.discount) for sale in sales),
            average_order_value=average(revenue, len(sales), decimals),
            items_sold=int(sold) if sold == sold.to_integral_value() else sold,
        )


def _sum_of(breakdown: Iterable[Tax | Discount], otherwise: Decimal | None) -> Decimal:
    return exact_sum(part.amount for part in breakdown) if breakdown else otherwise or Decimal()


def _transactions(transactions: Iterable[Transaction]) -> tuple[Transaction, ...]:
    found = tuple(transactions)
    _refuse_others(Transaction, found)

    return found


@attrs.frozen(kw_only=True)
class SalesBatch:
    """
    Transactions of one location and business date that are sent together.
    """

    date: Date = attrs.field(validator=_date)
    location_id: str = attrs.field(validator=is_text)
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

    Attributes:
        help: The entry of the documentation about the error; None without one.
    """

    success: bool
    message: str
    latency_ms: int | None = None
    help: str | None = None
