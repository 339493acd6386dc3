"""
Facts about sales that come from a file.
"""

import json
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from conexxus_client import encode_transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.sources.ndjson import FileOrders


CALENDAR = StoreCalendar(timezone=ZoneInfo("America/New_York"), day_closes_at=time(2))


def line(name, timestamp="2026-01-02T17:00:00Z", total="1.50", **more):
    text = json.dumps({"id": name, "timestamp": timestamp, "total": "T", "items": [], **more})
    return text.replace('"T"', total) + "\n"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sales.ndjson"


def ids(orders, day):
    return [transaction.id for transaction in orders.transactions("loc-001", day)]


def test_own_business_date(file):
    """
    A line's own business date wins; without one, the store's calendar
    decides, in the store's zone and with its closing time.
    """
    file.write_text(
        line("evening", "2026-01-03T04:45:00Z")
        + line("night", "2026-01-03T06:30:00Z")
        + line("morning", "2026-01-03T07:00:00Z")
        + line("told", "2026-01-03T04:45:00Z", businessDate="2026-01-05")
    )

    orders = FileOrders(file, CALENDAR)

    assert [date(2026, 1, 2), date(2026, 1, 3), date(2026, 1, 5)] == orders.business_dates
    assert ids(orders, date(2026, 1, 2)) == ["evening", "night"]
    assert ids(orders, date(2026, 1, 3)) == ["morning"]
    assert ids(orders, date(2026, 1, 5)) == ["told"]
    assert ids(orders, date(2026, 1, 4)) == []


def test_exact(file):
    """
    Digits arrive as they are written.
    """
    file.write_text(line("t1", total="49.9800"))

    (transaction,) = FileOrders(file, CALENDAR).transactions("loc-001", date(2026, 1, 2))

    assert str(transaction.total) == "49.9800"
    assert b'"total":49.9800' in encode_transaction(transaction)
    assert transaction.timestamp == datetime.fromisoformat("2026-01-02T17:00:00Z")
    assert Decimal("49.98") == transaction.total


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("{not json}\n", "not readable as JSON"),
        ('{"id": "t2"}\n', "$.timestamp must be a text"),
        (line("t2", "2026-01-02T10:00:00"), "aware"),
        (line("t2", businessDate="tomorrow"), "$.businessDate must be a date"),
    ],
)
def test_bad_line(file, second, said):
    """
    A line that is no transaction is named, with its file, in the place of a sale.
    """
    file.write_text(line("t1") + "\n" + second)

    orders = FileOrders(file, CALENDAR)
    good, bad = orders.transactions("loc-001", date(2026, 1, 2))

    assert (good.id, bad.id) == ("t1", "line 3")
    assert bad.reason.startswith(f"{file}, line 3: ")
    assert said in bad.reason


def test_no_file(file):
    """
    A file that isn't there is named.
    """
    with pytest.raises(HostError, match="can't be read: No such file"):
        FileOrders(file, CALENDAR)


def test_growing_file(file):
    """
    What is added to the file is found the next time.
    """
    file.write_text(line("t1"))
    orders = FileOrders(file, CALENDAR)

    with file.open("a") as end:
        end.write(line("t2"))

    assert ids(orders, date(2026, 1, 2)) == ["t1", "t2"]


def test_no_room_for_a_copy(file, tmp_path):
    """
    A date that is too large for memory is copied to a folder that can be
    chosen; where that can't be written to, the error names it.
    """
    file.write_text(line("t1", note="x" * 2**20) + line("t2"))
    day, gone = date(2026, 1, 2), tmp_path / "gone"

    taken = list(FileOrders(file, CALENDAR, temporary_folder=tmp_path).transactions("loc-1", day))
    with pytest.raises(HostError, match=rf"can't be written to {gone}: .*No such file"):
        list(FileOrders(file, CALENDAR, temporary_folder=gone).transactions("loc-1", day))

    assert len(taken) == 2
