"""
What is due, and who does it.
"""

import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import destroy

from conexxus_client import ClientConfig, ConexxusClient, ConfigurationError
from conexxus_client.testing import SandboxTransport
from conexxus_sync import InMemoryCollector, RunKind, RunStatus, SyncConfig
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.testing import FakeClock
from peeks import peek


HOUR = timedelta(hours=1)


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


def test_run_due_pulls_once_an_hour(service, clock, office):
    """
    The first round pulls, the next not before the next slot.
    """
    assert len(service.run_due(clock.now())) == 1
    assert service.run_due(clock.now()) == []

    clock.advance_to(PullSchedule("loc-001").next_slot(clock.now()))

    assert len(service.run_due(clock.now())) == 1
    assert office.requests["catalog"] == 2


def test_run_due_leaves_others_alone(service, clock):
    """
    What runs elsewhere is not waited for.
    """
    service._engines.inventory(lambda: False).acquire()

    assert service.run_due(clock.now()) == []


class TickingClock(FakeClock):
    """
    A clock that shows a later moment each time it is looked at.
    """

    def now(self):
        self.advance(seconds=0.001)
        return super().now()


def test_run_due_twice_at_the_same_moment(new_service, office, till):
    """
    The runs of the first time begin a little later, and count all the same.
    """
    now = datetime(2026, 1, 2, 23, 31, tzinfo=UTC)
    service = new_service(orders=till, clock=TickingClock(now))

    service.run_due(now)
    service.run_due(now)

    assert office.requests["catalog"] == 1


def test_run_due_is_at_the_moment_that_it_is_told(new_service, clock, office, till):
    """
    What is due then is done, and begins then, whatever time it is.
    """
    service, then = new_service(orders=till), datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
    service.run_due(clock.now())

    runs = service.run_due(then)

    assert [run.kind for run in runs] == [RunKind.INVENTORY, RunKind.SALES]
    assert {run.start_time for run in runs} == {then}
    assert office.effective_batches == [{"t2026-01-02"}]
    assert service.sync_inventory().start_time == clock.now()


def test_run_due_needs_an_aware_moment(service):
    """
    A moment without a zone is refused before anything is done.
    """
    with pytest.raises(ValueError, match="aware moment"):
        service.run_due(datetime(2026, 1, 2, 10))

    assert service.metrics().latest is None


def test_fresh_store_remembers_at_once_where_it_began(new_service, clock, till):
    """
    The first round looks at the sales though none are due; a second
    process does not.
    """
    new_service(orders=till).run_due(clock.now())
    began = new_service(orders=till).sales

    assert began.next_due(clock.now()) == datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


