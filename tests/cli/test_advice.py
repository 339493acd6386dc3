"""
What a message tells an operator to run works as it is printed.
"""

import re
from datetime import UTC, date, datetime

import pytest

from conexxus_sync.sales import ClockProblem, HeldDates


DAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

MESSAGES = {
    "held": HeldDates(since=DAY, before=date(2026, 1, 3)),
    "before the release": ClockProblem(shows=NOON),
    "before the last run": ClockProblem(shows=NOON, last_run=datetime(2026, 2, 2, tzinfo=UTC)),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_commands_work(cli, name):
    """
    With what stands in capitals filled in, each command delivers sales.
    """
    commands = re.findall(r"`conexxus ([^`]+)`", str(MESSAGES[name]))

    assert commands
    for command in commands:
        filled = command.replace("ORDERS", "sales.ndjson").replace("DATE", str(DAY))
        code, _, err = cli(*filled.split())
        assert code == 0, err
