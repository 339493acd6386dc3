"""
A till that misbehaves, a network that loses answers, processes that die and a
clock that jumps: in the end, the back office has what the till has.
"""

import os
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.sales import OPEN_STATES
from conexxus_sync.sales import BatchLimits, OutboxOperator
from conexxus_sync.testing import AnswerKind, HostileTill


LOCATION = "loc-001"
DAYS = (date(2026, 1, 2), date(2026, 1, 3))

# Each may strike before or after the office has acted.
FAULTS = ["reset", "503", "500", "after_commit(reset)", "after_commit(503)", "after_commit(hang)"]
FAULTS += ["401", "429(retry_after=1)", "refuse"]

days = st.sampled_from(DAYS)
numbers = st.integers(0, 30)
totals = st.integers(-900, 9_000).map(lambda cents: Decimal(cents).scaleb(-2))

# What happens at the till, and to the computer.
sell = st.tuples(st.just("sell"), days, totals)
register = st.tuples(st.just("register"), days, numbers)
answer = st.tuples(st.just("answer"), st.lists(st.sampled_from(AnswerKind), max_size=3))
push = st.tuples(st.just("push"), days, st.lists(st.sampled_from(FAULTS), max_size=3))
crash = st.tuples(st.just("crash"), days, st.integers(0, 12))
step = st.tuples(st.just("step"), st.integers(-24 * 60, 24 * 60))
wait = st.tuples(st.just("wait"), st.integers(1, 8 * 60))
# What a till should not do to a sale, and does.
edit = st.tuples(st.just("edit"), days, numbers, totals)
delete = st.tuples(st.just("delete"), days, numbers)
move = st.tuples(st.just("move"), days, numbers)

honest = st.one_of(sell, sell, register, answer, push, push, crash, step, wait)
changing = st.one_of(sell, register, answer, push, crash, step, wait, *[edit, delete, move] * 2)


@attrs.define
class Shop:
    """
    A till with its back office, and what happens to them.
    """

    till: object
    source: HostileTill = attrs.field(factory=HostileTill)
    count: int = 0

    def __attrs_post_init__(self):
        self.till.orders = self.source
        self.till.wait(days=1)

    def sold(self, day):
        return self.source.sold.by_date.get(day, [])

    def pick(self, day, number):
        sold = self.sold(day)

        return sold[number % len(sold)] if sold else None

    def sell(self, day, total):
        self.count += 1
        sale = self.till.sale(f"t{self.count}", str(total))
        later = (day - DAYS[0]) + timedelta(seconds=self.count)
        self.source.sold.add(
            attrs.evolve(sale, timestamp=sale.timestamp + later), business_date=day
        )

    def register(self, day, number):
        if sale := self.pick(day, number):
            self.count += 1
            self.source.sell_on_another_register(
                sale, later=timedelta(hours=1, seconds=self.count), business_date=day
            )

    def answer(self, kinds):
        self.source.answer_with(*kinds)

    def push(self, day, faults=()):
        self.till.office.faults("sales: " + ", ".join(faults) if faults else "")
        self.till.push(day)

    def crash(self, day, left):
        steps = iter(range(left))

        def failpoint(_):
            if next(steps, None) is None:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            self.till.engine(failpoint=failpoint).push(day)

    def step(self, minutes):
        clock = self.till.clock
        clock.set(clock.now() + timedelta(minutes=minutes))

    def wait(self, minutes):
        self.till.wait(minutes=minutes)

    def edit(self, day, number, total):
        sale = self.pick(day, number)
        # Of two under one number, `edit` would not know which is meant.
        if sale and sum(each.id == sale.id for each in self.sold(day)) == 1:
            self.source.edit(sale.id, total, business_date=day)

    def delete(self, day, number):
        if sale := self.pick(day, number):
            self.source.sold.remove(sale.id, business_date=day)

    def move(self, day, number):
        if sale := self.pick(day, number):
            self.source.move(sale.id, day, DAYS[day == DAYS[0]])

    def settle(self):
        """
        The network is well, the till answers, and an operator who asks the
        back office settles what is parked.
        """
        till = self.till
        self.source.upcoming.clear()
        till.office.faults("")

        for _ in range(8):
            till.wait(hours=1)
            for batch in till.outbox.batches(LOCATION, OPEN_STATES, limit=-1):
                if batch.parked is not None:
                    arrived = till.office.ledger.by_key(batch.key) is not None
                    self.operator().resolve(batch.key, delivered=arrived)
            for day in DAYS:
                till.push(day, accept_changes=True)

    def operator(self):
        till = self.till
        return OutboxOperator(
            store=till.store, location_id=LOCATION, clock=till.clock, profile=till.profile
        )

    def check(self):
        ledger = self.till.office.ledger

        assert self.till.quarantined() == {}
        assert ledger.doubled() == []
        assert {day: ledger.total(LOCATION, day) for day in DAYS} == {
            day: sum((sale.total for sale in self.sold(day)), Decimal()) for day in DAYS
        }


def play(new_till, events, on_changed, size):
    shop = Shop(
        new_till(
            profile=ApiProfile(dedupe="key"),
            office=BackOffice(dedupe="key"),
            limits=BatchLimits(transactions=size),
            options={"on_changed": on_changed},
        )
    )

    # Something is sold, and perhaps delivered, before anything happens to it.
    for number in range(8):
        shop.sell(DAYS[number % 2], Decimal(number))
    shop.push(DAYS[0])

    for name, *arguments in events:
        getattr(shop, name)(*arguments)

    shop.settle()
    shop.check()


SHORT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SCALE = 60 if os.environ.get("CONEXXUS_PROOF_SCALE") == "small" else 5_000
LONG = settings(max_examples=SCALE, deadline=None, suppress_health_check=list(HealthCheck))
HONEST = {
    "events": st.lists(honest, max_size=25),
    "on_changed": st.sampled_from(["report", "resend"]),
    "size": st.sampled_from([1, 3, 50]),
}
CHANGING = {**HONEST, "events": st.lists(changing, max_size=25), "on_changed": st.just("resend")}


@SHORT
@given(**HONEST)
def test_any_answers(new_till, **example):
    """
    However the till answers, whatever gets lost and dies, and wherever the
    clock jumps, each sale is at the back office once.
    """
    play(new_till, **example)


@SHORT
@given(**CHANGING)
def test_any_changes(new_till, **example):
    """
    So it is where sales are edited, deleted and moved between dates, and are
    to be corrected.
    """
    play(new_till, **example)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@LONG
@given(**HONEST)
def test_thousands_of_answers(new_till, **example):
    """
    The same for thousands of examples.
    """
    play(new_till, **example)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@LONG
@given(**CHANGING)
def test_thousands_of_changes(new_till, **example):
    """
    Likewise.
    """
    play(new_till, **example)
