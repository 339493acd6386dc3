"""
Facts about a store that was lost, restored from a backup, or is fresh.
"""

import json
import shutil
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from conexxus_client import ConfigurationError
from conexxus_sync.collectors import FanOut, LoggingCollector
from conexxus_sync.sales._status import SalesStatus


DATABASES = ("sqlite",)
LOCATION = "loc-001"
DAY = date(2026, 1, 2)


def backup(till):
    """
    Copy the store as it is; its log is empty between two units of work.
    """
    shutil.copy(till.folder / "store.db", till.folder / "backup.db")


def restore(till):
    """
    Put the copy in the place of the store.
    """
    for name in ("store.db-wal", "store.db-shm"):
        (till.folder / name).unlink(missing_ok=True)
    (till.folder / "backup.db").replace(till.folder / "store.db")


def adopt_but_the_last(till):
    """
    Adopt all dates up to DAY; the process is killed while the next is read.
    """
    orders = till.orders

    def transactions(location, day):
        if day > DAY:
            raise KeyboardInterrupt
        return orders.transactions(location, day)

    till.wait(days=1)
    till.orders = SimpleNamespace(transactions=transactions)
    with pytest.raises(KeyboardInterrupt):
        till.engine().adopt(DAY + timedelta(days=1))
    till.orders = orders


def status(till):
    return SalesStatus.of(till.store, till.config, till.clock.now(), enabled=True)


def marker(till):
    return till.folder / "store.db.freeze"


@pytest.mark.case(
    "C13",
    "A store is restored from a backup and pushes by itself",
    "Nothing is sent, and log and status say how to go on",
)
def test_a_restored_store_pushes_nothing(till, caplog):
    """
    What was sent since the backup is not sent again, neither by the schedule
    nor by name, until an operator said what was delivered.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    backup(till)
    till.orders.add(till.sale("t2"))
    till.push(DAY)
    restore(till)
    till.wait(days=2)
    caplog.clear()

    assert till.engine().push(automatic=True) == []
    assert till.engine().push() == []
    with pytest.raises(ConfigurationError, match="--adopt-through DATE"):
        till.push(DAY)
    with pytest.raises(ConfigurationError, match="restored from a backup"):
        till.engine().close_day(DAY)

    assert till.effective() == ["t1", "t2"]
    assert "restored from a backup" in caplog.text
    assert "--adopt-through DATE" in str(status(till).restored)


@pytest.mark.case(
    "C13",
    "An operator adopts what was delivered since the backup",
    "Pushes go on, and nothing is doubled",
)
def test_adopting_ends_it(till):
    """
    After the adoption, only what is new is sent.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    backup(till)
    till.orders.add(till.sale("t2"))
    till.push(DAY)
    restore(till)

    till.engine().adopt(DAY)
    till.orders.add(till.sale("t3"))
    till.push(DAY)

    assert till.effective() == ["t1", "t2", "t3"]
    assert status(till).restored is None


def test_adopted_dates_are_not_overdue(till):
    """
    What was taken for delivered has arrived: a date without sales, too.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    backup(till)
    till.wait(days=3)
    till.push()
    restore(till)
    assert status(till).overdue
    today = till.clock.now().date()

    till.engine().adopt(today)

    assert status(till).overdue == ()
    till.orders.add(till.sale("t2"), day=today)
    till.wait(days=1)
    till.push()
    assert till.effective() == ["t1", "t2"]


def test_a_backup_from_before_an_adoption(till):
    """
    What was adopted since the backup is not sent either.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    backup(till)
    till.orders.add(till.sale("t2"))
    till.engine().adopt(DAY)
    restore(till)

    with pytest.raises(ConfigurationError, match="restored from a backup"):
        till.push(DAY)
    till.engine().adopt(DAY)
    till.push(DAY)

    assert till.effective() == ["t1"]


def test_a_backup_from_before_an_interrupted_adoption(till):
    """
    The same goes for the dates that were adopted before it was killed.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    backup(till)
    till.orders.add(till.sale("t2"))
    adopt_but_the_last(till)
    restore(till)

    with pytest.raises(ConfigurationError, match="restored from a backup"):
        till.push(DAY)

    assert till.effective() == ["t1"]


def test_an_interrupted_adoption_of_a_restored_store(till):
    """
    Nothing is sent until all dates are adopted.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    backup(till)
    till.orders.add(till.sale("t2"))
    till.push(DAY)
    restore(till)

    adopt_but_the_last(till)
    with pytest.raises(ConfigurationError, match="restored from a backup"):
        till.push(DAY)

    assert till.effective() == ["t1", "t2"]


@pytest.mark.case(
    "C13",
    "The store is deleted, and the same day is pushed again",
    "The file beside it says what is missing, and nothing is sent",
)
def test_a_deleted_store(till):
    """
    A store that was lost is one that knows of no freeze.
    """
    till.orders.add(till.sale("t1"))
    till.engine().close_day(DAY)
    for file in till.folder.glob("store.db*"):
        if file != marker(till):
            file.unlink()

    with pytest.raises(ConfigurationError, match="it has 0 freezes"):
        till.engine().close_day(DAY)

    assert till.effective() == ["t1"]


