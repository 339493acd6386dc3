"""
Several locations in one store, each pulling and pushing without pause.
"""

import os
import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_client.testing import BackOffice
from conexxus_sync import ConexxusService, StoreError, SyncConfig
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.testing import ListOrders, sale
from sites import client_of


TODAY = datetime.now(UTC).date()
LOCATIONS = ["loc-001", "loc-002", "loc-003"]
LONG = 20 if os.environ.get("CONEXXUS_PROOF_SCALE") == "small" else 400


@attrs.define
class Branch:
    """
    One location, with its own back office and till, in a store of all.
    """

    path: object
    name: str
    office: BackOffice = attrs.field(factory=BackOffice)
    orders: ListOrders = attrs.field(factory=ListOrders)
    failed: list = attrs.field(factory=list)

    def service(self):
        config = SyncConfig(location_id=self.name, timezone=ZoneInfo("UTC"), sales_since=TODAY)
        return ConexxusService(
            client_of(self.office), store=SqliteStore(self.path), config=config, orders=self.orders
        )

    def pull(self, times):
        with self.service() as service:
            for number in range(times):
                self.office.catalog = [
                    {"sku": f"S{at}", "name": "x", "price": f"{number % 7 + 1 if at < 20 else 1}"}
                    for at in range(50)
                ]
                run = service.sync_inventory()
                self.failed.extend(filter(None, [run.last_error]))

    def push(self, times):
        with self.service() as service:
            for number in range(times):
                self.orders.add(
                    sale(f"t{number}", timestamp=datetime.now(UTC)), business_date=TODAY
                )
                for run in service.push_sales(TODAY):
                    self.failed.extend(filter(None, [run.last_error]))

    def work(self, times, job):
        try:
            job(times)
        except StoreError as exc:
            self.failed.append(str(exc))


def run_all(path, times):
    branches = [Branch(path, name) for name in LOCATIONS]
    threads = [
        threading.Thread(target=branch.work, args=(times, job))
        for branch in branches
        for job in (branch.pull, branch.push)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for branch in branches:
        assert branch.failed == []
        assert len(branch.office.ledger.sales(branch.name)) == times
        assert branch.office.ledger.doubled() == []


@pytest.mark.case(
    "D2",
    "three locations in one store pull and push at the same time",
    "each waits for the others, and none fails",
)
def test_no_process_is_locked_out(tmp_path):
    """
    A transaction waits for its turn, whatever the others are at.
    """
    run_all(tmp_path / "conexxus.db", 6)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_no_process_is_locked_out_for_minutes(tmp_path):
    """
    Likewise, hundreds of times.
    """
    run_all(tmp_path / "conexxus.db", LONG)
