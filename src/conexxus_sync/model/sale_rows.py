"""
Rows of the host's tables as the sales of a business date, by the names of the wire contract.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from .calendar import LONGEST_FOLD, StoreCalendar
from .formatting import did_you_mean


EXTRA = "extra."
SALE = (
    *("id", "timestamp", "total", "tax", "discount", "businessDate", "register", "kind"),
    *("currency", "rounding", "key"),
)
PARTS: Mapping[str, tuple[str, ...]] = {
    "items": (
        *("order_id", "sku", "quantity", "price", "amount", "name", "category", "unit", "kind"),
    ),
    "tenders": ("order_id", "type", "amount", "change", "tip", "reference"),
    "taxes": ("order_id", "code", "amount", "taxable", "rate", "included"),
    "discounts": ("order_id", "code", "amount"),
}
_AMOUNTS = {
    *("total", "tax", "discount", "rounding", "quantity", "price", "amount"),
    *("change", "tip", "taxable", "rate"),
}


@attrs.frozen(kw_only=True)
class SaleRows:
    """
    How rows are read.

    Attributes:
        timezone: Zone of moments that have none in the database; without it,
            such moments are refused.
        store_timezone: Zone of the store, for the moments between which a
            business date lies; None if they are not needed.
        day_closes_at: When the store's business date ends.
        decimals: Digits behind the point to which floats are rounded; without
            it, floats are refused.
    """

    timezone: tzinfo | None = None
    store_timezone: ZoneInfo | None = None
    day_closes_at: time = time(0)
    decimals: int | None = None
    _calendar: StoreCalendar | None = attrs.field(init=False)

    @_calendar.default
    def _make_calendar(self) -> StoreCalendar | None:
        if self.store_timezone is None:
            return None

        return StoreCalendar(timezone=self.store_timezone, day_closes_at=self.day_closes_at)

    def record(self, fields: Iterable[str], row: Iterable[Any]) -> dict[str, Any]:
        """
        The mapping of the wire contract that *row* is, without its lists.
        """
        record: dict[str, Any] = {}

        for field, value in zip(fields, row, strict=True):
            if not field.startswith(EXTRA):
                record[field] = self._value(field, value)
            elif value is not None:
                record.setdefault("extra", {})[field.removeprefix(EXTRA)] = self._amount(value)

        return record

    def window(self, business_date: date) -> tuple[datetime, datetime] | None:
        """
        The moments between which the business date lies, as the database
        writes them; the first belongs to it.
        """
        if (calendar := self._calendar) is None:
            return None

        begin = calendar.close_moment(business_date - timedelta(days=1)) - LONGEST_FOLD

        return self._written(begin), self._written(calendar.close_moment(business_date))

    def belongs(self, order: Mapping[str, Any], business_date: date) -> bool:
        """
        Is it one of the date?  In the night when clocks are set back, the
        moments between which a date lies overlap.
        """
        moment, calendar = order.get("timestamp"), self._calendar

        if calendar is None or order.get("businessDate") is not None:
            return True
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            return True

        return calendar.business_date(moment) == business_date

    def _value(self, field: str, value: Any) -> Any:
        """
        What can't be read is left as it is: the sale is set aside with its name.
        """
        if field == "timestamp":
            return self._moment(value)
        if field == "included" and value is not None:
            return bool(value)
        if field not in _AMOUNTS:
            return value
        if isinstance(value, str):
            try:
                return Decimal(value)
            except InvalidOperation:
                return value

        return self._amount(value)

    def _moment(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return value
        if isinstance(value, datetime) and value.tzinfo is None and self.timezone:
            return value.replace(tzinfo=self.timezone)

        return value

    def _amount(self, value: Any) -> Any:
        if isinstance(value, float) and self.decimals is not None:
            return round(Decimal(repr(value)), self.decimals)

        return value

    def _written(self, moment: datetime) -> datetime:
        """
        As the database writes its moments.
        """
        if self.timezone is None:
            return moment

        return moment.astimezone(self.timezone).replace(tzinfo=None)


def sale_id(value: Any) -> Any:
    """
    The text of a number or a UUID; what is neither is left as it is.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number or isinstance(value, UUID) else value


def split_by_part(columns: Mapping[str, str]) -> Mapping[str, dict[str, str]]:
    """
    The field of each column, by the query that it is in: `items.sku` is a line's.

    Args:
        columns: Column by field.
    """
    split: dict[str, dict[str, str]] = {part: {} for part in ("", *PARTS)}

    for path, column in columns.items():
        part, dot, field = path.partition(".")
        if part in PARTS and dot:
            split[part][column] = field
        else:
            split[""][column] = path

    return split


def column_problems(argument: str, columns: Mapping[str, str]) -> Iterator[str]:
    """
    Which of *columns* are no fields of a sale; one sentence each.

    Args:
        argument: How the host calls them.
    """
    known = [*SALE, *(f"{part}.{field}" for part, fields in PARTS.items() for field in fields)]

    for path in columns:
        if path not in known and EXTRA not in path:
            yield f"{argument}: {path!r} is no field of a sale{did_you_mean(path, known)}"