@pytest.mark.case(
    "C13",
    "A batch that waited in the backup was delivered since",
    "The restored store is noticed, though nothing was frozen since",
)
def test_a_delivery_since_the_backup_is_noticed(till):
    """
    Each send counts, not only each freeze.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    till.push(DAY)
    backup(till)
    till.push(DAY)
    restore(till)

    with pytest.raises(ConfigurationError, match="restored from a backup"):
        till.push(DAY)


@pytest.mark.case(
    "C13",
    "The file beside the store is missing or unreadable",
    "It is written anew, said once, and the push goes on",
)
@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"loc-001": "x"}', b'{"loc-001": true}'])
def test_a_missing_file_is_written(till, caplog, content):
    """
    A store of an earlier version has none.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    marker(till).unlink()
    if content is not None:
        marker(till).write_bytes(content)

    till.push(DAY)
    till.push(DAY)

    said = [record for record in caplog.records if "is written anew" in record.getMessage()]
    assert len(said) == 1
    assert json.loads(marker(till).read_text()) == {LOCATION: 2}
    assert marker(till).stat().st_mode & 0o777 == 0o600


@pytest.mark.case(
    "C13",
    "The process dies between the commit and the file",
    "The store is ahead of the file, and pushes go on",
)
def test_a_store_that_is_ahead(till):
    """
    Only a lower number in the store counts.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    marker(till).write_text(json.dumps({LOCATION: 1}))
    till.orders.add(till.sale("t2"))

    till.push(DAY)

    assert till.effective() == ["t1", "t2"]
    assert json.loads(marker(till).read_text()) == {LOCATION: 4}


def test_nothing_is_sent_before_the_file_is_written(till):
    """
    When bytes leave, the file knows of them.
    """
    till.orders.add(till.sale("t1"))
    seen = []

    def look(step):
        if step in ("frozen", "sending"):
            seen.append(json.loads(marker(till).read_text())[LOCATION])

    till.engine(failpoint=look).push(DAY)

    assert seen == [1, 2]


@settings(max_examples=examples(6, 15), deadline=None)
@given(before=st.integers(0, 3), after=st.integers(0, 3))
def test_a_store_is_noticed_exactly_if_it_lags(new_till, before, after):
    """
    For any number of pushes before and after the backup, the restored store
    pushes if and only if nothing was sent since.
    """
    till = new_till()
    for number in range(before):
        till.orders.add(till.sale(f"b{number}"))
        till.push(DAY)
    with till.store.write():
        pass
    backup(till)
    for number in range(after):
        till.orders.add(till.sale(f"a{number}"))
        till.push(DAY)
    restore(till)

    assert (status(till).restored is not None) == (after > 0)


@pytest.mark.case(
    "C13",
    "A fresh store pushes for the first time",
    "Run, log and status say that nothing is known of earlier pushes of the date",
)
def test_a_fresh_store_says_so(till, caplog):
    """
    The first push says it of each of its dates; the next says nothing.
    """
    yesterday = date(2026, 1, 1)
    till.orders.add(till.sale("t0"), day=yesterday)
    till.orders.add(till.sale("t1"))
    assert status(till).is_fresh

    till.options = {"observer": FanOut([LoggingCollector()])}
    runs = till.push()

    for run in runs:
        assert f"nothing is known of earlier pushes of {run.business_date}" in run.note
        assert f"--adopt-through {run.business_date}" in run.note
        assert run.note in caplog.text
        assert (run.status, run.errors) == ("success", ())
    assert len(runs) == 2
    assert not status(till).is_fresh

    till.orders.add(till.sale("t2"))
    (run,) = till.push(DAY)
    assert run.note is None


@pytest.mark.case(
    "C13",
    "A date before the first one in the store is pushed by name",
    "The run says that nothing is known of earlier pushes of it",
)
def test_a_date_before_the_first(till):
    """
    Of dates before the first one, a store knows as little as a fresh one.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    earlier = date(2025, 12, 30)
    till.orders.add(till.sale("t0"), day=earlier)

    (run,) = till.push(earlier)

    assert f"earlier pushes of {earlier}" in run.note


def test_an_adopted_store_is_not_fresh(till):
    """
    Where an operator adopted, the first push has nothing to say.
    """
    till.orders.add(till.sale("t1"))
    till.engine().adopt(DAY)
    till.orders.add(till.sale("t2"))

    (run,) = till.push(DAY)

    assert run.note is None
    assert till.effective() == ["t2"]


def test_words_of_a_restored_store(till, caplog):
    """
    It is said what the store has and what was sent, and how to go on.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    with till.store.write():
        pass
    backup(till)
    till.orders.add(till.sale("t2"))
    till.push(DAY)
    restore(till)
    words = (
        "the store was restored from a backup or lost: it has 2 freezes of location loc-001, and "
        f"{marker(till)} of 4. What was sent since would be sent again, so nothing is pushed. "
        "Name the last business date that the back office has: "
        "`conexxus push --orders ORDERS --adopt-through DATE`"
    )

    with pytest.raises(ConfigurationError) as caught:
        till.push(DAY)

    assert caught.value.problems == (words,)
    assert str(status(till).restored) == words
    caplog.clear()
    till.engine().push()
    assert [one.message for one in caplog.records] == [f"Conexxus sales: {words}"]


def test_one_reason_after_the_other(till, caplog):
    """
    The log has a new reason at once, however short ago the one before was said.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    engine, now = till.engine(), till.clock.now()
    caplog.clear()

    till.clock.set(now - timedelta(hours=20))
    engine.push()
    marker(till).write_text(json.dumps({LOCATION: 99}))
    till.clock.set(now)
    engine.push()
    engine.push()

    first, second = (one.message for one in caplog.records)
    assert "which is before the last run" in first
    assert "restored from a backup" in second


def test_words_of_a_missing_file(till, caplog):
    """
    It is said which file was missing, and what can't be known.
    """
    till.orders.add(till.sale("t1"))
    till.push(DAY)
    marker(till).unlink()
    caplog.clear()

    till.push(DAY)

    (record,) = caplog.records
    assert record.message == (
        f"Conexxus sales: {marker(till)} was missing and is written anew: whether the store was "
        "restored from a backup before could not be seen"
    )
