"""
Facts about an orders file that is written while it is read.
"""

import json
import os
from datetime import date
from itertools import cycle
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sources._file_index import stamp_of
from conexxus_sync.sources.ndjson import FileOrders


DAY, NEXT = date(2026, 1, 2), date(2026, 1, 3)


def lines(prefix, count, day=DAY, width=4):
    return "".join(
        json.dumps(
            {
                "id": f"{prefix}{n:0{width}}",
                "timestamp": f"{day}T17:00:00Z",
                "total": 1,
                "items": [{"sku": "A", "quantity": 1, "price": 1}],
            }
        )
        + "\n"
        for n in range(count)
    )


class Meddled:
    """
    A calendar that lets something happen to the file when a line is read.
    """

    def __init__(self, calendar, steps):
        self.calendar, self.steps, self.read = calendar, steps, 0

    def business_date(self, moment):
        self.read += 1
        self.steps.pop(self.read, lambda: None)()
        return self.calendar.business_date(moment)


def rewrite(file, text):
    """
    In place, like a till that exports its day anew: the inode stays.
    """
    with file.open("r+") as end:
        end.truncate()
        end.write(text)


def rewrite_unseen(file, text):
    """
    In place, and with the time of modification put back, as copying programs do.
    """
    before = file.stat()
    rewrite(file, text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def append(file, text):
    with file.open("a") as end:
        end.write(text)


def replace(file, text):
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sales.ndjson"


@pytest.fixture
def zone_calendar():
    return StoreCalendar(timezone=ZoneInfo("UTC"))


def dates_of(till):
    return {sale.id: day for day in (DAY, NEXT) for sale in till.office.ledger.sales(day=day)}


EARLY, LATE = lines("a", 40), lines("b", 40, NEXT)

CASE = pytest.mark.case(
    "E4",
    "an orders file is rewritten in place while a push reads it",
    "no sale goes under a wrong date: the file is read again, or nothing of the date is taken",
)


@CASE
@pytest.mark.parametrize("change", [rewrite, rewrite_unseen, replace])
@pytest.mark.parametrize("at", [1, 41, 60, 80])
def test_rewritten_while_it_is_indexed(till, file, zone_calendar, change, at):
    """
    Both dates change their places in the file: each sale keeps its date.
    """
    file.write_text(EARLY + LATE)
    orders = FileOrders(file, zone_calendar)
    orders.calendar = Meddled(zone_calendar, {at: lambda: change(file, LATE + EARLY)})
    append(file, lines("c", 1))
    till.orders = orders
    till.wait(days=1)

    till.push(since=DAY)

    assert dates_of(till) == {
        f"{p}{n:04}": d for p, d in (("a", DAY), ("b", NEXT)) for n in range(40)
    }


@CASE
@pytest.mark.parametrize("change", [rewrite, rewrite_unseen, replace])
def test_rewritten_between_two_sales(file, zone_calendar, change):
    """
    What is delivered for a date is of one state of the file, however much
    later the engine asks for the next sale.
    """
    file.write_text(EARLY + LATE)
    sales = iter(FileOrders(file, zone_calendar).transactions("loc-001", DAY))

    first = next(sales)
    change(file, LATE + EARLY)

    assert [first.id, *(sale.id for sale in sales)] == [f"a{n:04}" for n in range(40)]


@CASE
def test_same_size_and_time(file, zone_calendar):
    """
    A file system that shows neither size nor time of a change: a line of
    another date is noticed, and the date is refused as a whole.
    """
    file.write_text(EARLY + LATE)
    orders = FileOrders(file, zone_calendar)
    rewrite(file, LATE + EARLY)
    orders._indexed.stamp = stamp_of(file.stat())

    with pytest.raises(HostError, match="changed while it was read"):
        list(orders.transactions("loc-001", DAY))

    assert [sale.id for sale in orders.transactions("loc-001", DAY)][:1] == ["a0000"]


@CASE
def test_never_at_rest(till, file, zone_calendar):
    """
    A file that changes at each attempt fails the date, and says how to write it.
    """
    file.write_text(EARLY + LATE)
    orders = till.orders = FileOrders(file, zone_calendar)
    texts = cycle([LATE + EARLY, EARLY + LATE])
    steps = {n: lambda: rewrite(file, next(texts)) for n in range(10, 2_000, 10)}
    orders.calendar = Meddled(zone_calendar, steps)
    append(file, lines("c", 1))

    (run,) = till.push(DAY)

    assert run.status is RunStatus.FAILED
    assert f"{file} changed while it was read" in run.last_error
    assert "rename" in run.last_error
    assert till.effective() == []


@CASE
def test_busy_till(file, zone_calendar):
    """
    Sales that are appended while the file is read disturb nothing: they are
    found the next time.
    """
    file.write_text(EARLY + LATE)
    orders = FileOrders(file, zone_calendar)
    number = iter(range(10_000))
    more = {n: lambda: append(file, lines(f"n{next(number)}-", 1)) for n in range(1, 300)}
    append(file, lines("c", 1))
    orders.calendar = Meddled(zone_calendar, more)

    first = [sale.id for sale in orders.transactions("loc-001", DAY)]
    orders.calendar = zone_calendar
    second = [sale.id for sale in orders.transactions("loc-001", DAY)]

    assert first == second[: len(first)]
    assert len(second) == 41 + next(number)
