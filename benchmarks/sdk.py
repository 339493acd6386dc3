"""
What is measured of the SDK, through its public names alone.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.sales import BATCH, FIRST_DAY, prepared_sales
from benchmarks.worker import Action, Numbers, Task
from conexxus_client import ClientConfig, ConexxusClient, Transaction, TransactionLine
from conexxus_sync import ConexxusService, RunStatus, SyncConfig, open_store
from conexxus_sync.testing import FakeClock


KEY = "benchmark-key"
DAY = timedelta(days=1)

# Dates, or questions, of one measurement: one alone is too short for a clock.
REPEATED = 10
SALES_A_DAY = 12


def pull(task: Task) -> Action:
    def pull(file: str) -> Numbers:
        run = _service(task.url, task.store(file)).sync_inventory()
        assert run.status is RunStatus.SUCCESS, run
        return {"changed": run.created + run.updated + run.removed}

    return task.pulling(pull)


def pull_bad(task: Task) -> Action:
    """
    A catalogue without one good item: the run fails, and changes nothing.
    """

    def pull(file: str) -> Numbers:
        run = _service(task.url, task.store(file)).sync_inventory()
        return {"changed": run.created + run.updated + run.removed}

    return task.pulling(pull)


@cache
def _service(url: str, store: str) -> ConexxusService:
    return service(url, store)


def service(url: str, store: str, **host: Any) -> ConexxusService:
    """
    A service with what a host provides.
    """
    return ConexxusService(
        client=_client(url),
        store=open_store(store),
        config=SyncConfig(location_id="loc", timezone=ZoneInfo("UTC")),
        **host,
    )


def _client(url: str) -> ConexxusClient:
    return ConexxusClient(ClientConfig(api_url=url, api_key=KEY))


def iter_items(task: Task) -> Action:
    client = _client(task.url)

    return task.pulling(lambda _: {"items": sum(1 for _ in client.iter_items())})


def injected_client(task: Task) -> Action:
    """
    Small calls over an httpx client of the application.
    """
    import httpx

    config = ClientConfig(api_url=task.url, api_key=KEY)
    client = ConexxusClient(config, http_client=httpx.Client(trust_env=False))
    client.health()

    def action() -> None:
        for _ in range(task.count):
            client.health()

    return action


def push(task: Task) -> Action:
    """
    One large day.  The host's sales exist already and are not the push's
    garbage: the collector does not look at them.
    """
    sales = [_transaction(*sale) for sale in prepared_sales(task.count)]
    service = Till(lambda _: sales).service(task)
    gc.freeze()

    def action() -> None:
        (run,) = service.push_sales(business_date=FIRST_DAY)
        assert run.items_succeeded == task.count, run

    return action


def dates(task: Task) -> Action:
    """
    CPU and flushes of a date of 12 sales, after so many days.
    """
    till = Till.aged(task)
    service = till.service(task)

    def action() -> Numbers:
        for _ in range(REPEATED):
            (run,) = service.push_sales(business_date=till.next_day())
            assert run.items_succeeded == SALES_A_DAY, run
        Path(task.file("days")).write_text(till.day.isoformat())
        return {"dates": REPEATED}

    return action


def next_due(task: Task) -> Action:
    till = Till.aged(task)
    sales = till.service(task).sales
    assert sales is not None

    return _milliseconds(lambda: sales.next_due(till.clock.now()))


def health(task: Task) -> Action:
    return _milliseconds(Till.aged(task).service(task).health)


def _milliseconds(call: Callable[[], object]) -> Action:
    """
    CPU of a call, in milliseconds.
    """
    call()

    def action() -> Numbers:
        started = time.process_time()
        for _ in range(REPEATED):
            call()
        return {"ms": (time.process_time() - started) / REPEATED * 1000}

    return action


def _twelve(day: date) -> list[Transaction]:
    return [_transaction(*sale) for sale in prepared_sales(SALES_A_DAY, day)]


class Till:
    """
    An order source, and the clock beside it.
    """

    def __init__(self, sales: Callable[[date], list[Transaction]], day: date = FIRST_DAY) -> None:
        self.clock = FakeClock(_evening(day))
        self.day = day
        self._sales = sales

    @classmethod
    def aged(cls, task: Task) -> "Till":
        """
        After *count* days, each with a pull of ten items and a push of what
        is due; the next measurement finds the store as this one ends it.
        """
        lived = Path(task.file("days"))
        till = cls(_twelve, date.fromisoformat(lived.read_text()) if lived.exists() else FIRST_DAY)
        service = till.service(task)
        task.serve(task.small)
        till.live(service)

        while till.day < FIRST_DAY + DAY * task.count:
            till.next_day()
            till.live(service)

        lived.write_text(till.day.isoformat())
        return till

    def live(self, service: ConexxusService) -> None:
        service.sync_inventory()
        service.push_sales()

    def next_day(self) -> date:
        self.day += DAY
        self.clock.advance_to(_evening(self.day))

        return self.day

    def service(self, task: Task) -> ConexxusService:
        config = SyncConfig(
            location_id="loc",
            timezone=ZoneInfo("UTC"),
            sales_since=FIRST_DAY,
            batch_transactions=BATCH,
        )

        return ConexxusService(
            client=_client(task.url),
            store=open_store(task.store(task.file("store.db"))),
            config=config,
            orders=self,
            clock=self.clock,
        )

    def transactions(self, location_id: str, business_date: date) -> list[Transaction]:
        return self._sales(business_date)


def _evening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 40, tzinfo=UTC)


def _transaction(
    number: str, timestamp: datetime, total: Decimal, lines: list[tuple[str, int, Decimal]]
) -> Transaction:
    items = [TransactionLine(sku=sku, quantity=count, price=price) for sku, count, price in lines]

    return Transaction(id=number, timestamp=timestamp, total=total, items=items)


def command_help(task: Task) -> Action:
    return _commands(task, ["--help"], {})


def command_status(task: Task) -> Action:
    return _commands(task, ["status"], _environment(task))


def command_pull(task: Task) -> Action:
    return _commands(task, ["pull"], _environment(task))


def import_client(task: Task) -> Action:
    return _running(task, [sys.executable, "-c", "import conexxus_client"], {})


def import_httpx(task: Task) -> Action:
    return _running(task, [sys.executable, "-c", "import httpx"], {})


def _commands(task: Task, arguments: list[str], environment: dict[str, str]) -> Action:
    command = str(Path(sys.executable).with_name("conexxus"))

    return _running(task, [command, *arguments], environment)


def _environment(task: Task) -> dict[str, str]:
    """
    Of a location that has pulled ten items.
    """
    store = task.store(task.file("store.db"))
    task.serve(task.small)
    _service(task.url, store).sync_inventory()

    return {
        "CONEXXUS_API_URL": task.url,
        "CONEXXUS_API_KEY": KEY,
        "CONEXXUS_STORE": store,
        "CONEXXUS_TIMEZONE": "UTC",
        "LOCATION_ID": "loc",
    }


def _running(task: Task, command: list[str], environment: dict[str, str]) -> Action:
    """
    Several runs of a program, after one that compiles and caches.
    """

    def once() -> None:
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def action() -> None:
        for _ in range(task.count):
            once()

    once()
    return action
