"""
What a host holds.
"""

import json
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_client import ConfigurationError, Transaction
from conexxus_client.testing import BackOffice
from conexxus_sync import (
    ConexxusService,
    InMemoryCollector,
    RunInProgressError,
    RunKind,
    RunStatus,
    SyncConfig,
)
from conexxus_sync._codec import health_to_json
from conexxus_sync._schedule import PullSchedule
from conexxus_sync.stores.sqlite import SqliteStore


ITEMS = [{"sku": "A", "name": "a", "price": 1}, {"sku": "B", "name": "b", "price": 2}]
HOUR = timedelta(hours=1)


class Till:
    """
    One sale on every date.
    """

    def transactions(self, location_id, business_date):
        moment = datetime.combine(business_date, datetime.min.time(), UTC) + timedelta(hours=15)
        return [Transaction(id=f"t{business_date}", timestamp=moment, total=Decimal(5), items=[])]


@pytest.fixture
def office():
    return BackOffice(ITEMS)


@pytest.fixture
def make(tmp_path, office, clock, new_client):
    config = SyncConfig(location_id="loc-001", timezone=ZoneInfo("UTC"))

    def make(**options):
        options = {"client": new_client(office), "config": config, **options}
        store = SqliteStore(tmp_path / "conexxus.db")
        return ConexxusService(options.pop("client"), store=store, clock=clock, **options)

    return make


@pytest.fixture
def service(make):
    return make()


def test_sync_inventory(service):
    """
    A pull returns its run, and the metrics show it.
    """
    run = service.sync_inventory()

    assert (run.status, run.created) == (RunStatus.SUCCESS, 2)
    assert service.metrics().latest == run
    assert service.metrics().history == (run,)


def test_plans_feed_nothing(service):
    """
    A plan is neither the latest run nor the last sync.
    """
    service.sync_inventory(plan=True)

    assert service.metrics().latest is None
    assert service.health().last_sync_time is None


def test_second_pull_is_refused(service):
    """
    One run per location.
    """
    service._inventory().acquire()

    with pytest.raises(RunInProgressError):
        service.sync_inventory()


def test_health_before_anything(service):
    """
    Nothing is known yet, and nothing is wrong.
    """
    assert health_to_json(service.health()) == {
        "status": "healthy",
        "isHealthy": True,
        "lastSyncTime": None,
        "lastSyncStatus": None,
        "lastError": None,
        "apiConnection": None,
        "alerts": [],
        "sales": {
            "enabled": False,
            "lastPushTime": None,
            "lastPushStatus": None,
            "lastError": None,
            "alerts": [],
        },
    }


def test_health_after_a_pull(service, clock):
    """
    It speaks of the last pull, in JSON that is JSON.
    """
    service.sync_inventory()

    health = service.health()

    assert (health.status, health.api_connection) == ("healthy", True)
    assert (health.last_sync_time, health.last_sync_status) == (clock.now(), RunStatus.SUCCESS)
    assert json.loads(json.dumps(health_to_json(health)))["lastSyncTime"] == "2026-01-02T10:00:00Z"


def test_health_after_a_failure(service, office):
    """
    A failed pull makes it unhealthy, and an alert says why.
    """
    office.faults("catalog: 503")

    service.sync_inventory()

    health = service.health()
    assert (health.status, health.api_connection) == ("unhealthy", False)
    assert "503" in health.last_error
    assert any("503" in alert for alert in health.alerts)


def test_connection_follows_every_call(service, office):
    """
    The last call decides whether the back office can be reached.
    """
    office.faults("health: 503")
    assert not service.test_connection().success
    assert service.health().api_connection is False

    assert service.test_connection().success
    assert service.health().api_connection is True


def test_quarantine_is_an_alert(service, office):
    """
    Bad items are worth a look, but the service is healthy.
    """
    office.catalog = [*ITEMS, {"sku": "C", "name": "c", "price": "free"}]

    service.sync_inventory()

    health = service.health()
    assert (health.status, health.last_sync_status) == ("healthy", RunStatus.PARTIAL)
    assert any("1 item set aside" in alert for alert in health.alerts)


def test_disabled():
    """
    Without URL and key it is disabled: runs are skipped, and say so.
    """
    service = ConexxusService.from_env({"CONEXXUS_STORE": "sqlite:///never.db"})

    assert service.missing == (
        "CONEXXUS_API_URL is not configured",
        "CONEXXUS_API_KEY is not configured",
    )
    assert "CONEXXUS_API_URL is not configured" in service.sync_inventory().last_error
    assert service.trigger_sync().run_id is None
    assert service.push_sales() == []
    assert service.run_due(datetime.now(UTC)) == []
    assert not service.test_connection().success


def test_disabled_health(make):
    """
    Its health says `disabled`, and why.
    """
    health = make(client=None, missing=["no key"]).health()

    assert (health.status, health.is_healthy, health.alerts) == ("disabled", False, ("no key",))


def test_disabled_scheduler_waits(make):
    """
    It still stops when told to.
    """
    stop = threading.Event()
    stop.set()

    make(client=None).run_forever(stop)


def test_wrong_settings_are_not_missing():
    """
    A wrong setting is an error, not a state.
    """
    environ = {"CONEXXUS_API_URL": "ftp://x", "CONEXXUS_API_KEY": "k"}

    with pytest.raises(ConfigurationError, match="http"):
        ConexxusService.from_env(environ)


