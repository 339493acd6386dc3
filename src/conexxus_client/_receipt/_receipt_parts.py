"""
What a receipt is made of besides its lines: tenders, taxes, discounts, kinds, a currency.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from . import _amounts as fields


_CODE_LENGTH = 3

# ISO 4217: the currencies whose smallest unit is no hundredth.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def currency_decimals(currency: str | None) -> int:
    """
    How many decimals an amount of *currency* has; of an unknown one, two.
    """
    return 2 if currency is None else _DECIMALS.get(currency, 2)


class TransactionKind(StrEnum):
    """
    What kind of receipt it is.

    A `REFUND` has negative quantities and positive prices, an `EXCHANGE` has
    both, a `DEPOSIT_RETURN` negative lines of the kind `deposit`.  `PAID_IN`
    and `PAID_OUT` have no lines and are no revenue: the total is the money
    that moved, negative for what was paid out.
    """

    SALE = "sale"
    REFUND = "refund"
    EXCHANGE = "exchange"
    DEPOSIT_RETURN = "deposit_return"
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"

    @property
    def moves_money_only(self) -> bool:
        """
        Is it no revenue, and without lines?
        """
        return self in (TransactionKind.PAID_IN, TransactionKind.PAID_OUT)


class LineKind(StrEnum):
    """
    What a line stands for; only an `ITEM` and `FUEL` need a SKU.
    """

    ITEM = "item"
    FUEL = "fuel"
    DEPOSIT = "deposit"
    TIP = "tip"
    GIFT_CARD = "gift_card"
    FEE = "fee"
    CUSTOM = "custom"

    @property
    def needs_sku(self) -> bool:
        """
        Is it something of the catalogue?
        """
        return self in (LineKind.ITEM, LineKind.FUEL)


def is_text(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    """
    Validate a text that is not empty.
    """
    if not isinstance(value, str) or not value.strip():
        msg = f"{attribute.name} must be a text that is not empty"
        raise ValueError(msg)


def is_currency(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    """
    Validate a currency as ISO 4217 writes it.
    """
    if not (isinstance(value, str) and len(value) == _CODE_LENGTH and _is_code(value)):
        msg = f"{attribute.name} must be a code of ISO 4217, like USD"
        raise ValueError(msg)


def _is_code(text: str) -> bool:
    return text.isascii() and text.isalpha() and text.isupper()


def is_aware(_: Any, attribute: "attrs.Attribute[datetime]", value: Any) -> None:
    """
    Validate a moment with its offset.
    """
    if not isinstance(value, datetime) or value.utcoffset() is None:
        msg = f"{attribute.name} must be an aware datetime: say in which zone it was read"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Tender:
    """
    One means by which a receipt was paid.

    Attributes:
        type: As the back office calls it, like `cash`.
        amount: What was handed over, the tip included; negative for what was
            given back.
        change: What was returned of it.
        tip: What of it is a tip that is not a line.
        reference: What finds the payment, like the number of an authorization.
    """

    type: str = attrs.field(validator=is_text)
    amount: Decimal = attrs.field(converter=fields.amount)
    change: Decimal | None = attrs.field(
        default=None, converter=attrs.converters.optional(fields.change)
    )
    tip: Decimal | None = attrs.field(default=None, converter=attrs.converters.optional(fields.tip))
    reference: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))


@attrs.frozen(kw_only=True)
class Tax:
    """
    One tax of a receipt, or what a line has of it.

    Attributes:
        rate: In percent.
        taxable: The amount that is taxed.
        included: Whether the prices contain it.  A tax of a line may leave it
            to the tax of the receipt under the same code; where neither says
            it, the tax is added.
    """

    code: str = attrs.field(validator=is_text)
    amount: Decimal = attrs.field(converter=fields.amount)
    taxable: Decimal | None = attrs.field(
        default=None, converter=attrs.converters.optional(fields.taxable)
    )
    rate: Decimal | None = attrs.field(
        default=None, converter=attrs.converters.optional(fields.rate)
    )
    included: bool | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(bool))
    )


@attrs.frozen(kw_only=True)
class Discount:
    """
    What was taken off a line, or off a receipt; a positive amount.
    """

    amount: Decimal = attrs.field(converter=fields.amount)
    code: str | None = attrs.field(default=None, validator=attrs.validators.optional(is_text))
