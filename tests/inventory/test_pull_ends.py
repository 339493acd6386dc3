"""
However a pull ends, its record, its lease and its watchers know.
"""

import sqlite3
from contextlib import closing

import pytest

from conexxus_sync import InMemoryCollector, RunInProgressError, RunStatus, StoreError
from conexxus_sync.model.leases import LEASE_LENGTH
from conexxus_sync.stores.sqlite import _sqlite_database
from peeks import peek
from sites import Site


def items(count):
    return [{"sku": f"S{number}", "name": "x", "price": "1.00"} for number in range(count)]


def at(step, act):
    """
    Do *act* when the pull reaches *step*.
    """

    def reached(name):
        if name == step:
            act()

    return reached


def raising(exception):
    def act():
        raise exception

    return act


def test_collector_is_told(site):
    """
    Collectors see the start and the end; one that raises harms nobody.
    """

    class Broken:
        def run_started(self, run):
            raise ValueError("no")

        run_finished = run_started

    memory = InMemoryCollector()

    run = site.pull(items(1), collectors=[Broken(), memory])

    assert [started.status for started in memory.started] == [None]
    assert list(memory.finished) == [run]
    assert peek(site.store).runs.get(run.id) == run


@pytest.mark.parametrize("exception", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_whatever_ends_a_pull_is_recorded(site, exception):
    """
    Even a bug, or a host that calls `sys.exit`, leaves a record, tells the
    collectors, and gives the lease back.
    """
    memory = InMemoryCollector()

    with pytest.raises(exception):
        site.pull(items(1), failpoint=at("compared", raising(exception)), collectors=[memory])

    (run,) = peek(site.store).runs.history()
    assert (run.status, site.shelf) == (RunStatus.FAILED, {})
    assert exception.__name__ in run.last_error
    assert list(memory.finished) == [run]
    assert site.pull().created == 1


def test_ended_after_its_record(site):
    """
    A run that had been recorded keeps its record.
    """
    memory = InMemoryCollector()

    with pytest.raises(KeyboardInterrupt):
        site.pull(
            items(1), failpoint=at("release", raising(KeyboardInterrupt)), collectors=[memory]
        )

    (run,) = peek(site.store).runs.history()
    assert (run.status, run.created) == (RunStatus.SUCCESS, 1)
    assert list(memory.finished) == [run]


def test_failure_after_the_commit(site):
    """
    What was committed stays counted, though the run has failed.
    """
    run = site.pull(items(3), failpoint=at("committed", raising(StoreError("the disk is gone"))))

    assert (run.status, run.created, run.items_processed) == (RunStatus.FAILED, 3, 3)
    assert (run.last_error, len(site.shelf)) == ("the disk is gone", 3)
    assert peek(site.store).runs.get(run.id) == run


def test_failure_before_the_commit(site):
    """
    What was not committed is not counted.
    """
    run = site.pull(items(3), failpoint=at("commit", raising(StoreError("the disk is gone"))))

    assert (run.status, run.created, run.items_processed) == (RunStatus.FAILED, 0, 0)


def test_lease_that_could_not_be_given_back(site, monkeypatch):
    """
    The next run of the same process has it at once; to others it is held
    until then.
    """
    monkeypatch.setattr(_sqlite_database, "BUSY_TIMEOUT_S", 0)
    other = Site(site.path).store

    with closing(sqlite3.connect(site.store.database.path, isolation_level=None)) as db:
        site.pull(items(1), failpoint=at("release", lambda: db.execute("BEGIN IMMEDIATE")))

    assert site.store.leases.holder("inventory", site.clock.now()) is None
    assert other.leases.holder("inventory", site.clock.now())

    assert site.pull().status is RunStatus.SUCCESS
    assert other.leases.holder("inventory", site.clock.now()) is None
    assert site.store.leases.abandoned == set()


def test_lease_lasts_as_long_as_the_read(site):
    """
    It is renewed with every page: nobody takes over a slow read.
    """
    site.office.page_size = 1
    tried = []

    def look(step):
        if step == "page":
            site.clock.advance(seconds=LEASE_LENGTH.total_seconds() / 2)
            try:
                site.engine().acquire()
            except RunInProgressError as exc:
                tried.append(exc.run_id)

    run = site.pull(items(5), failpoint=look)

    assert run.status is RunStatus.SUCCESS
    assert tried == [run.id] * 5


def test_at_most_a_hundred_errors(site):
    """
    A run names the first hundred of its errors, and counts all.
    """
    run = site.pull([None] * 150)

    assert (len(run.errors), run.items_failed) == (100, 150)


def stopped_at(site, step):
    """
    A pull of new items by a scheduler that asks to stop at *step* alone, so
    that no later checkpoint stands in for a missing one.
    """
    reached = []
    engine = site.engine(failpoint=reached.append, is_stopping=lambda: reached[-1:] == [step])
    site.office.catalog = items(5)

    return engine.pull()


@pytest.mark.parametrize("step", ["request", "page", "read", "compared"])
def test_pull_that_changed_nothing_ends_when_it_is_stopped(site, step):
    """
    Until the catalogue is merged, each step may be the last.
    """
    site.pull(items(1))

    run = stopped_at(site, step)

    assert (run.status, run.last_error) == (
        RunStatus.FAILED,
        "the pull was stopped; the catalogue is as it was",
    )
    assert set(site.shelf) == {"S0"}


@pytest.mark.parametrize("step", ["merge", "merged", "commit", "committed", "release"])
def test_pull_that_changes_something_is_let_finish(site, step):
    """
    From the merge on, what was begun is committed and recorded as it is.
    """
    site.pull(items(1))

    run = stopped_at(site, step)

    assert run.status is RunStatus.SUCCESS
    assert set(site.shelf) == {f"S{number}" for number in range(5)}
