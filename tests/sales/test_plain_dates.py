"""
Facts about business dates that are none, and about rows that can't be read.
"""

from datetime import UTC, date, datetime

import pytest

from conexxus_sync.model.calendar import plain_date
from conexxus_sync.model.runs import RunKind
from peeks import peek


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
MOMENT = datetime(2026, 1, 2, 17, 0, 0, 123, tzinfo=UTC)

CASE = pytest.mark.case(
    "C7",
    "a till closes its day with a moment instead of a date",
    "it is refused, with the way from a moment to its business date, and nothing is stored",
)
ROWS = pytest.mark.case(
    "C7",
    "the store has a row whose date cannot be read",
    "the row stops only itself, the other dates are pushed, and doctor shows it",
)


@CASE
@pytest.mark.parametrize("given", [MOMENT, MOMENT.replace(tzinfo=None), "2026-01-02", 20260102])
@pytest.mark.parametrize("way", ["close_day", "push", "since", "adopt"])
def test_no_plain_date(till, given, way):
    """
    Neither a moment nor a text is a business date, by whichever way it comes.
    """
    till.orders.add(till.sale("t1"))
    engine = till.engine()
    call = {"since": lambda day: engine.push(since=day)}.get(way) or getattr(engine, way)

    with pytest.raises(ValueError, match="a business date is a date without a time"):
        call(given)

    assert till.effective() == []
    assert [run.business_date for run in till.push()] == [DAY]


@CASE
def test_subclass_of_a_date():
    """
    What a library makes of a date is one; it is stored as a plain one.
    """

    class Day(date):
        def isoformat(self):
            return "Friday"

    assert type(plain_date(Day(2026, 1, 2))) is date


AT = "'2026-01-02T23:30:00+00:00'"
BATCH = (
    "INSERT INTO batches (location, key, business_date, freeze_number, first, transactions,"
    " mismatched, total, digest, body, frozen_at, state, sent_at, parked)"
    " VALUES (?, 'k', '{}', 1, 0, 1, 0, '1', CAST('0' AS BLOB), CAST('0' AS BLOB)"
)
RUN = (
    "INSERT INTO runs (location, id, kind, business_date, status, planned, started_at, document)"
    " VALUES (?, 'r', 'sales', '{}', 'success', 0, '2026-01-02T00:00:00+00:00', '{{\"id\": 1}}')"
)
ANEW = "ON CONFLICT (location, business_date) DO UPDATE SET visited_at = excluded.visited_at"
TABLES = [
    f"INSERT INTO sales_dates VALUES (?, '{{}}', {AT}, NULL, NULL) {ANEW}",
    f"INSERT INTO sales_dates VALUES (?, '2026-01-01', 'yesterday{{}}', NULL, NULL) {ANEW}",
    (
        "INSERT INTO quarantined_transactions (location, business_date, id, sold_second, raw,"
        f" reason, quarantined_at) VALUES (?, '{{}}', 'x', '', CAST('0' AS BLOB), 'why', {AT})"
    ),
    (
        "INSERT INTO discrepancies (location, business_date, id, sold_second, kind, digest,"
        f" found_at) VALUES (?, '{{}}', 'x', '', 'elsewhere', CAST('0' AS BLOB), {AT})"
    ),
    (
        "INSERT INTO delivered VALUES (?, '{}', 'x', '', '1', CAST('0' AS BLOB), '1', '',"
        f" {AT}, '', 0, 0)"
    ),
    f"{BATCH}, {AT}, 'pending', NULL, NULL)",
    f"{BATCH}, {AT}, 'unknown', {AT}, 'why')",
    f"{BATCH}, {AT}, 'unknown', {AT}, NULL)",
    RUN,
]


def unreadable_rows(till):
    with till.store.read() as state:
        return state.unreadable_rows()


def damage(till, statement, day):
    with till.store.write() as state:
        state.session.execute(statement.format(day), (LOCATION,))


@ROWS
@pytest.mark.parametrize("day", ["2026-01-02T17:00:00.000123+00:00", "2026-02-30", "", "Friday"])
@pytest.mark.parametrize("statement", TABLES)
def test_row_that_can_not_be_read(till, statement, day):
    """
    Whichever table it is in, sales are delivered, every list can be read, and
    the row is named.
    """
    till.push()
    damage(till, statement, day)
    till.orders.add(till.sale("t1"))
    till.wait(days=1)

    till.push()

    assert till.effective() == ["t1"]
    assert peek(till.store).runs.latest(RunKind.SALES).items_succeeded == 1
    assert len(till.peek.sales_quarantine.transactions()) == 0
    assert len(till.peek.sales_quarantine.discrepancies()) == 0
    assert [batch.business_date for batch in till.peek.outbox.batches()] == [DAY]
    assert [sums.business_date for sums in till.peek.outbox.date_totals(date(2026, 1, 1))] == [DAY]
    assert till.peek.outbox_maintenance.history("x").delivered == ()
    if "yesterday" in statement:
        # The date was looked at again: that mended it.
        assert unreadable_rows(till) == []
        return
    (found,) = unreadable_rows(till)
    assert f" {found.table} " in statement
    assert found.count == 1


@ROWS
def test_run_that_can_not_be_read_is_passed_over(till):
    """
    Older runs take the places of those that can't be read.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    for number in range(10):
        damage(till, RUN.replace("'r'", f"'r{number}'"), "Friday")

    assert len(peek(till.store).runs.history(RunKind.SALES, 1)) == 1
    assert len(peek(till.store).runs.history(RunKind.SALES, 5)) == 1
    assert peek(till.store).runs.get("r1") is None


@ROWS
@pytest.mark.parametrize("since", ["2026-01-01T10:00:00+00:00", "2026-01-01"])
def test_start_that_is_a_moment(till, since):
    """
    A first date that was stored as a moment is that moment's date.
    """
    till.push()
    with till.store.write() as state:
        state.session.execute("UPDATE sales_floors SET since = ?", (since,))
    till.orders.add(till.sale("t1"), day=date(2026, 1, 1))
    till.wait(days=1)

    till.push(since=None)

    assert till.effective() == ["t1"]


@ROWS
def test_bad_batch_before_a_good_one(till):
    """
    Of two batches of a date, the one that can be read is sent.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: 503")
    till.push()
    damage(till, f"{BATCH}, 'late', 'pending', NULL, NULL)", str(DAY))

    till.wait(minutes=30)
    till.push()

    assert till.effective() == ["t1"]


@ROWS
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE runs SET started_at = 'x' WHERE number = (SELECT min(number) FROM runs)",
        "UPDATE discrepancies SET kind = 'x'",
    ],
)
def test_damage_that_stops_no_push(till, damage):
    """
    A moment of a run, or the kind of a discrepancy, that can't be read.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.push()
    till.orders.remove("t1")
    till.push(DAY)
    with till.store.write() as state:
        assert state.session.execute(damage).rowcount == 1
    till.orders.add(till.sale("t3"))

    till.push(DAY)
    till.wait(days=1)
    till.push()

    assert till.effective() == ["t1", "t2", "t3"]
