"""
`conexxus push` over a folder of POSJournal files.
"""

from datetime import date
from decimal import Decimal

import pytest

from journal_files import CASH, ITEM, TAX, event, journal


BACK = (
    ITEM.replace("'>2<", "'>-2<").replace(">3.58<", ">-3.58<"),
    TAX.format("1", "-3.58", "-0.29"),
    CASH.format("-3.87", "no"),
)
DAY = date(2025, 12, 8)
NOTHING = """\
Sales of 8 December 2025: nothing new to send.
  1 event is no sale: VoidEvent
"""
PUSH = ("push", "--date", str(DAY))


@pytest.fixture
def outbox(shell):
    """
    The folder into which the register writes, as the setting names it.
    """
    folder = shell.folder / "BOOutbox"
    folder.mkdir()
    shell.environ["CONEXXUS_ORDERS"] = f"naxml:{folder}?dialect=passport&location=7"

    return folder


def test_sum_of_a_date(outbox, cli, office):
    """
    The back office has each sale of the date once, whatever file it is in, and their sum; one
    that is written later follows.
    """
    sale, again = event(), event(number="1235")
    refund = event(*BACK, number="1236", name="RefundEvent", direction="Refunded")
    other_date = event(number="1237", day="2025-12-09")
    void = event(number="1238", name="VoidEvent")
    (outbox / "PJR1.xml").write_bytes(journal(sale, again, void))
    (outbox / "PJR2.xml").write_bytes(journal(again, refund, other_date))

    code, out, _ = cli(*PUSH)

    ids = [f"7/1/2025-12-08/{number}/5" for number in (1234, 1235, 1236)]
    assert (code, [it.id for it in office.ledger.sales()]) == (0, ids)
    assert "3 sales, 3.87, accepted by the back office" in out
    assert office.ledger.total("loc-001", DAY) == Decimal("3.87")

    (outbox / "PJR3.xml").write_bytes(journal(event(number="1239")))
    assert cli(*PUSH)[0] == 0
    assert [it.id for it in office.ledger.sales()] == [*ids, "7/1/2025-12-08/1239/5"]
    assert office.ledger.total("loc-001", DAY) == Decimal("7.74")

    assert cli(*PUSH)[:2] == (0, NOTHING)


def test_file_that_is_not_complete(outbox, cli, office):
    """
    Nothing of a date is sent while a file can't be read: it may have sales of the date.
    """
    (outbox / "PJR1.xml").write_bytes(journal(event()))
    (outbox / "PJR2.xml").write_bytes(journal(event(number="1235"))[:-40])

    code, out, err = cli(*PUSH)

    assert code == 1
    assert "PJR2.xml" in out + err
    assert office.ledger.sales() == []

    (outbox / "PJR2.xml").write_bytes(journal(event(number="1235")))
    assert cli(*PUSH)[0] == 0
    assert office.ledger.total("loc-001", DAY) == Decimal("7.74")
