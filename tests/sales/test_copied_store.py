"""
A store with everything in it is copied to the other database, and the work goes on there.
"""

from datetime import timedelta

from databases import BOTH, other_database, store_at

from conexxus_sync.inventory import InventorySync
from conexxus_sync.stores._store_copy import copy_store
from tills import DAY


DATABASES = BOTH
DAYS = [DAY + timedelta(days=number) for number in range(4)]
ITEMS = [{"sku": f"S{number}", "name": "n", "price": "1.00"} for number in range(300)]


def pull(till, catalog, **options):
    till.office.catalog = catalog
    return InventorySync(client=till.client(), context=till.context()).pull(**options)


def sell(till):
    """
    Sales that are parked, delivered, taken back, set aside, of unknown fate, and waiting.
    """
    parked, mixed, unknown, waiting = DAYS
    till.orders.add(till.sale("parked"), day=parked)
    till.office.faults("sales: reset*forever")
    till.push(parked)
    till.wait(hours=25)
    till.push(parked)
    till.office.faults("")

    till.wait(hours=72)
    till.orders.add(till.sale("gone"), till.sale("kept"), day=mixed)
    till.push(mixed)
    till.orders.remove("gone", business_date=mixed)
    till.orders.add("no sale", day=mixed)
    till.push(mixed)
    till.orders.add(till.sale("unknown"), day=unknown)
    till.office.faults("sales: after_commit(reset)")
    till.push(unknown)
    till.orders.add(till.sale("waiting"), day=waiting)
    till.office.faults("sales: 503")
    till.push(waiting)


def test_work_goes_on(till):
    """
    Pull and push do there what they would have done here: a sale of unknown
    fate is sent under its key, what waits is sent, and then nothing.
    """
    pull(till, [*ITEMS, {"sku": "BAD", "name": "n", "price": "x"}])
    pull(till, ITEMS[:250], plan=True)
    sell(till)
    states, sent = sorted(till.states()), till.effective()
    quarantined = till.quarantined()
    source, requests = store_at(till.folder / "store.db"), till.office.requests["sales"]

    with other_database():
        till.folder /= "moved"
        till.folder.mkdir()
        rows = copy_store(source, store_at(till.folder / "store.db"), now=till.clock.now()).rows

        assert rows.keys() >= {"items", "planned_removals", "quarantine", "runs", "batches"}
        assert rows.keys() >= {"delivered", "quarantined_transactions", "discrepancies"}
        assert (sorted(till.states()), till.quarantined()) == (states, quarantined)
        for day in DAYS[1:]:
            till.push(day)
        assert sorted(till.effective()) == sorted([*sent, "waiting"])
        assert till.office.requests["sales"] == requests + 2

        for day in DAYS:
            till.push(day)
        assert till.office.requests["sales"] == requests + 2
        again = pull(till, ITEMS)
        assert (again.created, again.updated, again.unchanged) == (0, 0, 300)
