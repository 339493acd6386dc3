"""
Facts about the cost of a push on a store with a history.
"""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.health._health import assess_health
from conexxus_sync.stores.sqlite import _sqlite_database as store_module


DATABASES = ("sqlite",)
LOCATION = "loc-001"
DAY = date(2026, 1, 2)
A_DAY = timedelta(days=1)

# What may be read for each sale or batch: a sale, the sales of a date, of an id
# or of a batch, or what is open; not all of a location.
NARROW = {
    "delivered": [r"business_date[=<]\?", r"\bid=\?"],
    "batch_transactions": [r"\bkey=\?", r"\borigin=\?", r"corrections_by_id .*\bid=\?"],
    "batches": [
        r"business_date=\?",
        r"\bkey=\?",
        r"INDEX batches_open",
        r"INDEX batches_with_bytes .*settled_at<\?",
    ],
    "quarantined_transactions": [r"business_date=\?"],
}


def fill(till, days, sales):
    """
    A history of so many days with so many sales, delivered, under receipt
    numbers that begin anew each day.
    """
    till.push()

    with till.store.write() as state:
        for number in range(1, days + 1):
            day = DAY - number * A_DAY
            # To a server that knows ids alone, they have to be new ones.
            prefix = "" if till.profile.dedupe == "key" else f"{number}-"
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            moments = [(noon + place * timedelta(seconds=7)).isoformat() for place in range(sales)]
            state.session.raw.execute(
                "INSERT INTO batches (location, key, business_date, freeze_number, first, state,"
                " transactions, mismatched, total, digest, frozen_at, settled_at)"
                " VALUES (?, ?, ?, 1, 0, 'delivered', ?, 0, '1', x'00', ?, ?)",
                (LOCATION, f"k{number}", str(day), sales, str(noon), str(noon)),
            )
            state.session.raw.executemany(
                "INSERT INTO batch_transactions"
                " VALUES (?1, ?2, ?3, ?4, x'00', '1', 1, ?5, ?4, 0, 0, '1', '')",
                (
                    (LOCATION, f"k{number}", place, f"{prefix}t{place}", moment)
                    for place, moment in enumerate(moments)
                ),
            )
            state.session.raw.executemany(
                "INSERT INTO delivered VALUES (?, ?, ?, ?, '1', x'00', '1', ?, ?, ?, 0, 0)",
                (
                    (
                        LOCATION,
                        str(day),
                        f"{prefix}t{place}",
                        moment[:19],
                        f"k{number}",
                        moment,
                        moment,
                    )
                    for place, moment in enumerate(moments)
                ),
            )
            state.session.raw.execute(
                "INSERT OR REPLACE INTO sales_dates VALUES (?, ?, ?, NULL, NULL)",
                (LOCATION, str(day), str(noon)),
            )


def a_day(till):
    """
    What a push is about: new sales, changed ones, some that wait, one refused.
    """
    sales = [
        till.sale(f"t{number}", timestamp=datetime(2026, 1, 2, 15, number % 60, tzinfo=UTC))
        for number in range(30)
    ]
    till.orders.by_date[DAY] = sales[:20]
    till.office.reject = {"t3": "no"}
    till.push(DAY)
    till.office.faults("sales: 409")
    till.orders.by_date[DAY] = sales[:25]
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("t0", "9.00"), *sales[2:]]
    till.push(DAY)
    till.push(DAY)
    # After more than a day, what is old is forgotten.
    till.wait(days=1, hours=2)
    till.push()


class Planned(store_module.SqliteSession):
    """
    Asks for the plan of each statement before it runs.
    """

    plans: ClassVar = {}

    def execute(self, sql, *parameters):
        self._explain(sql)
        return super().execute(sql, *parameters)

    def executemany(self, sql, *parameters):
        self._explain(sql)
        return super().executemany(sql, *parameters)

    def _explain(self, sql):
        if not sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            return
        query = "EXPLAIN QUERY PLAN " + re.sub(r"\?\d*", "'x'", sql)
        self.plans[sql] = [row[3] for row in super().execute(query)]


def wide(sql, step):
    """
    The table of which *step* reads all of a location, or everything.
    """
    found = re.match(r"(SCAN|SEARCH) (\w+)", step)
    if found is None:
        return None
    alias = found[2]
    # The end of an index, one row.
    if re.match(r"\s*SELECT (\(SELECT )?(max|min)\(business_date\)", sql):
        return None
    named = re.search(rf"(\w+) AS {alias}\b", sql)
    table = named[1] if named else alias

    if table not in NARROW:
        return None
    if found[1] == "SEARCH" and any(re.search(way, step) for way in NARROW[table]):
        return None

    return table


