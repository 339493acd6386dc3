"""
Facts about dates that are as they were when a comparison found nothing to do.
"""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

import attrs
import pytest
from databases import IS_SMALL

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.sale_digests import COMPARABLE
from conexxus_sync.stores._sales_dates import SalesDates
from conexxus_sync.stores._sales_staging import SalesStaging
from conexxus_sync.stores._state import _repository


DAY = date(2026, 1, 2)
NIGHT = timedelta(days=1)

# Most of them with the long proofs.
LONG = range(1, 4 if IS_SMALL else 12)
SEEDS = [0, *(pytest.param(n, marks=pytest.mark.long) for n in LONG)]


class Compared(SalesStaging):
    """
    Writes down the dates that are compared sale by sale.
    """

    dates: ClassVar = []

    def compare(self, business_date, **options):
        self.dates.append(business_date)
        return super().compare(business_date, **options)


@pytest.fixture
def compared(monkeypatch):
    monkeypatch.setattr(
        "conexxus_sync.stores._state._repository",
        lambda name: Compared if name == "sales_staging" else _repository(name),
    )
    monkeypatch.setattr(Compared, "dates", [])
    return Compared.dates


@pytest.fixture
def settled(till, compared):
    """
    A date whose sales are delivered, and compared since.
    """
    till.orders.by_date[DAY] = [till.sale(f"t{number}") for number in range(3)]
    till.push(DAY)
    till.push(DAY)
    compared.clear()
    return till


def test_unchanged_date(settled, compared):
    """
    A date that is as it was is read once and not compared; it is visited.
    """
    settled.wait(hours=1)
    settled.orders.asked.clear()

    assert settled.push(DAY) == []

    assert compared == []
    assert settled.orders.asked == [DAY]
    assert settled.peek.sales_dates.visit(DAY).at == settled.clock.now()


def first(till, **changes):
    sales = till.orders.by_date[DAY]
    till.orders.by_date[DAY] = [attrs.evolve(sales[0], **changes), *sales[1:]]


def late(till):
    till.orders.add(till.sale("late"))


def edited(till):
    first(till, total=Decimal("1.51"))


def another_second(till):
    first(till, timestamp=till.orders.by_date[DAY][0].timestamp + timedelta(seconds=1))


def of_another_date(till):
    first(till, business_date=DAY + NIGHT)


def gone(till):
    del till.orders.by_date[DAY][0]


def unusable(till):
    till.orders.by_date[DAY][0] = {"id": "t0", "total": 0.5}


def one_more_unusable(till):
    till.orders.by_date[DAY].append({"id": "t9", "total": 0.5})


def told_twice(till):
    till.orders.by_date[DAY].append(till.sale("t1"))


def reordered(till):
    till.orders.by_date[DAY].reverse()


def other_fields(till):
    till.options = {"compare": COMPARABLE - {"tax"}}


def resent(till):
    till.options = {"on_changed": "resend"}


def recognised_by_id(till):
    till.profile = ApiProfile(dedupe="transaction_id")
    with till.store.write() as state:
        state.session.execute("DELETE FROM sales_profiles")


def cleared(till):
    with till.store.write() as state:
        state.sales_dates.clear_visit(DAY)


def adopted(till):
    sales = till.orders.by_date[DAY]
    edited(till)
    till.engine().adopt(DAY)
    till.orders.by_date[DAY] = sales


def set_aside(till):
    sales = till.orders.by_date[DAY]
    late(till)
    till.office.reject = {"late": "no"}
    till.push(DAY)
    till.orders.by_date[DAY] = sales


def forgotten(till):
    with till.store.write() as state:
        state.session.execute("DELETE FROM delivered WHERE id = 't1'")


CHANGES = [
    late,
    edited,
    another_second,
    of_another_date,
    gone,
    unusable,
    one_more_unusable,
    told_twice,
    reordered,
    other_fields,
    resent,
    recognised_by_id,
    cleared,
    adopted,
    set_aside,
    forgotten,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_changed_date(settled, compared, change):
    """
    Whatever may decide about a date has it compared sale by sale.
    """
    change(settled)
    compared.clear()

    settled.push(DAY)

    assert compared == [DAY]


def test_date_with_something_to_say(settled, compared):
    """
    A date with a discrepancy, or with a sale that was set aside, is compared
    each time.
    """
    for change in (gone, unusable):
        change(settled)
        compared.clear()
        for _ in range(3):
            settled.push(DAY)
        assert compared == [DAY] * 3


def test_accepted_changes(settled, compared):
    """
    Who accepts the changes of a date has it compared.
    """
    settled.engine().push(DAY, accept_changes=True)

    assert compared == [DAY]


def any_life(till, seed):
    """
    What may happen to a few dates, by chance; returns all that came of it.
    """
    chance = random.Random(seed)
    days = [DAY + n * NIGHT for n in range(3)]
    till.options = {"on_changed": chance.choice(["report", "resend"])}
    till.orders.by_date = {day: [till.sale(f"{day}-{n}") for n in range(4)] for day in days}

    for step in range(40):
        sales = till.orders.by_date[chance.choice(days)]
        place = chance.randrange(len(sales) + 1)
        match chance.randrange(14):
            case 0:
                sales.insert(place, till.sale(f"n{step}"))
            case 1 if sales[place:]:
                sales[place] = attrs.evolve(sales[place], total=Decimal(step))
            case 2 if sales[place:]:
                till.orders.by_date[chance.choice(days)].append(sales.pop(place))
            case 3 if sales[place:]:
                held = sales.pop(place)
                till.push()
                sales.append(held)
            case 4 if sales[place:]:
                sales[place] = attrs.evolve(sales[place], business_date=chance.choice([None, DAY]))
            case 5:
                till.office.faults(
                    chance.choice(["sales: 503", "sales: after_commit(reset)", "sales: 400"])
                )
            case 6:
                till.office.reject = {f"n{step - chance.randrange(9)}": "no"}
            case 7:
                till.options = {**till.options, "compare": chance.choice([COMPARABLE, {"total"}])}
            case 8:
                till.operator().replay_all()
            case 9 if chance.random() < 0.3:
                till.engine().adopt(DAY)
            case _:
                with_date = chance.choice([None, None, chance.choice(days)])
                till.push(with_date)
        till.wait(hours=chance.randrange(16))

    return (
        [(sold.id, sold.total) for sold in till.office.ledger.sales()],
        till.quarantined(),
        [(each.id, each.kind) for each in till.peek.sales_quarantine.discrepancies()],
        till.states(),
        [run.status for run in till.peek.runs.history(limit=100)],
        till.peek.sales_dates.visits(),
    )


@pytest.mark.parametrize("mode", ["append-key", "append-transaction_id", "replace_day-key"])
@pytest.mark.parametrize("seed", SEEDS)
def test_any_life(new_till, monkeypatch, compared, mode, seed):
    """
    With fingerprints, all that comes of a life is what comes of it without.
    """
    sales_mode, dedupe = mode.split("-")

    def live():
        settings = {"sales_mode": sales_mode, "dedupe": dedupe}
        till = new_till(profile=ApiProfile(**settings), office=BackOffice(**settings))
        return any_life(till, seed)

    found, with_them = live(), len(compared)
    compared.clear()
    monkeypatch.setattr(SalesDates, "fingerprint", lambda self, business_date: None)

    assert live() == found
    assert with_them <= len(compared)
