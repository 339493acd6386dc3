"""
What a pull costs: nothing where nothing changed, one row for one item, and
the same memory however many there are.
"""

import os
import subprocess
import sys

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import RunStatus


PRODUCTS = 92_331
MIRROR = ("items", "quarantine", "item_counts", "changes")


def products(changed=()):
    return [
        {"sku": f"{n:06d}", "name": f"Product {n}", "price": "2.00" if n in changed else "1.00"}
        for n in range(PRODUCTS)
    ]


def written(site, pull):
    """
    Rows inserted, updated or deleted in the mirror's tables by *pull*.
    """
    with site.store.write() as state:
        for table in MIRROR:
            for event in ("INSERT", "UPDATE", "DELETE"):
                state.session.execute(
                    f"CREATE TRIGGER IF NOT EXISTS count_{table}_{event} AFTER {event} ON {table}"
                    f" BEGIN INSERT INTO written VALUES ('{table}'); END"
                )
    run = pull()
    assert run.status is RunStatus.SUCCESS
    with site.store.write() as state:
        found = state.session.execute("SELECT name, count(*) FROM written GROUP BY 1").fetchall()
        state.session.execute("DELETE FROM written")

    return dict(found)


@pytest.mark.parametrize(
    "count", [300, pytest.param(PRODUCTS, marks=pytest.mark.long)], ids=["few", "all"]
)
def test_only_what_changed_is_written(new_site, count):
    """
    A 304 and the same items write nothing to the mirror; one changed item
    writes one row.
    """
    site = new_site()
    site.office.etag = "strong"
    catalog = products()[:count]
    site.pull(catalog)
    with site.store.write() as state:
        state.session.execute("CREATE TABLE written (name TEXT)")

    assert written(site, site.pull) == {}
    site.office.etag = "off"
    assert written(site, site.pull) == {}
    changed = products(changed={123})[:count]
    assert written(site, lambda: site.pull(changed)) == {"items": 1, "item_counts": 1}


def test_304_is_one_request(site):
    """
    Nothing else is asked of the back office.
    """
    site.office.etag = "strong"
    site.pull(products()[:50])
    before = site.office.requests.total()

    assert site.pull().not_modified
    assert site.office.requests.total() == before + 1


MILLION = 1_000_000


def million(path, stride):
    """
    A file with so many items: every *stride*-th next, round and round.
    """
    count = MILLION // (10 if os.environ.get("CONEXXUS_PROOF_SCALE") == "small" else 1)
    with path.open("wb") as file:
        for number in range(count):
            sku = number * stride % count
            file.write(
                b'{"sku":"%07d","name":"Product %d","price":%d.99}\n' % (sku, sku, sku % 100)
            )

    return count


PULL = """
import sys
from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import EngineContext, InventorySync, SyncConfig
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores.sqlite import SqliteStore

url, path = sys.argv[1:]
config = SyncConfig()
store = SqliteStore(path).at(config.location_id)
context = EngineContext(store=store, config=config, clock=SystemClock())
with ConexxusClient(ClientConfig(api_url=url, api_key="k")) as client:
    run = InventorySync(client=client, context=context).pull()
with open("/proc/self/status") as status:
    (peak,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
print(run.status, run.created, peak // 1024)
"""


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stride", [1, 7_919], ids=["sorted", "shuffled"])
def test_memory_of_a_million(stride, tmp_path):
    """
    The whole process peaks at 64 MB, sorted or shuffled.
    """
    count = million(tmp_path / "items.ndjson", stride)
    with SandboxServer(BackOffice(tmp_path / "items.ndjson", api_key="k")) as server:
        done = subprocess.run(
            [sys.executable, "-c", PULL, server.url, str(tmp_path / "conexxus.db")],
            capture_output=True,
            text=True,
            check=True,
        )

    status, created, peak = done.stdout.split()
    print(f"peak {peak} MB")
    assert (status, int(created)) == ("success", count)
    assert int(peak) <= 64