@pytest.fixture(params=["append-key", "append-transaction_id", "replace_day-key"])
def till(new_till, request):
    mode, dedupe = request.param.split("-")
    till = new_till(
        profile=ApiProfile(sales_mode=mode, dedupe=dedupe),
        office=BackOffice(sales_mode=mode, dedupe=dedupe),
    )
    till.options = {"on_changed": "resend"}
    return till


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.case(
    "C20",
    "a push on a store with a long history",
    "no statement of it reads all that was ever delivered or frozen",
)
def test_plans(till, monkeypatch, analyzed):
    """
    Each statement of a push finds by an index what it is about; also where the
    database has statistics.
    """
    fill(till, days=30, sales=50)
    if analyzed:
        with till.store.read() as state:
            state.session.raw.execute("ANALYZE")
    monkeypatch.setattr(Planned, "plans", {})
    monkeypatch.setattr(store_module, "SqliteSession", Planned)

    a_day(till)

    assert len(Planned.plans) > 40
    assert [
        (sql, step)
        for sql, steps in Planned.plans.items()
        for step in steps
        if wide(sql, step) is not None
    ] == []


class Counted(store_module.SqliteSession):
    """
    Counts the steps of SQLite's machine, by hundreds.
    """

    steps = 0

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.set_progress_handler(self._count, 100)

    def _count(self):
        Counted.steps += 1
        return 0


@pytest.mark.case(
    "C20",
    "the same push on stores with histories of ten and of a hundred days",
    "takes the same work",
)
def test_work(till, new_till, monkeypatch):
    """
    The work of a push does not grow with what was delivered on other dates.
    """
    monkeypatch.setattr(store_module, "SqliteSession", Counted)
    work = {}

    for days in (10, 100):
        one = new_till(profile=till.profile, office=BackOffice(**_settings(till)))
        one.options = till.options
        fill(one, days=days, sales=50)
        Counted.steps = 0
        a_day(one)
        work[days] = Counted.steps

    assert work[100] < work[10] * 1.5


class Slow(store_module.SqliteSession):
    """
    A connection on which each statement about staged sales takes three minutes.

    Asks before each statement outside of a transaction whether the lease that
    is held lasts.
    """

    till = None
    lapsed: ClassVar = []
    slowed = 0

    def execute(self, sql, *parameters):
        self._look(sql)
        return super().execute(sql, *parameters)

    def _look(self, sql):
        if self.till is None or self.in_transaction:
            self._take_time(sql)
            return
        now = self.till.clock.now()
        with closing(sqlite3.connect(self.till.folder / "store.db")) as other:
            rows = other.execute("SELECT expires_at FROM leases WHERE run_id IS NOT NULL")
            self.lapsed.extend(sql for (at,) in rows if datetime.fromisoformat(at) <= now)
        self._take_time(sql)

    def _take_time(self, sql):
        if self.till is not None and re.search(r"\b(staged|known|batch_transactions)\b", sql):
            Slow.slowed += 1
            self.till.clock.advance(minutes=3)


@pytest.mark.case(
    "C20",
    "comparing and freezing a date takes longer than a lease lasts",
    "the lease is renewed meanwhile, and no other run takes it",
)
def test_lease_of_long_work(till, monkeypatch):
    """
    However long a push takes, its lease does not lapse while another run
    could take it.
    """
    sales = [till.sale(f"t{number}") for number in range(12)]
    till.orders.by_date[DAY] = sales
    till.push(DAY)
    monkeypatch.setattr(store_module, "SqliteSession", Slow)
    monkeypatch.setattr(Slow, "till", till)
    monkeypatch.setattr(Slow, "lapsed", [])
    till.orders.by_date[DAY] = [till.sale("t0", "9.00"), *sales[2:], till.sale("new")]

    till.push(DAY)

    assert Slow.slowed > 20
    assert Slow.lapsed == []


def _settings(till):
    return {"sales_mode": till.profile.sales_mode, "dedupe": till.profile.dedupe}


def an_hour_of_runs(till, count):
    """
    So many hourly runs before now, as of pulls.
    """
    with till.store.write() as state:
        (document,) = state.session.execute("SELECT document FROM runs").fetchone()
        state.session.executemany(
            "INSERT OR REPLACE INTO runs"
            " (location, id, kind, status, planned, started_at, document)"
            " VALUES (?, ?, 'inventory', 'success', 0, ?, ?)",
            (
                (LOCATION, f"r{n}", (till.clock.now() - n * A_DAY / 24).isoformat(), document)
                for n in range(count)
            ),
        )


