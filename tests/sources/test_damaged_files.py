"""
Facts about orders files with lines that are no sales.
"""

import json
import tracemalloc
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import Transaction
from conexxus_sync import OrderRemark, UnusableTransaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sources import _file_index
from conexxus_sync.sources.ndjson import FileOrders


DAY, NEXT = date(2026, 1, 2), date(2026, 1, 3)
CALENDAR = StoreCalendar(timezone=ZoneInfo("UTC"))

CASE = pytest.mark.case(
    "C8",
    "one line of an orders file is half-written, begins with a byte order mark, or is no sale",
    "the mark is passed over, a bad line is set aside with its number, and the other sales go",
)
ENDS = pytest.mark.case(
    "E11",
    "an orders file has a line with a moment at the end of the calendar, or a line of gigabytes",
    "that line is set aside with its number, in bounded memory, and the other sales go",
)


def line(name, timestamp="2026-01-02T17:00:00Z", **more):
    fields = {"id": name, "timestamp": timestamp, "total": 0, "items": [], **more}
    return (json.dumps(fields) + "\n").encode()


def read(file, day=DAY, calendar=CALENDAR):
    return list(FileOrders(file, calendar).transactions("loc-001", day))


def ids(records):
    return [record.id for record in records if not isinstance(record, OrderRemark)]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sales.ndjson"


@CASE
def test_one_bad_line_of_a_hundred(till, file):
    """
    Ninety-nine sales are delivered, and the line that is none is set aside.
    """
    sales = [line(f"t{n:02}") for n in range(99)]
    file.write_bytes(b"".join([*sales[:50], b'{"id":"t99","time\n', *sales[50:]]))
    till.orders = FileOrders(file, CALENDAR)

    (run,) = till.push()

    assert len(till.effective()) == 99
    assert (run.status, run.items_failed) == (RunStatus.PARTIAL, 1)
    assert f"{file}, line 51: not readable as JSON" in till.quarantined()["line 51"]


@CASE
@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf"])
def test_byte_order_mark(file, mark):
    """
    It is passed over at the beginning, and where files were put together.
    """
    file.write_bytes(mark + line("t1") + mark + line("t2"))

    assert ids(read(file)) == ["t1", "t2"]


@CASE
@pytest.mark.parametrize("kept", [1, 30, 60])
def test_line_that_is_still_written(till, file, kept):
    """
    A last line without an end that is no JSON is remarked, and read when it
    is complete; no sale waits for it.
    """
    file.write_bytes(line("t1") + line("t2")[:kept])
    till.orders = FileOrders(file, CALENDAR)

    (run,) = till.push()

    assert (run.status, run.items_failed, till.quarantined()) == (RunStatus.SUCCESS, 0, {})
    assert [issue.error for issue in run.errors] == [
        f"{file}, line 2: the last line has no end and is no JSON; it is read when it is complete"
    ]

    file.write_bytes(line("t1") + line("t2"))
    till.push(DAY)
    assert till.effective() == ["t1", "t2"]


@CASE
def test_nothing_but_a_line_that_is_still_written(till, file):
    """
    Also where nothing else is new, the remark is made.
    """
    file.write_bytes(line("t1"))
    till.orders = FileOrders(file, CALENDAR)
    till.push()
    file.write_bytes(line("t1") + line("t2")[:30])

    (run,) = till.push(DAY)

    assert (run.status, run.items_processed) == (RunStatus.SUCCESS, 0)
    assert "line 2" in run.errors[0].error


@CASE
def test_last_line_without_an_end(file):
    """
    A last line that is complete but for its end is a sale.
    """
    file.write_bytes(line("t1") + line("t2").rstrip())

    assert ids(read(file)) == ["t1", "t2"]


@CASE
def test_date_of_a_bad_line(file):
    """
    It is its own, if that can be read, else that of the line before it, or of
    the first sale.
    """
    file.write_bytes(
        b"{first\n"
        + line("t2")
        + line("t3", "2026-01-03T10:00:00Z", total="1.50")
        + b"{second\n"
        + line("t5", "noon", businessDate="2026-01-02")
        + line("t6")
    )

    assert sorted(ids(read(file))) == ["line 1", "line 5", "t2", "t6"]
    assert ids(read(file, NEXT)) == ["line 3", "line 4"]


