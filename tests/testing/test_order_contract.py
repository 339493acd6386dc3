"""
Facts about the rules of an `OrderSource`: good ones keep all, and each bad one breaks its own.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import get_ident
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_sync.testing import ListOrders, OrderSourceContract, sale

from .broken_rules import broken_rules


DAY = date(2026, 1, 2)


def order(number, **fields):
    return {
        "id": f"t{number}",
        "timestamp": datetime(2026, 1, 2, 9 + number, tzinfo=UTC),
        "total": Decimal("4.20"),
        "items": [{"sku": "A", "quantity": 2, "price": Decimal("2.10")}],
        **fields,
    }


class Till:
    """
    An order source as a host would write it.
    """

    def __init__(self):
        self.asked = 0

    def transactions(self, location_id, business_date):
        self.asked += 1
        return iter(self.orders(business_date))

    def orders(self, day):
        return [order(1), order(2), order(3)] if day == DAY else []


class Rules(OrderSourceContract):
    """
    The rules for any `Till`.
    """

    business_date = DAY
    timezone = ZoneInfo("Europe/Berlin")


class TestTill(Rules):
    """
    A source of mappings keeps every rule.
    """

    @pytest.fixture
    def source(self):
        return Till()


class TestListOrders(Rules):
    """
    The source for tests keeps every rule.
    """

    @pytest.fixture
    def source(self):
        return ListOrders([sale("t1"), sale("t2"), sale("t3", "-5.00")])


class TestNight(Rules):
    """
    A sale after midnight, before the day closes, belongs to the day before.
    """

    day_closes_at = time(4)

    @pytest.fixture
    def source(self):
        return ListOrders(
            [
                sale("t1"),
                sale("t2", timestamp=datetime(2026, 1, 3, 1, tzinfo=UTC), business_date=DAY),
            ]
        )


class Coroutine(Till):
    """Its work has to be awaited, and it does not say so."""

    def transactions(self, location_id, business_date):
        return self.found(location_id, business_date)

    async def found(self, location_id, business_date):
        return Till.transactions(self, location_id, business_date)


class AsyncGenerator(Till):
    """Its sales have to be awaited, and it does not say so."""

    def transactions(self, location_id, business_date):
        return self.found(business_date)

    async def found(self, business_date):
        for each in self.orders(business_date):
            yield each


class Empty(Till):
    """It has no sales."""

    def orders(self, day):
        return []


class NewIds(Till):
    """Its ids are made while it is read."""

    def orders(self, day):
        return [{**each, "id": f"{each['id']}-{self.asked}"} for each in Till.orders(self, day)]


class Shuffled(Till):
    """Its order is that of the table, today."""

    def orders(self, day):
        found = Till.orders(self, day)
        return found[self.asked % 3 :] + found[: self.asked % 3]


class OneCursor(Till):
    """It has one cursor, which goes on where it was."""

    rest = ()

    def transactions(self, location_id, business_date):
        if business_date != DAY:
            return []
        if not self.rest:
            self.rest = Till.orders(self, business_date)
        return self.taken()

    def taken(self):
        while self.rest:
            yield self.rest.pop(0)


class OwnThread(Till):
    """It works in the thread that made it."""

    def __init__(self):
        super().__init__()
        self.thread = get_ident()

    def orders(self, day):
        if get_ident() != self.thread:
            msg = "another thread"
            raise RuntimeError(msg)
        return Till.orders(self, day)


class Nothing(Till):
    """It returns None where it has no sales."""

    def transactions(self, location_id, business_date):
        return Till.orders(self, business_date) or None


class Fails(Till):
    """It fails where it has no sales."""

    def orders(self, day):
        return Till.orders(self, day)[:] or [][0]


class AnyDate(Till):
    """It has the same sales for every date."""

    def orders(self, day):
        return Till.orders(self, DAY)


class Overlapping(Till):
    """It has sales of the next date, too."""

    def orders(self, day):
        late = order(4, timestamp=datetime(2026, 1, 3, 9, tzinfo=UTC))
        return [*Till.orders(self, day), late] if day >= DAY else []


class UtcDates(Till):
    """It takes the date in UTC for that of the store."""

    def orders(self, day):
        late = order(4, timestamp=datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
        return [*Till.orders(self, day), late] if day == DAY else []


class OldDates(Till):
    """Its own dates are others."""

    def orders(self, day):
        return [{**each, "businessDate": DAY - timedelta(1)} for each in Till.orders(self, day)]


BROKEN = {
    Coroutine: "is_done_when_it_returns",
    AsyncGenerator: "is_done_when_it_returns",
    Empty: "there_are_sales",
    NewIds: "same_answer_twice",
    Shuffled: "same_order",
    OneCursor: "partly_read",
    OwnThread: "thread",
    Nothing: "empty_day",
    Fails: "empty_day",
    AnyDate: "asked_date",
    Overlapping: "asked_date",
    UtcDates: "asked_date",
    OldDates: "asked_date",
}


CHANGED = [
    ("ids", {"id": "t1"}),
    ("ids", {"id": 4}),
    ("totals", {"total": None}),
    ("no_floats", {"total": 4.2}),
    ("no_floats", {"items": [{"sku": "A", "quantity": 1, "price": 4.2}]}),
    ("aware_moments", {"timestamp": datetime(2026, 1, 2, 10)}),
    ("aware_moments", {"timestamp": "2026-01-02T10:00:00"}),
    ("records_can_be_built", {"timestamp": "noon"}),
    ("records_can_be_built", {"items": [{"quantity": 1, "price": 4}]}),
]


@attrs.define
class Changed(Till):
    """
    One of its sales has other fields.
    """

    fields: dict
    asked: int = 0

    def orders(self, day):
        return [*Till.orders(self, day), order(4, **self.fields)] if day == DAY else []


@pytest.mark.parametrize("source", BROKEN, ids=lambda each: each.__name__)
def test_broken_source(source):
    """
    It breaks the rule that it is about, and no other.
    """
    assert broken_rules(Rules(), source) == [BROKEN[source]]


@pytest.mark.parametrize(("rule", "fields"), CHANGED)
def test_broken_sale(rule, fields):
    """
    It breaks the rule about its field, and no other.
    """
    assert broken_rules(Rules(), lambda: Changed(fields)) == [rule]


def test_each_rule_can_be_broken():
    """
    No rule is one that every source keeps.
    """
    rules = {name.removeprefix("test_") for name in dir(Rules) if name.startswith("test_")}

    assert {*BROKEN.values(), *(rule for rule, _ in CHANGED)} == rules


def test_sentence():
    """
    A broken rule names the sale and its field.
    """
    with pytest.raises(AssertionError) as caught:
        Rules().test_no_floats(Changed(CHANGED[4][1]))

    assert str(caught.value) == "items[0].price of sale 't4' is the float 4.2: use Decimal"
