"""
One process that pulls and pushes for many locations.
"""

import logging
import socket
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_sync import InMemoryCollector, RunStatus
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, WorkItem
from conexxus_sync.model.runs import RunKind


DAY = date(2026, 1, 2)
# Within twenty minutes after the push time, every store has had its turn.
AFTER_PUSHES = datetime(2026, 1, 2, 23, 51, tzinfo=UTC)
NAMES = [f"loc-{number}" for number in range(6)]


@pytest.fixture
def silent():
    """
    The address of a back office that takes connections and never answers.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def rows(url, names=NAMES, **more):
    return [{"location": name, "api.url": url, **more} for name in names]


def runs(fleet, name, kind=RunKind.INVENTORY):
    with fleet.store.at(name).read() as state:
        return state.runs.history(kind)


def epochs(fleet, kind):
    leases = fleet.store.lease_states(fleet.clock.now())
    return {it.location_id: it.epoch for it in leases if it.kind == kind}


def sold(office):
    return {name: [it.id for it in office.ledger.sales(name)] for name in NAMES}


def test_every_location_has_its_turn(new_fleet, new_front, clock):
    """
    Each catalogue is pulled and each sale pushed, once, by few threads over
    the connections of one pool.
    """
    office, url = new_front()
    fleet = new_fleet(rows(url))
    fleet.run_once()
    clock.advance_to(AFTER_PUSHES)
    threads = threading.active_count()
    fleet.run_once()
    fleet.run_once()

    assert sold(office) == {name: [f"t{DAY}"] for name in NAMES}
    assert office.ledger.doubled() == []
    assert all(len(runs(fleet, name)) == 2 for name in NAMES)
    assert office.requests["catalog"] == 2 * len(NAMES)
    assert threading.active_count() <= threads + 3


def test_each_location_has_its_own_slot(new_fleet, new_front, clock):
    """
    Pulls are spread over the interval, and pushes over the twenty minutes after
    the push time.
    """
    office, url = new_front()
    fleet = new_fleet(rows(url))
    fleet.run_once()
    clock.advance_to(datetime(2026, 1, 2, 23, 29, tzinfo=UTC))
    fleet.run_once()
    pushed, pulled = [], []

    for _ in range(21):
        clock.advance(minutes=1)
        before = office.requests["catalog"]
        fleet.run_once()
        pulled.append(office.requests["catalog"] - before)
        pushed.append(sum(map(len, sold(office).values())))

    assert pushed[-1] == len(NAMES)
    assert len(set(pushed)) > 3
    assert 0 < sum(pulled) <= len(NAMES)
    assert max(pulled) < 3


@pytest.mark.parametrize("kind", ["inventory", "sales"])
def test_two_processes(new_fleet, new_front, kind):
    """
    What another process has done meanwhile is not done again.
    """
    office, url = new_front()
    one, other = new_fleet(rows(url)), new_fleet(rows(url))
    for fleet in (one, other):
        fleet._agenda.refresh(fleet.clock.now())
    stale = other._agenda.due(other.clock.now())
    one.run_once()
    requests, pushes = Counter(office.requests), epochs(other, "sales")
    for item in stale:
        if item.kind == kind:
            other.perform(item)

    assert [item for item in stale if item.kind == kind]
    assert office.requests == requests
    # A push that is not due any more does not even begin.
    assert epochs(other, "sales") == pushes


def test_back_office_that_hangs(new_fleet, new_front, silent):
    """
    It costs one worker, until its time is up; the others have their turns.
    """
    _, url = new_front()
    hanging = {"location": "hanging", "api.url": silent}
    options = FleetOptions(workers=2, budget=timedelta(seconds=1), rate=1000, burst=1000)
    fleet = new_fleet([hanging, *rows(url)], options=options, orders=None)
    fleet.run_once()

    assert [len(runs(fleet, name)) for name in NAMES] == [1] * len(NAMES)
    (run,) = runs(fleet, "hanging")
    assert run.status is RunStatus.FAILED
    assert run.retry_at is not None
    assert fleet.locations["hanging"].breaker.failures == 1
    assert fleet.locations["loc-0"].breaker.failures == 0


class Shelf:
    """
    An executor that takes items and runs them when it is asked to.
    """

    def __init__(self, perform):
        self.perform, self.items = perform, []

    def submit(self, item):
        self.items.append(item)

    def cancel(self, key):
        pass

    def capacity(self):
        return 8 - len(self.items)

    def close(self):
        pass

    def taken(self):
        return Counter(item.location_id.partition("-")[0] for item in self.items)


@pytest.fixture
def two_offices(new_fleet, new_front):
    """
    The front of twenty stores, and a fleet of these and of two at another one.
    """
    many, many_url = new_front(faults="catalog: 503*16")
    _, other_url = new_front()
    names = [f"many-{number}" for number in range(20)]
    options = FleetOptions(workers=8, rate=1000, burst=1000)
    fleet = new_fleet(
        [*rows(many_url, names), *rows(other_url, ["other-0", "other-1"])],
        options=options,
        orders=None,
        executor=Shelf,
    )
    fleet._agenda.refresh(fleet.clock.now())

    return fleet, many


def test_share_of_one_back_office(two_offices):
    """
    However much is due at one back office, some workers are left for the others.
    """
    fleet, _ = two_offices
    fleet._dispatch()
    fleet._dispatch()

    assert fleet.executor.taken() == {"many": 6, "other": 2}


def test_back_office_that_is_down(two_offices):
    """
    Where all requests fail, one run at a time tries; an answer ends that.
    """
    fleet, many = two_offices

    def turn():
        fleet._agenda.refresh(fleet.clock.now())
        fleet._dispatch()
        taken = fleet.executor.taken()
        for item in fleet.executor.items:
            fleet.perform(item)
        fleet.executor.items.clear()
        return taken["many"]

    turns = [turn() for _ in range(4)]

    assert turns == [6, 6, 1, 1]

    many.faults("")
    turns = [turn() for _ in range(2)]

    assert turns == [1, 5]


def test_request_that_takes_too_long(new_fleet, new_front):
    """
    What times out is not repeated within its run, and other failures are.
    """
    hanging, hanging_url = new_front(faults="hang*9")
    broken, broken_url = new_front(faults="503*9")
    limits = {"timeout": 100, "retries": 2, "retry_delay": 1}
    fleet = new_fleet(
        [*rows(hanging_url, ["x"], **limits), *rows(broken_url, ["y"], **limits)], orders=None
    )
    fleet.run_once()

    assert hanging.requests["catalog"] == 1
    assert broken.requests["catalog"] == 3


def test_location_that_keeps_failing(new_fleet, new_front, clock):
    """
    After three failures in a row it is left alone for five minutes; then there
    is one attempt, and a success ends the wait.
    """
    office, url = new_front(faults="catalog: 503*4")
    fleet = new_fleet(rows(url, NAMES[:1]), orders=None)
    location = fleet.locations[NAMES[0]]

    for _ in range(3):
        fleet.run_once()
        clock.advance(minutes=4)

    assert office.requests["catalog"] == 3
    assert location.breaker.is_tripped

    clock.advance(seconds=50)
    fleet.run_once()

    assert office.requests["catalog"] == 3

    clock.advance(minutes=30)
    fleet.run_once()
    clock.advance(minutes=30)
    fleet.run_once()

    assert office.requests["catalog"] == 5
    assert location.breaker.failures == 0


def test_failed_push_is_sent_again(new_fleet, new_front, clock):
    """
    After a minute, and not put off by the moment that the store's name decides.
    """
    office, url = new_front()
    fleet = new_fleet(rows(url))
    fleet.run_once()
    office.faults(f"sales: 503*{len(NAMES)}")
    clock.advance_to(AFTER_PUSHES)
    fleet.run_once()
    assert not any(sold(office).values())
    clock.advance(minutes=1)
    fleet.run_once()

    assert sold(office) == {name: [f"t{DAY}"] for name in NAMES}


def test_credential_that_is_at_its_limit(new_fleet, new_front):
    """
    After 429, no run begins with this key; with another, they do.
    """
    limited, limited_url = new_front(faults="429(retry_after=600)*9")
    office, url = new_front()
    options = FleetOptions(workers=1, rate=1000, burst=1000)
    fleet = new_fleet(
        [*rows(limited_url, ["x", "y", "z"]), *rows(url)], options=options, orders=None
    )
    fleet.run_once()

    assert limited.requests["catalog"] == 1
    assert office.requests["catalog"] == len(NAMES)


def test_location_with_a_wrong_host(new_fleet, new_front, caplog):
    """
    An order source that can't be used is logged, once; the others have their turns.
    """
    office, url = new_front()
    wrong = {"location": "wrong", "api.url": url, "orders": "no_such_module:orders"}
    fleet = new_fleet([wrong, *rows(url)], orders=None)

    with caplog.at_level(logging.ERROR):
        fleet.run_once()
        fleet.run_once()

    assert office.requests["catalog"] == len(NAMES)
    assert caplog.text.count("Conexxus store wrong: CONEXXUS_ORDERS no_such_module:orders") == 1
    assert "CONEXXUS_ORDERS" in fleet.locations["wrong"].problem


def test_keys_are_not_mixed_up(new_fleet, new_front):
    """
    Over one pool of connections, each location sends its own key.
    """
    _, url = new_front()
    fleet = new_fleet(rows(url), orders=None)
    row = {"location": "other", "api.url": url, "api.key_env": "OTHER"}
    defaults = {"store": fleet.locations["loc-1"].settings.sync.store}
    other = StoreSettings.of(row, defaults, environ={"OTHER": "another-key"})
    stores = [it.settings for it in fleet.locations.values()]

    with Fleet([*stores, other], clock=fleet.clock) as both:
        both.run_once()

        assert runs(both, "other")[0].last_error.startswith("Conexxus API authentication failed")
        assert all(runs(both, name)[0].status is RunStatus.SUCCESS for name in NAMES)


def test_collectors_see_all_runs(new_fleet, new_front):
    """
    One collector watches the runs of all locations.
    """
    _, url = new_front()
    collector = InMemoryCollector()
    new_fleet(rows(url), collectors=[collector], orders=None).run_once()

    assert sorted(run.location_id for run in collector.finished) == NAMES


def test_run_forever(new_fleet, new_front):
    """
    It does what is due until it is stopped, and leaves no thread behind.
    """

    class StopAfterAll(InMemoryCollector):
        def run_finished(self, run):
            super().run_finished(run)
            if len(self.finished) == len(NAMES):
                stop.set()

    office, url = new_front()
    stop = threading.Event()
    fleet = new_fleet(rows(url), collectors=[StopAfterAll()], orders=None)
    fleet.run_forever(stop)

    assert office.requests["catalog"] == len(NAMES)
    assert not [it for it in threading.enumerate() if it.name.startswith("conexxus-fleet")]


def test_executor_of_another_kind(new_fleet, new_front):
    """
    Whatever runs the items, what is due comes from the store.
    """

    class Inline:
        def __init__(self, perform):
            self.perform, self.keys = perform, []

        def submit(self, item):
            self.keys.append(item.key)
            self.perform(item)

        def cancel(self, key):
            pass

        def capacity(self):
            return 2

        def reconcile(self):
            pass

        def close(self):
            pass

    office, url = new_front()
    fleet = new_fleet(rows(url), executor=Inline, orders=None)
    fleet.run_once()

    assert office.requests["catalog"] == len(NAMES)
    assert len(set(fleet.executor.keys)) == len(NAMES)


def test_run_of_a_location_that_is_not_here(new_fleet, new_front, caplog):
    """
    Another process may have newer settings: its runs are left to it.
    """
    _, url = new_front()
    fleet = new_fleet(rows(url), orders=None)
    fleet.perform(WorkItem(location_id="new", kind=RunKind.INVENTORY, slot=fleet.clock.now()))

    assert "Conexxus store new is not in this fleet" in caplog.text


def test_no_fleet(new_fleet):
    """
    A fleet has stores, of one location each, in one store of the SDK.
    """
    url = "http://127.0.0.1:9"

    with pytest.raises(ConfigurationError, match="a fleet needs a store"):
        new_fleet([])
    with pytest.raises(ConfigurationError, match="location loc-0 is that of two stores"):
        new_fleet(rows(url, ["loc-0", "loc-0"]))
    stores = [
        StoreSettings.of(
            {"location": name},
            {"store": f"sqlite:///{name}.db", "api": {"url": url, "key_env": "K"}},
            environ={"K": "a-key-of-all"},
        )
        for name in "ab"
    ]
    with pytest.raises(ConfigurationError, match="need one CONEXXUS_STORE"):
        Fleet(stores)


def test_auth_of_two_keys():
    """
    An `Auth` keeps the token of one key, which is not sent for another.
    """

    class Login:
        def flow(self, key):
            return {}

        def refused(self):
            return False

    profile = ApiProfile(auth=Login())
    stores = [
        StoreSettings.of(
            {"location": name, "api.key_env": name},
            {"api.url": "http://127.0.0.1:9", "store": "sqlite:///unused.db"},
            environ={"a": "key-of-a-", "b": "key-of-b-"},
        )
        for name in "ab"
    ]

    with pytest.raises(ConfigurationError, match="serves one key"):
        Fleet([StoreSettings(client=it.client, sync=it.sync, profile=profile,
                             credential=it.credential) for it in stores])  # fmt: skip
