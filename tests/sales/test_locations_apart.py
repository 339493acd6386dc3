"""
Facts about two locations that use the same ids at the same seconds, in one store.
"""

import random
from datetime import date, timedelta

import attrs
import pytest
from databases import IS_SMALL

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from tills import Till


DAY = date(2026, 1, 2)
NIGHT = timedelta(days=1)
DAYS = [DAY + n * NIGHT for n in range(3)]

# Most of them with the long proofs.
LONG = range(1, 4 if IS_SMALL else 12)
SEEDS = [0, *(pytest.param(n, marks=pytest.mark.long) for n in LONG)]


def beside(till):
    """
    The till of another location, with a back office of its own.
    """
    office = BackOffice(sales_mode=till.office.sales_mode, dedupe=till.office.dedupe)
    config = attrs.evolve(till.config, location_id="loc-002")

    return Till(till.folder, profile=till.profile, office=office, config=config, clock=till.clock)


def sent(till):
    location = till.config.location_id

    return [(sold.id, sold.total) for sold in till.office.ledger.sales(location)]


@pytest.mark.parametrize("is_there", [True, False], ids=["delivered", "waits"])
def test_the_same_sale_on_another_date(till, is_there):
    """
    A sale is sent, though the other location has one of its id and second on
    another date.
    """
    other = beside(till)
    other.orders.by_date[DAY + NIGHT] = [other.sale("t1")]
    if not is_there:
        other.office.faults("sales: refuse")
    other.push(DAY + NIGHT)
    till.orders.by_date[DAY] = [till.sale("t1")]

    (run,) = till.push(DAY)

    assert (run.status, run.errors) == ("success", ())
    assert [name for name, _ in sent(till)] == ["t1"]


def test_a_day_that_is_replaced(new_till):
    """
    What the other location delivered of the date is remembered.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"), office=BackOffice(sales_mode="replace_day")
    )
    other = beside(till)
    for each in (till, other):
        each.orders.add(each.sale("t1"))
        each.push(DAY)
    till.orders.add(till.sale("t2"))
    till.push(DAY)

    assert other.push(DAY) == []
    assert other.office.requests["sales"] == 1


def live(till, chance):
    """
    One thing that happens to a few dates, by chance.
    """
    sales = till.orders.by_date.setdefault(chance.choice(DAYS), [])
    name = f"t{chance.randrange(6)}"
    match chance.randrange(9):
        case 0 | 1:
            sales.append(till.sale(name, chance.choice(["1.50", "2.50"])))
        case 2 if sales:
            del sales[chance.randrange(len(sales))]
        case 3:
            faults = ["sales: 503", "sales: after_commit(reset)", "sales: 400", "sales: refuse"]
            till.office.faults(chance.choice(faults))
        case 4:
            till.office.reject = {name: "no"}
        case 5:
            till.operator().replay_all()
        case 6 if chance.random() < 0.2:
            till.engine().adopt(DAY)
        case _:
            till.push(chance.choice([None, *DAYS]))


def outcome(till):
    peek = till.peek

    return (
        sent(till),
        till.quarantined(),
        [(each.id, each.kind) for each in peek.sales_quarantine.discrepancies()],
        [(batch.key, batch.state) for batch in peek.outbox.batches()],
        [run.status for run in peek.runs.history(limit=100)],
        peek.sales_dates.visits(),
    )


@pytest.mark.parametrize("mode", ["append-key", "append-transaction_id", "replace_day-key"])
@pytest.mark.parametrize("seed", SEEDS)
def test_any_life(new_till, mode, seed):
    """
    Whatever happens at the other location, all that comes of a life is what
    comes of it alone.
    """
    sales_mode, dedupe = mode.split("-")
    settings = {"sales_mode": sales_mode, "dedupe": dedupe}
    found = []

    for is_alone in (True, False):
        till = new_till(profile=ApiProfile(**settings), office=BackOffice(**settings))
        till.options = {"on_changed": "resend"}
        other = beside(till)
        chance, elsewhere = random.Random(seed), random.Random(seed + 1_000)
        for _ in range(30):
            live(till, chance)
            if not is_alone:
                live(other, elsewhere)
            till.wait(hours=chance.randrange(8))
        found.append(outcome(till))

    assert found[0] == found[1]
