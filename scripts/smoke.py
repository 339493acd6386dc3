"""
The main job and one extra, in an environment that has nothing but the wheel.

    python -I smoke.py [EXTRA]
"""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from conexxus_client import Transaction, TransactionLine
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.testing import MemoryCatalog


DAY = date(2026, 1, 2)
# What each extra is for.
MODULES = {
    "cli": "conexxus_sync.cli",
    "dbos": "conexxus_sync.fleet",
    "django": "conexxus_sync.contrib.django",
    "fastapi": "conexxus_sync.contrib.fastapi",
    "flask": "conexxus_sync.contrib.flask",
    "http": "conexxus_sync.http",
    "httpx2": "httpx2",
    "naxml": "conexxus_sync.sources.naxml",
    "otel": "conexxus_sync.metrics.otel",
    "postgres": "conexxus_sync.stores.postgres",
    "prometheus": "conexxus_sync.metrics.prometheus",
    "sql": "conexxus_sync.contrib.sql",
}


class Orders:
    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        line = TransactionLine(sku="A1", quantity=2, price=Decimal("2.10"))
        moment = datetime(2026, 1, 2, 15, tzinfo=UTC)
        if business_date == DAY:
            yield Transaction(id="t1", timestamp=moment, total=Decimal("4.20"), items=[line])


def do_the_main_job(folder: Path) -> None:
    office = BackOffice([{"sku": "A1", "name": "Water", "price": 2.10}])
    catalog = MemoryCatalog()
    with SandboxServer(office) as server:
        environ = {
            **server.env,
            "CONEXXUS_STORE": f"sqlite:///{folder / 'store.db'}",
            "CONEXXUS_TIMEZONE": "America/New_York",
        }
        with ConexxusService.from_env(environ, catalog=catalog, orders=Orders()) as service:
            service.sync_inventory()
            service.push_sales(DAY)
    assert catalog.prices() == {"A1": Decimal("2.10")}, catalog.prices()
    assert office.effective_batches == [{"t1"}], office.effective_batches


def use(extra: str) -> None:
    for each in MODULES if extra == "all" else [extra]:
        if extra == "all" and each in ("dbos", "django", "fastapi", "flask"):
            continue
        module = importlib.import_module(MODULES[each])
        for name in getattr(module, "__all__", ()):
            getattr(module, name)
    if extra in ("all", "cli"):
        conexxus = Path(sys.executable).with_name("conexxus")
        subprocess.run([conexxus, "demo"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        do_the_main_job(Path(made))
    for wanted in sys.argv[1:]:
        use(wanted)