@CASE
def test_corrected_line_under_the_same_id(till, file):
    """
    A sale whose line was bad goes once the till adds it anew.
    """
    file.write_bytes(line("t1") + line("t2", total="1.50"))
    till.orders = FileOrders(file, CALENDAR)
    till.push()
    with file.open("ab") as end:
        end.write(line("t2"))

    till.push(DAY)

    assert till.effective() == ["t1", "t2"]
    assert set(till.quarantined()) == {"line 2"}


@CASE
def test_file_of_something_else(file):
    """
    Where no line is a sale, the file has the fault: it is not set aside line by line.
    """
    file.write_bytes(b"id;total\nt1;1.50\n")
    orders = FileOrders(file, CALENDAR)

    with pytest.raises(HostError, match="no line of it is a transaction, like line 1: "):
        list(orders.transactions("loc-001", DAY))


@CASE
def test_utf_16(file):
    """
    A file in UTF-16, as some shells write, is named as a file without sales.
    """
    file.write_bytes((line("t1") + line("t2")).decode().encode("utf-16"))
    orders = FileOrders(file, CALENDAR)

    with pytest.raises(HostError, match="UTF-16"):
        list(orders.transactions("loc-001", DAY))


@ENDS
@pytest.mark.parametrize("moment", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_ends_of_the_calendar(file, moment, zone):
    """
    A moment whose business date lies beyond the calendar is no reason to stop.
    """
    file.write_bytes(line("t1") + line("t2", moment) + line("t3"))
    orders = FileOrders(file, StoreCalendar(timezone=ZoneInfo(zone)))

    found = {one.id: one for day in orders.business_dates for one in orders.transactions("", day)}

    assert {"t1", "t3"} <= set(found)
    assert len(found) == 3
    if "line 2" in found:
        assert "too near to an end of the calendar" in found["line 2"].reason


@ENDS
def test_line_of_any_length(file, monkeypatch):
    """
    A line longer than a batch is set aside, without being read into memory;
    so is one without an end.
    """
    monkeypatch.setattr(_file_index, "LONGEST_LINE", 64 * 1024)
    piece = b"x" * 1024 * 1024
    with file.open("wb") as out:
        out.write(line("t1"))
        for _ in range(40):
            out.write(piece)
        out.write(b"\n" + line("t3"))
        for _ in range(40):
            out.write(b"\0" * len(piece))

    tracemalloc.start()
    found = read(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert ids(found) == ["t1", "line 2", "t3", "line 4"]
    assert "longer than" in found[1].reason
    assert len(found[1].raw) <= 1024
    assert peak < 8 * len(piece)


@ENDS
def test_longest_line(file, monkeypatch):
    """
    A sale that just fits is delivered; with one byte more it is set aside.
    """
    text = line("t1")
    monkeypatch.setattr(_file_index, "LONGEST_LINE", len(text))
    file.write_bytes(text + line("t2") + line("t3").replace(b'"t3"', b'"t33"'))

    assert ids(read(file)) == ["t1", "t2", "line 3"]


@CASE
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.lists(st.binary(max_size=60) | st.sampled_from([b"[]", b"1", b'"t"', b"{}", b"null"])),
    end=st.sampled_from([b"", b"\n"]),
)
def test_any_lines(file, junk, end):
    """
    Whatever stands between two sales, both are read, and nothing is raised.
    """
    file.write_bytes(line("t1") + b"\n".join(junk) + b"\n" + line("t2").rstrip() + end)

    found = read(file)

    assert {"t1", "t2"} <= {one.id for one in found if isinstance(one, Transaction)}
    assert all(
        isinstance(one, UnusableTransaction) and one.id.startswith("line ")
        for one in found
        if not isinstance(one, Transaction)
    )
