"""
Facts about dates and moments at either end of the calendar.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.config import SyncConfig
from conexxus_sync.testing import sale


CASE = pytest.mark.case(
    "E11",
    "a sale, or the date that is asked for, lies at an end of the calendar",
    "it is set aside or pushed, and the other sales go",
)
DAY = date(2026, 1, 2)
ENDS = [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)]
ZONES = ["Asia/Tokyo", "America/New_York"]


def till_in(new_till, zone):
    return new_till(config=SyncConfig(location_id="loc-001", timezone=ZoneInfo(zone)))


@CASE
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", ENDS)
def test_moment_at_an_end(new_till, zone, moment):
    """
    It costs at most its own sale, with whichever offset it is written.
    """
    till = till_in(new_till, zone)
    offsets = [timezone(timedelta(hours=hours)) for hours in (-12, 0, 14)]
    odd = [sale(f"o{n}", timestamp=moment.replace(tzinfo=zone)) for n, zone in enumerate(offsets)]
    till.orders.by_date[DAY] = [*odd, till.sale("t1")]

    till.push(DAY)

    assert "t1" in till.effective()
    assert len(till.effective()) + len(till.quarantined()) == 4


@CASE
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date.max, date.min])
def test_date_at_an_end(new_till, zone, day):
    """
    A date at an end can be asked for; what is due afterwards is pushed.
    """
    till = till_in(new_till, zone)
    till.orders.by_date[DAY] = [till.sale("t1")]

    till.engine().close_day(day)
    till.push(DAY)

    assert till.effective() == ["t1"]
