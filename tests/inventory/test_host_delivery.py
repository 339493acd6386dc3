"""
Changes reach the host at least once, in sequence, whatever it does.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import attrs
import pytest
from databases import BOTH, host_sql, other_of

from conexxus_sync import RestorableCatalogStorage, RunStatus
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.testing import ListChanges, MemoryCatalog
from peeks import peek
from sites import Site


DATABASES = BOTH
WHOLE = "the whole catalogue is handed to the host's storage, not only what has changed"


def items(*skus, price="1.00"):
    return [{"sku": sku, "name": f"Item {sku}", "price": price} for sku in skus]


class RestorableHost(MemoryCatalog):
    """
    Knows how far it has come; fails when told to.
    """

    fails = False

    @property
    def sequences(self):
        return [changes.sequence for changes in self.received]

    def apply(self, changes):
        if self.fails:
            raise ValueError("disk full")

        assert {item.sku for item in changes.removed} <= set(self.items)
        super().apply(changes)


class Host(RestorableHost):
    """
    Does not know how far it has come.
    """

    last_applied = None


UPSERT = """
INSERT INTO products VALUES (?, ?) ON CONFLICT (sku) DO UPDATE SET name = excluded.name
"""


class TransactionalHost:
    """
    Has its table in the SDK's own database.
    """

    fails = False

    def apply_in(self, connection, changes):
        connection.execute("CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, name TEXT)")
        for item in [*changes.created, *changes.updated]:
            connection.execute(host_sql(UPSERT), (item.sku, item.name))
        if self.fails:
            connection.execute("NONSENSE")


CALL = ApiConnection(
    checked_at=datetime(2026, 1, 2, 9, tzinfo=UTC), reached=True, latency=None, error=None
)


@pytest.fixture(params=[Host, RestorableHost])
def host(request):
    return request.param()


def test_both_kinds_of_hosts_are_tested():
    """
    One of them has `last_applied`, for the SDK as for its tests.
    """
    assert isinstance(RestorableHost(), RestorableCatalogStorage)
    assert not isinstance(Host(), RestorableCatalogStorage)


def test_host_gets_changes(site, host):
    """
    Created and updated items arrive, each change set under the next number.
    """
    site.pull(items("A", "B"), storage=host)
    site.pull(items("A") + items("B", price="2.00") + items("C"), storage=host)

    assert host.items == site.shelf
    assert host.sequences == [1, 2]


def test_nothing_changed_nothing_said(site, host):
    """
    A pull without changes does not bother the host.
    """
    site.pull(items("A"), storage=host)
    site.pull(items("A"), storage=host)

    assert host.sequences == [1]


def test_run_is_recorded_with_the_last_changes(site, monkeypatch):
    """
    The run that the history has ends when the host has applied all of it, and
    is recorded in the transaction that forgets these changes.
    """
    site.pull(items("A"), storage=Host())
    writes, write = [], type(site.store).write

    class SlowHost(Host):
        def apply(self, changes):
            site.clock.advance(minutes=5)
            monkeypatch.setattr(type(site.store), "write", recorded)

    def recorded(store, lease=None):
        writes.append(store)
        return write(store, lease)

    run = site.pull(items("A", "B"), storage=SlowHost())

    with site.store.read() as state:
        assert state.runs.get(run.id) == run
    assert run.end_time == site.clock.now()
    assert len(writes) == 1


def test_changes_can_be_read_twice(site):
    """
    The streams are read anew each time, and know their length.
    """
    seen = []

    class Reader:
        def apply(self, changes):
            seen.append((list(changes.created), list(changes.created), len(changes.created)))

    site.pull(items("A", "B"), storage=Reader())

    ((once, twice, length),) = seen
    assert once == twice
    assert length == 2


def test_failing_host_keeps_its_queue(site, host):
    """
    A host that fails makes the run fail, and stops neither the mirror nor
    what comes later.
    """
    site.pull(items("A"), storage=host)
    host.fails = True

    run = site.pull(items("A", "B"), storage=host)
    site.pull(items("A", "B", "C"), storage=host)

    assert (run.status, run.created) == (RunStatus.FAILED, 1)
    assert "ValueError: disk full" in run.last_error
    assert set(site.shelf) == {"A", "B", "C"}
    assert set(host.items) == {"A"}

    host.fails = False
    healed = site.pull(storage=host)

    assert healed.status is RunStatus.SUCCESS
    assert host.items == site.shelf
    assert host.sequences == [1, 2, 3]
    assert peek(site.store).mirror.counts().pending == 0


def test_failing_host_is_asked_once_a_run(site):
    """
    What failed at the beginning of a run is not tried again at its end.
    """
    asked = []

    class Refuses:
        def apply(self, changes):
            asked.append(changes.sequence)
            raise ValueError

    site.pull(items("A"), storage=Refuses())
    site.pull(items("A", "B"), storage=Refuses())

    assert asked == [1, 1]


@pytest.mark.parametrize("said", ["5", True, 5.0, float("nan"), -3, 2**70, object()])
def test_last_applied_must_be_a_sequence(site, said):
    """
    Anything else is the host's failure: named, and in nobody else's way.
    """
    host = RestorableHost()
    site.pull(items("A"), storage=host)
    host.last_applied = lambda location_id: said

    run = site.pull(items("A", "B"), storage=host)

    assert run.status is RunStatus.FAILED
    assert "`last_applied` must return a sequence or None" in run.last_error
    assert set(site.shelf) == {"A", "B"}

    del host.last_applied
    assert site.pull(storage=host).status is RunStatus.SUCCESS
    assert host.sequences == [1, 2]


def test_queue_is_delivered_without_the_back_office(site, host):
    """
    What is here already does not wait for the back office.
    """
    site.pull(items("A"), storage=host)
    site.pull(items("A", "B"))
    site.office.faults("catalog: 503")

    site.pull(storage=host)

    assert host.items == site.shelf


def test_pull_without_host_queues(site, host):
    """
    Once a location has had a host, a pull without it queues the changes.
    """
    site.pull(items("A"), storage=host)
    site.pull(items("A", "B"))
    site.pull(items("A", "B", "C"), storage=host)

    assert host.sequences == [1, 2, 3]
    assert host.items == site.shelf


def test_location_without_host_queues_nothing(site):
    """
    The mirror is the catalogue then.
    """
    site.pull(items("A"))
    site.pull(items("B", "A"))

    assert site.dump("changes", "hosts") == {"changes": [], "hosts": []}


def test_new_host_gets_everything(site, host):
    """
    A host that comes later gets the whole mirror, even if nothing changed, and
    the run says so.
    """
    site.pull(items("A", "B"))

    run = site.pull(storage=host)
    after = site.pull(storage=host)

    assert host.items == site.shelf
    assert run.note == WHOLE
    assert after.note is None


def test_first_catalogue_needs_no_note(site, host):
    """
    What is new is everything.
    """
    assert site.pull(items("A", "B"), storage=host).note is None


@pytest.mark.fault(
    "S12",
    "The host's database, or the store, is restored from a backup",
    "the host gets everything again, under a number that it has not seen",
)
def test_restored_host_gets_everything(site):
    """
    A host that fell behind, or that is ahead of a restored store, gets
    everything again, under a number that it has not seen.
    """
    host = RestorableHost()
    site.pull(items("A"), storage=host)
    site.pull(items("A", "B"), storage=host)

    host.items, host.received = {}, host.received[:1]
    site.pull(storage=host)
    assert (host.items, host.sequences) == (site.shelf, [1, 3])

    host.items, host.received = {}, [ListChanges(sequence=40, location_id="loc-001")]
    site.pull(storage=host)
    assert (host.items, host.sequences) == (site.shelf, [40, 41])


def test_reapply(site, host):
    """
    Everything is handed over again on demand.
    """
    site.pull(items("A", "B"), storage=host)
    host.items = {}

    run = site.pull(storage=host, reapply=True)

    assert host.items == site.shelf
    assert run.note == WHOLE


def test_removals_are_kept_unless_asked_for(site, host):
    """
    By default the host hears nothing of removals.
    """
    site.pull(items("A", "B"), storage=host)
    site.pull(items("A"), storage=host)

    assert set(host.items) == {"A", "B"}


def test_removals_deactivate(site, host):
    """
    With `removals="deactivate"` the host hears of them, and of returns.
    """
    site.config = attrs.evolve(site.config, removals="deactivate")
    site.pull(items("A", "B"), storage=host)

    site.pull(items("A"), storage=host)
    assert set(host.items) == {"A"}

    site.pull(items("A", "B"), storage=host)
    assert host.items == site.shelf


def test_plan_tells_the_host_nothing(site, host):
    """
    A plan is not for the host.
    """
    site.pull(items("A"), storage=host, plan=True)

    assert host.sequences == []
    assert site.dump("hosts")["hosts"] == []


def products(site):
    with other_of(site.store).read() as state:
        return dict(state.session.execute("SELECT sku, name FROM products").fetchall())


def test_transactional_host_shares_the_transaction(site):
    """
    Its table and the mirror change in the same instant.
    """
    site.pull(items("A"), storage=TransactionalHost())
    others, seen = Site(site.path), []

    def look(step):
        if step in ("commit", "committed"):
            with ThreadPoolExecutor() as elsewhere:
                shelf = elsewhere.submit(lambda: set(others.shelf)).result()
            seen.append((shelf, set(products(site))))

    site.pull(items("A", "B"), storage=TransactionalHost(), failpoint=look)

    assert seen == [({"A"}, {"A"}), ({"A", "B"}, {"A", "B"})]


def test_failing_transactional_host(site, database):
    """
    What it wrote is undone; the mirror goes on, and the queue waits.
    """
    host = TransactionalHost()
    site.pull(items("A"), storage=host)
    host.fails = True

    run = site.pull(items("A", "B"), storage=host)

    assert run.status is RunStatus.FAILED
    assert ("OperationalError" if database == "sqlite" else "SyntaxError") in run.last_error
    assert (set(site.shelf), set(products(site))) == ({"A", "B"}, {"A"})

    host.fails = False
    assert site.pull(storage=host).status is RunStatus.SUCCESS
    assert set(products(site)) == {"A", "B"}


class BusyHost(Host):
    """
    Has something to do with the store in the middle of what it is given.
    """

    def __init__(self, store):
        super().__init__()
        self.store = store
        self.seen = []

    def apply(self, changes):
        for number, item in enumerate(changes.created):
            if number == 5:
                with self.store.write() as state:
                    state.api_calls.record(CALL, CALL.checked_at)
            self.seen.append(item.sku)


@pytest.mark.case(
    "D2",
    "a host's storage has something written to the store while it reads its changes",
    "it is written, and the changes go on",
)
def test_host_that_writes_meanwhile(site):
    """
    As `service.test_connection()` does, which shares its result.
    """
    host = BusyHost(site.store)

    run = site.pull(items(*(f"S{number:02d}" for number in range(20))), storage=host)

    assert run.status is RunStatus.SUCCESS
    assert len(host.seen) == 20
    assert peek(site.store).api_calls.last() == CALL