def ask(till):
    """
    What a scheduler and a monitor ask every minute.
    """
    engine, context = till.engine(), till.context()
    engine.clock_problem(till.clock.now())
    engine.next_due(till.clock.now())
    assess_health(
        context.store,
        context.config,
        missing=(),
        api=None,
        orders=True,
        watched_since=till.clock.now(),
        now=till.clock.now(),
    )


def test_every_minute(new_till, monkeypatch):
    """
    What is asked every minute takes about the same work however long the
    history is: of the 40 days more, their batches alone are counted.
    """
    monkeypatch.setattr(store_module, "SqliteSession", Counted)
    till, work = new_till(), {}

    for days in (70, 110):
        for night in range(len(till.orders.by_date), days):
            till.orders.add(till.sale(f"t{night}"), day=DAY + night * A_DAY)
            till.push()
            till.wait(days=1)
        an_hour_of_runs(till, 24 * days)
        Counted.steps = 0
        ask(till)
        work[days] = Counted.steps

    assert 100 * (work[110] - work[70]) < 40 * 30


@pytest.mark.parametrize("analyzed", [False, True])
def test_plans_of_every_minute(new_till, monkeypatch, analyzed):
    """
    Nothing that is asked every minute reads the rows of a history: what is
    counted is counted in an index.
    """
    till = new_till()
    fill(till, days=30, sales=50)
    till.orders.add(till.sale("t1"))
    till.push()
    an_hour_of_runs(till, 500)
    if analyzed:
        with till.store.read() as state:
            state.session.raw.execute("ANALYZE")
    monkeypatch.setattr(Planned, "plans", {})
    monkeypatch.setattr(store_module, "SqliteSession", Planned)

    ask(till)

    history = r"(SCAN|SEARCH) (runs|batches|quarantined_transactions|discrepancies|sales_dates)\b"
    # Counted there, or the end of it.
    counted = r"INDEX (batches_counted|batches_open|batches_by_date) "
    assert len(Planned.plans) > 20
    assert [
        (sql, step)
        for sql, steps in Planned.plans.items()
        for step in steps
        if re.match(history, step)
        and not re.search(r"\(location=\? AND", step)
        and not re.search(counted, step)
    ] == []


class Statements(store_module.SqliteSession):
    """
    Counts the statements, however many rows each is about.
    """

    count = 0

    def execute(self, sql, *parameters):
        Statements.count += 1
        return super().execute(sql, *parameters)

    def executemany(self, sql, *parameters):
        Statements.count += 1
        return super().executemany(sql, *parameters)


def test_statements(new_till, monkeypatch):
    """
    A day of one batch takes the same statements however many sales it has,
    when it is sent and when it is looked at again.
    """
    monkeypatch.setattr(store_module, "SqliteSession", Statements)
    counts = []

    for sales in (3, 600):
        till = new_till()
        till.orders.add(*(till.sale(f"t{number}") for number in range(sales)))
        for _ in range(2):
            Statements.count = 0
            till.push(DAY)
            counts.append(Statements.count)

    assert counts[:2] == counts[2:]


class Flushed(store_module.SqliteSession):
    """
    Counts the commits after which SQLite flushes its log, and the connections
    that are closed: the last one takes the log into the file.
    """

    flushes = 0

    def execute(self, sql, *parameters):
        is_durable = super().execute("PRAGMA synchronous").fetchone() == (2,)
        before = self.total_changes
        self.wrote = False if sql.startswith("BEGIN") else getattr(self, "wrote", False)
        result = super().execute(sql, *parameters)
        self.wrote = self.wrote or (self.total_changes > before and "staged" not in sql)
        Flushed.flushes += sql == "COMMIT" and self.wrote and is_durable
        return result

    def close(self):
        Flushed.flushes += 1
        super().close()


def test_flushes(new_till, monkeypatch):
    """
    A date with sales takes four flushes: its batch is frozen, sent and settled,
    and the log is emptied; one that is looked at again takes two.
    """
    monkeypatch.setattr(store_module, "SqliteSession", Flushed)
    till = new_till()
    till.push(DAY - A_DAY)
    till.orders.add(till.sale("t1"))

    Flushed.flushes = 0
    till.push(DAY)
    assert Flushed.flushes <= 4

    Flushed.flushes = 0
    till.push(DAY)
    assert Flushed.flushes <= 2


class Opened(store_module.SqliteSession):
    """
    Counts the connections that are opened.
    """

    count = 0

    def __init__(self, *arguments, **options):
        Opened.count += 1
        super().__init__(*arguments, **options)


def test_connections_of_next_due(new_till, monkeypatch):
    """
    When the next push is due takes one connection to find out.
    """
    monkeypatch.setattr(store_module, "SqliteSession", Opened)
    till = new_till()
    till.push(DAY)

    Opened.count = 0
    till.engine().next_due(till.clock.now())

    assert Opened.count == 1
