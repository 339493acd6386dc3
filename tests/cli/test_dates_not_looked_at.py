"""
Facts about what `conexxus push` says of dates that are not due.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest


ZONE = ZoneInfo("America/New_York")
PUSH = ("push", "--orders", "sales.ndjson")


def business_date(days):
    return (datetime.now(UTC).astimezone(ZONE) + timedelta(days=days)).date()


def sell(shell, name, days):
    """
    A sale at midday, so many days from today.
    """
    moment = datetime.combine(business_date(days), datetime.min.time(), ZONE).replace(hour=12)
    line = (
        f'{{"id":"{name}","timestamp":"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}","total":1,'
        '"items":[{"sku":"A","quantity":1,"price":1}]}\n'
    )
    with (shell.folder / "sales.ndjson").open("a") as file:
        file.write(line)


@pytest.mark.case(
    "C16",
    "`conexxus push` finds nothing due while a late sale of yesterday waits",
    "It says which dates it did not look at, when they are due, and how to push one now",
)
def test_a_late_sale_of_yesterday(cli, shell, office):
    """
    Every sale that is due is not every sale.
    """
    sell(shell, "t10", -1)
    assert cli(*PUSH, "--since", str(business_date(-1)))[0] == 0
    sent = len(office.ledger.sales())
    sell(shell, "late", -1)

    code, out, _ = cli(*PUSH)

    assert (code, len(office.ledger.sales())) == (0, sent)
    assert f"Not looked at: {business_date(-1)}, due " in out
    assert "conexxus push --orders sales.ndjson --date DATE" in out
    assert cli(*PUSH, "--date", str(business_date(-1)))[0] == 0
    assert "late" in [sale.id for sale in office.ledger.sales()]


@pytest.mark.case(
    "C16",
    "`conexxus push` sends one date while others are not due",
    "It says which ones it did not look at, and names none that it did",
)
def test_dates_that_were_looked_at_are_not_named(cli, shell):
    """
    After a push of what is due, too; asked for one date, it says nothing of
    the others.
    """
    sell(shell, "t10", -1)

    out = cli(*PUSH, "--since", str(business_date(-1)))[1]
    named = cli(*PUSH, "--date", str(business_date(-1)))[1]

    assert f"Not looked at: {business_date(-1)}" not in out
    assert "Not looked at" not in named