def test_sales_are_pushed_when_due(new_service, clock, office, till):
    """
    With an order source, a business date goes out at its push time, once.
    """
    service = new_service(orders=till)
    clock.advance_to(datetime(2026, 1, 2, 22, tzinfo=UTC))
    service.run_due(clock.now())
    assert office.requests["sales"] == 0

    clock.advance_to(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    runs = service.run_due(clock.now())
    again = service.run_due(clock.now())

    sales = [run for run in runs if run.kind is RunKind.SALES]
    assert [run.business_date for run in sales] == [date(2026, 1, 2)]
    assert [run for run in again if run.kind is RunKind.SALES] == []
    assert service.metrics(kind=RunKind.SALES).latest == sales[0]
    assert service.health().sales.last_push_status is RunStatus.SUCCESS


def test_unknown_zone_stops_sales_only(new_service, clock, till):
    """
    Where nobody knows the store's zone, the catalogue is still pulled, and
    an alert asks for the zone.
    """
    config = attrs.evolve(SyncConfig(location_id="loc-001"), timezone=None)
    service = new_service(orders=till, config=config)

    with pytest.raises(ConfigurationError, match="CONEXXUS_TIMEZONE"):
        service.run_due(clock.now())

    assert service.metrics().latest.status is RunStatus.SUCCESS
    assert any("CONEXXUS_TIMEZONE" in str(alert) for alert in service.health().alerts)


def test_disabled_scheduler_waits(new_service):
    """
    It still stops when told to.
    """
    stop = threading.Event()
    stop.set()

    new_service(client=None).run_forever(stop)


def test_run_forever_survives(service, caplog):
    """
    A round that fails does not end the scheduler; the event does.
    """
    stop = StopAfter(rounds=3)
    destroy(service.store)

    service.run_forever(stop)

    assert caplog.text.count("Conexxus runs failed") == 3


def test_run_forever_looks_every_minute(service, clock):
    """
    It never waits longer than a minute, and less if a pull is due before.
    """
    schedule, stop = PullSchedule("loc-001"), StopAfter(rounds=1)
    clock.advance_to(schedule.next_slot(clock.now()) - timedelta(seconds=20))
    service.run_forever(stop)
    assert stop.waits == [20.0]

    stop = StopAfter(rounds=1)
    clock.advance(timedelta(seconds=20))
    service.run_forever(stop)
    assert stop.waits == [60.0]


@pytest.mark.case("D10", "an idle `conexxus run`", "logs when the next pull and push are")
def test_next_runs_are_logged(new_service, till, clock, caplog):
    """
    The moments of the next pull and push, in store time, each time that they change.
    """
    caplog.set_level("INFO")
    config = attrs.evolve(SyncConfig(location_id="loc-001"), timezone=ZoneInfo("Europe/Berlin"))
    service = new_service(orders=till, config=config)

    service.run_forever(StopAfter(rounds=3))
    clock.advance(hours=1)
    service.run_forever(StopAfter(rounds=3))

    slots = [PullSchedule("loc-001").next_slot(clock.now() - ago) for ago in (HOUR, HOUR * 0)]
    logged = [each for each in caplog.records if each.msg == "Conexxus waits for the next run"]
    shown = [f"{slot.astimezone(config.timezone):%Y-%m-%d %H:%M} CET" for slot in slots]
    assert [each.next_pull for each in logged] == shown
    assert {each.next_push for each in logged} == {f"{clock.now():%Y-%m-%d} 23:30 CET"}


def test_missing_zone_is_said_once(new_service, till, caplog):
    """
    What does not mend itself is logged in the first round only; health keeps
    it.
    """
    config = attrs.evolve(SyncConfig(location_id="loc-001"), timezone=None)
    service = new_service(orders=till, config=config)

    service.run_forever(StopAfter(rounds=3))

    assert caplog.text.count("CONEXXUS_TIMEZONE") == 1
    assert any("CONEXXUS_TIMEZONE" in str(alert) for alert in service.health().alerts)


def test_clock_that_is_wrong_is_said_once(new_service, office, till, clock, caplog):
    """
    A clock that was set back pushes nothing; a sentence in the log, and an
    alert, say why; once it is right, all goes on.
    """
    service = new_service(orders=till)
    service.run_due(clock.now())
    clock.set(clock.now() - timedelta(days=1))

    service.run_forever(StopAfter(rounds=3))

    assert office.requests["sales"] == 0
    assert caplog.text.count("no sales are pushed automatically") == 1
    assert any("no sales are pushed automatically" in str(a) for a in service.health().sales.alerts)

    clock.advance(days=1, hours=14)
    service.run_due(clock.now())
    assert office.effective_batches == [{"t2026-01-02"}]
    assert service.health().alerts == ()


class Stopper(InMemoryCollector):
    """
    Sets *stop* when a run of *kind* starts.
    """

    def __init__(self, stop, kind=RunKind.INVENTORY):
        super().__init__()
        self.stop, self.kind = stop, kind

    def run_started(self, run):
        super().run_started(run)
        if run.kind is self.kind:
            self.stop.set()


def test_stop_breaks_a_pull_off(new_service, caplog):
    """
    A pull in progress ends before its next page, and changes nothing.
    """
    stop = StopAfter(rounds=1)
    service = new_service()
    service.client.add_hook(lambda _: stop.set())

    service.run_forever(stop)

    assert "was stopped" in service.metrics().latest.last_error
    assert peek(service.store).mirror.is_empty()
    assert (stop.waits, "runs failed" in caplog.text) == ([], False)


def test_stop_breaks_a_push_off(new_service, office, till, clock):
    """
    A push in progress ends after its batch; the next one goes on from there.
    """
    stop = StopAfter(rounds=1)
    service = new_service(orders=till)
    service.run_due(clock.now())
    clock.advance(days=3)
    service.client.add_hook(lambda details: stop.set() if details.call == "sales" else None)

    service.run_forever(stop)
    assert office.effective_batches == [{"t2026-01-02"}]

    service.push_sales()
    assert office.effective_batches[1:] == [{"t2026-01-03"}, {"t2026-01-04"}]


def test_stop_before_the_first_page(new_service, office, till, caplog):
    """
    Nothing is asked of the back office any more, and no sales are begun.
    """
    stop = StopAfter(rounds=1)
    service = new_service(collectors=[Stopper(stop)], orders=till)

    service.run_forever(stop)

    assert sum(office.requests.values()) == 0
    assert service.sales.next_due(service._clock.now()) <= service._clock.now()
    assert (stop.waits, "runs failed" in caplog.text) == ([], False)


def test_pull_that_changed_nothing_can_be_stopped(site):
    """
    A pull whose scheduler stops ends before it changes anything; another goes on.
    """
    site.office.catalog = [{"sku": "A", "name": "a", "price": 1}]

    stopped = site.engine(is_stopping=lambda: True).pull()
    shelf = site.shelf
    pulled = site.engine(is_stopping=lambda: False).pull()

    assert (stopped.status, shelf) == (RunStatus.FAILED, {})
    assert stopped.last_error.endswith("as it was")
    assert (pulled.status, list(site.shelf)) == (RunStatus.SUCCESS, ["A"])


def test_service_works_on_after_the_scheduler(new_service):
    """
    A scheduler that was stopped stops nothing that comes later.
    """
    stop = StopAfter(rounds=1)
    service = new_service(collectors=[Stopper(stop)])
    service.run_forever(stop)

    run = service.sync_inventory()

    assert (run.status, service.is_stopping) == (RunStatus.SUCCESS, False)


def test_service_works_on_after_a_scheduler_that_was_interrupted(new_service):
    """
    Likewise where an exception ended the scheduler.
    """

    class Interrupted(threading.Event):
        def wait(self, timeout=None):
            self.set()
            raise KeyboardInterrupt

    service = new_service()
    with pytest.raises(KeyboardInterrupt):
        service.run_forever(Interrupted())

    assert service.sync_inventory().status is RunStatus.SUCCESS


def test_calls_of_the_scheduler_end_with_it(new_service, office):
    """
    A client that can cut its calls short is told when, for as long as the
    scheduler runs.
    """

    class Client(ConexxusClient):
        blocks = ()

        @contextmanager
        def stopping(self, stop):
            self.blocks = (stop(),)
            yield
            self.blocks += (stop(),)

    client = Client(
        ClientConfig(api_url="http://127.0.0.1:9", api_key=office.api_key),
        transport=SandboxTransport(office),
    )

    new_service(client=client).run_forever(StopAfter(rounds=2))

    assert client.blocks == (False, True)
    assert office.requests["catalog"] == 1