def test_trigger(service, make):
    """
    A trigger returns the run's id at once; another one gets the same id; in
    the end the run is there.
    """
    reached, go_on, finished = threading.Event(), threading.Event(), threading.Event()

    class Watch(InMemoryCollector):
        def run_started(self, run):
            reached.set()
            go_on.wait()

        def run_finished(self, run):
            finished.set()

    service = make(collectors=[Watch()])

    first = service.trigger_sync()
    reached.wait()
    second = service.trigger_sync()
    go_on.set()
    finished.wait()

    assert not first.already_running
    assert (second.run_id, second.already_running) == (first.run_id, True)
    assert service.metrics().latest.id == first.run_id


def test_run_due_pulls_once_an_hour(service, clock, office):
    """
    The first round pulls, the next not before the next slot.
    """
    assert len(service.run_due(clock.now())) == 1
    assert service.run_due(clock.now()) == []

    clock.moment = PullSchedule("loc-001").next_slot(clock.now())

    assert len(service.run_due(clock.now())) == 1
    assert office.requests["catalog"] == 2


def test_run_due_leaves_others_alone(service, clock):
    """
    What runs elsewhere is not waited for.
    """
    service._inventory().acquire()

    assert service.run_due(clock.now()) == []


def test_schedule_is_spread():
    """
    Locations pull at different times of the hour.
    """
    now = datetime(2026, 1, 2, 10, tzinfo=UTC)
    slots = {PullSchedule(f"loc-{number}").slot(now) for number in range(50)}

    assert len(slots) == 50
    assert all(timedelta() <= now - slot < HOUR for slot in slots)


def test_schedule_after_the_clock_was_set_back(site):
    """
    A run in the future does not stop the schedule.
    """
    run = site.pull([])
    schedule = PullSchedule("loc-001")

    assert not schedule.is_due(run, run.start_time)
    assert schedule.is_due(run, run.start_time - timedelta(days=1))


class StopAfter(threading.Event):
    """
    Is set in so many rounds, and lets nobody wait.
    """

    def __init__(self, rounds):
        super().__init__()
        self.waits, self.rounds = [], rounds

    def wait(self, timeout=None):
        self.waits.append(timeout)
        if len(self.waits) == self.rounds:
            self.set()
        return self.is_set()


def test_run_forever_survives(service, caplog):
    """
    A round that fails does not end the scheduler; the event does.
    """
    stop = StopAfter(rounds=3)
    service.store.path.write_text("This is no database, but long enough to be one. " * 9)

    service.run_forever(stop)

    assert caplog.text.count("Conexxus runs failed") == 3


def test_run_forever_looks_every_minute(service, clock):
    """
    It never waits longer than a minute, and less if a pull is due before.
    """
    schedule, stop = PullSchedule("loc-001"), StopAfter(rounds=1)
    clock.moment = schedule.next_slot(clock.now()) - timedelta(seconds=20)
    service.run_forever(stop)
    assert stop.waits == [20.0]

    stop = StopAfter(rounds=1)
    clock.moment += timedelta(seconds=20)
    service.run_forever(stop)
    assert stop.waits == [60.0]


def test_stop_breaks_a_pull_off(make, clock):
    """
    A pull in progress ends with the scheduler, and changes nothing.
    """
    stop = threading.Event()

    class Stopper(InMemoryCollector):
        def run_started(self, run):
            stop.set()

    service = make(collectors=[Stopper()])

    service.run_forever(stop)

    assert service.metrics().latest.status is RunStatus.FAILED
    assert service.store.catalog.is_empty("loc-001")


def test_sales_are_pushed_when_due(make, clock, office):
    """
    With an order source, a business date goes out at its push time, once.
    """
    service = make(orders=Till())
    clock.moment = datetime(2026, 1, 2, 22, tzinfo=UTC)
    service.run_due(clock.now())
    assert office.requests["sales"] == 0

    clock.moment = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
    runs = service.run_due(clock.now())
    again = service.run_due(clock.now())

    sales = [run for run in runs if run.kind is RunKind.SALES]
    assert [run.business_date for run in sales] == [date(2026, 1, 2)]
    assert [run for run in again if run.kind is RunKind.SALES] == []
    assert service.metrics(kind=RunKind.SALES).latest == sales[0]
    assert service.health().sales.last_push_status is RunStatus.SUCCESS


def test_close_day(make, office, clock):
    """
    The till's own end of day pushes at once.
    """
    service = make(orders=Till())

    service.close_day(date(2026, 1, 2))

    assert office.effective_batches == [{"t2026-01-02"}]


def test_without_orders_there_are_no_sales(service, clock):
    """
    Without an order source no sales run is recorded.
    """
    clock.move(days=3)
    service.run_due(clock.now())

    assert service.push_sales(date(2026, 1, 2)) == []
    assert service.close_day(date(2026, 1, 2)) == []
    assert service.metrics(kind=RunKind.SALES).latest is None


def test_unknown_zone_stops_sales_only(make, clock):
    """
    Where nobody knows the store's zone, the catalogue is still pulled, and
    an alert asks for the zone.
    """
    config = attrs.evolve(SyncConfig(location_id="loc-001"), timezone=None)
    service = make(orders=Till(), config=config)

    with pytest.raises(ConfigurationError, match="CONEXXUS_TIMEZONE"):
        service.run_due(clock.now())

    assert service.metrics().latest.status is RunStatus.SUCCESS
    assert any("CONEXXUS_TIMEZONE" in alert for alert in service.health().alerts)
