"""
The rules of an `OrderSource`, as tests that a host's own test class inherits.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conexxus_client import Transaction
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.order_records import UnusableTransaction, transaction_of
from conexxus_sync.runtime.host_methods import synchronous_orders

from ._rules import broken, finished, in_a_thread, must_pass


class OrderSourceContract:
    """
    What the SDK relies on in an `OrderSource`; one test for each rule.

    A host's test class inherits it, gives a fixture `source` and the date of
    some sales that it has.  pytest does the rest.

    Attributes:
        location_id: The location whose sales are read.
        business_date: A date on which the source has two sales or more.
        timezone: The store's, by which a moment belongs to a date.
        day_closes_at: When the business day ends, on the next calendar day.
        empty_date: A date without sales.

    Example:
        ```python
        class TestShopOrders(OrderSourceContract):
            business_date = date(2026, 1, 2)
            timezone = ZoneInfo("America/New_York")

            @pytest.fixture
            def source(self, shop_database):
                return ShopOrders(shop_database)
        ```
    """

    location_id: str = "loc-001"
    business_date: date
    timezone: ZoneInfo
    day_closes_at: time = time(0)
    empty_date: date = date(1990, 1, 1)

    def test_is_done_when_it_returns(self, source: Any) -> None:
        """
        `transactions` returns an iterable; only an `AsyncOrderSource` is awaited.

        To mend it, return a list, or make it a generator; an asynchronous one is
        declared as such: `async def` with `yield`.
        """
        result = self._call(source, self.business_date)

        if inspect.isawaitable(result) or inspect.isasyncgen(result):
            finished(result)
            broken(f"transactions returned a {type(result).__name__}: an iterable is needed")

    def test_there_are_sales(self, source: Any) -> None:
        """
        The date has sales: else no other rule shows anything.
        """
        if len(self._read(source)) < 2:
            broken(f"{self.business_date} needs at least two sales: choose another business_date")

    def test_same_answer_twice(self, source: Any) -> None:
        """
        The same date has the same sales, each time that it is read.

        To mend it, read what is stored, by a condition that does not change from
        call to call: ids and moments are those of the sale.
        """
        first, second = self._read(source), self._read(source)
        missing = [each for each in first if each not in second]

        if missing or len(first) != len(second):
            broken(
                f"of {len(first)} sales {len(missing)} are missing or another in a second "
                f"answer of {len(second)}: {_name(missing[0]) if missing else 'the others are new'}"
            )

    def test_same_order(self, source: Any) -> None:
        """
        The sales of a date have an order, the same each time.
        """
        answers = [[_name(each) for each in self._read(source)] for _ in range(5)]

        if any(sorted(answer) == sorted(answers[0]) != answer != answers[0] for answer in answers):
            broken("the same sales came in another order: sort them, by time and id for example")

    def test_partly_read(self, source: Any) -> None:
        """
        An answer that is not read to its end does not disturb the next one.

        To mend it, read each answer with a cursor of its own.
        """
        whole = self._read(source)
        begun = iter(self._ask(source))
        next(begun, None)
        again = self._read(source)

        if len(again) != len(whole):
            broken(
                f"after an answer that was read in part, {len(again)} of {len(whole)} sales came"
            )

    def test_thread(self, source: Any) -> None:
        """
        The scheduler reads the sales in a thread of its own.

        To mend it, open a connection for each call, or take one of a pool.
        """
        if error := in_a_thread(lambda: self._read(source)):
            broken(f"transactions in another thread raised {type(error).__name__}: {error}", error)

    def test_empty_day(self, source: Any) -> None:
        """
        A date without sales is an empty answer, not an error and not None.

        To mend it, return an empty list.
        """
        with must_pass(f"transactions of {self.empty_date}, a date without sales,"):
            list(finished(self._call(source, self.empty_date)))

    def test_asked_date(self, source: Any) -> None:
        """
        Each sale belongs to the date that was asked for, and to no other.

        To mend it, select by the store's business date: from the close of the day
        before to that of the day, in the time zone of the store.
        """
        sales = self._read(source)
        calendar = StoreCalendar(timezone=self.timezone, day_closes_at=self.day_closes_at)

        for each in _built(sales):
            day = each.business_date or calendar.business_date(each.timestamp)
            if day != self.business_date:
                broken(f"sale {each.id!r} belongs to {day}, not to {self.business_date}")

        for days in (-1, 1):
            day = self.business_date + timedelta(days)
            if again := [each for each in self._read(source, day) if each in sales]:
                broken(f"sale {_name(again[0])} comes on {self.business_date} and on {day}")

    def test_ids(self, source: Any) -> None:
        """
        Each sale has an id of its own, a text.

        To mend it, give the number of the receipt as a text; with the register, where
        registers count for themselves.
        """
        seen = set()

        for name in (_value(each, "id") for each in self._read(source)):
            if not isinstance(name, str) or not name.strip():
                broken(f"the id {name!r} is no text")
            if name in seen:
                broken(f"two sales have the id {name!r}")
            seen.add(name)

    def test_totals(self, source: Any) -> None:
        """
        Each sale says what was paid.

        To mend it, give what was paid, taxes included, as `total`.
        """
        for each in self._read(source):
            if _value(each, "total") is None:
                broken(f"sale {_name(each)} has no total")

    def test_no_floats(self, source: Any) -> None:
        """
        Amounts are decimal numbers: a float has lost digits before it is here.
        """
        for each in self._read(source):
            for path, amount in _amounts(each):
                if isinstance(amount, float):
                    broken(f"{path} of sale {_name(each)} is the float {amount!r}: use Decimal")

    def test_aware_moments(self, source: Any) -> None:
        """
        A moment has its offset from UTC.

        To mend it, give the moment its zone: `utc_time` and `local_time` do it.
        """
        for each in self._read(source):
            if _is_naive(_value(each, "timestamp")):
                broken(f"timestamp of sale {_name(each)} has no offset from UTC")

    def test_records_can_be_built(self, source: Any) -> None:
        """
        A transaction can be built of each mapping.

        To mend it, give each field the type that its name stands for; a field that
        the till does not have is left out.
        """
        for each in self._read(source):
            found = transaction_of(each)
            if isinstance(found, UnusableTransaction) and not _has_rule_of_its_own(each):
                broken(f"sale {found.id}: {found.reason}")

    def _ask(self, source: Any, day: date | None = None) -> Iterable[Any]:
        answer: Iterable[Any] = finished(self._call(source, day or self.business_date))
        return answer

    def _call(self, source: Any, day: date) -> Any:
        """
        What the service gets; it awaits an `AsyncOrderSource`.
        """
        return synchronous_orders(source).transactions(self.location_id, day)

    def _read(self, source: Any, day: date | None = None) -> list[Any]:
        try:
            return list(self._ask(source, day) or ())
        except Exception:
            if day is None:
                raise
            return []  # the rule about dates without sales


def _built(records: Iterable[Any]) -> Iterator[Transaction]:
    return (each for each in map(transaction_of, records) if isinstance(each, Transaction))


def _value(record: Any, key: str) -> Any:
    return record.get(key) if isinstance(record, Mapping) else getattr(record, key, None)


def _name(record: Any) -> str:
    return repr(_value(record, "id"))


def _amounts(record: Any) -> Iterator[tuple[str, Any]]:
    """
    The amounts of a sale that is a mapping; `Transaction` takes no floats.
    """
    if not isinstance(record, Mapping):
        return

    yield from ((key, record.get(key)) for key in ("total", "tax", "discount"))

    for number, line in enumerate(record.get("items") or ()):
        if isinstance(line, Mapping):
            for key in ("quantity", "price", "amount"):
                yield f"items[{number}].{key}", line.get(key)


def _is_naive(moment: Any) -> bool:
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return False

    return isinstance(moment, datetime) and moment.utcoffset() is None


def _has_rule_of_its_own(record: Any) -> bool:
    return (
        not isinstance(_value(record, "id"), str)
        or _value(record, "total") is None
        or _is_naive(_value(record, "timestamp"))
        or any(isinstance(amount, float) for _, amount in _amounts(record))
    )
