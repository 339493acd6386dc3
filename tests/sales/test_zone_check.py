"""
A time zone that the sales contradict is named.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_sync.model.runs import IssueKind, RunStatus


LONDON = ZoneInfo("Europe/London")


def pushed(till, *moments, zone=LONDON):
    """
    What the push of sales made at these *moments* says of the zone.
    """
    till.config = attrs.evolve(till.config, timezone=zone)
    for number, moment in enumerate(moments):
        till.orders.add(till.sale(f"t{number}", timestamp=datetime.fromisoformat(moment)))
    (run,) = till.push(till.day)
    assert run.status is RunStatus.SUCCESS

    return run.zone_doubt


def test_zone_of_another_town(till):
    """
    A shop in New York that is configured for London is told, and its sales go out.
    """
    assert pushed(till, "2026-01-02T09:00:00-05:00", "2026-01-02T10:00:00-05:00") == (
        "the sales have the UTC offset -05:00, and Europe/London has +00:00 then: if the store is "
        "not there, its business dates end at a wrong hour; correct CONEXXUS_TIMEZONE"
    )
    assert till.effective() == ["t0", "t1"]
    (run,) = till.peek.runs.history("sales", 1)
    assert [it.kind for it in run.errors] == [IssueKind.ZONE]


@pytest.mark.parametrize(
    ("moments", "zone"),
    [
        (["2026-01-02T14:00:00+00:00", "2026-01-02T14:00:00Z"], "America/New_York"),
        (["2026-01-02T09:00:00-05:00"], "America/New_York"),
        (["2026-01-02T19:30:00+05:30"], "Asia/Kolkata"),
        (["2026-01-02T09:00:00-05:00", "2026-01-02T15:00:00+01:00"], "Europe/Berlin"),
    ],
)
def test_zone_that_may_be_right(till, moments, zone):
    """
    UTC says nothing, and one sale that agrees is enough.
    """
    assert pushed(till, *moments, zone=ZoneInfo(zone)) is None
