"""
Pushes a day of a hundred thousand sales of three lines to a back office in a
process of its own; prints how much memory that took, and in which order they
arrived.

Run as a script: `large_day.py FOLDER SALES`; prints JSON.
"""

import json
import os
import signal
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from conexxus_client import ClientConfig, ConexxusClient, TransactionLine
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.sales import SalesPush
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.testing import FakeClock, sale


DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 3, 0, 15, tzinfo=UTC)
LINES = [
    TransactionLine(sku=f"WINE{number:03}", quantity=1, price=Decimal("1.10"))
    for number in range(3)
]


class Orders:
    def __init__(self, count):
        self.count = count

    def transactions(self, location_id, business_date):
        for number in range(self.count if business_date == DAY else 1):
            yield sale(f"{business_date}-{number:06}", "3.30", timestamp=NOW, items=LINES)


def peak_mib():
    """
    The most memory that this process ever had; `ru_maxrss` survives an exec.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


def serve(tell, tell_order):
    """
    Be the back office until told to end, then say what arrived.
    """
    office = BackOffice(etag="off")
    with SandboxServer(office) as server:
        os.write(tell, server.url.encode())
        signal.sigwait({signal.SIGTERM})
    with os.fdopen(tell_order, "w") as out:
        json.dump([sale.id for sale in office.ledger.sales(None, DAY)], out)


def main(folder, count):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    told, tell = os.pipe()
    order, tell_order = os.pipe()
    child = os.fork()
    if child == 0:
        serve(tell, tell_order)
        os._exit(0)
    os.close(tell_order)

    client = ConexxusClient(
        ClientConfig(api_url=os.read(told, 1_000).decode(), api_key=BackOffice().api_key)
    )
    config = SyncConfig(location_id="loc-001", timezone=ZoneInfo("UTC"))
    store = SqliteStore(folder / "store.db").at(config.location_id)
    engine = SalesPush(
        client=client,
        context=EngineContext(store=store, config=config, clock=FakeClock(NOW)),
        orders=Orders(count),
    )
    engine.push(date(2026, 1, 1))
    idle = peak_mib()
    (run,) = engine.push(DAY)

    os.kill(child, signal.SIGTERM)
    with os.fdopen(order) as lines:
        arrived = json.load(lines)
    os.waitpid(child, 0)

    print(
        json.dumps(
            {
                "more_mib": peak_mib() - idle,
                "arrived": len(arrived),
                "in_order": arrived == sorted(arrived),
                "total": str(run.total),
                "batches": run.batches,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
