"""
The line of each night: once, when the date is finished, with the ledger's numbers.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from conexxus_client import Tax, Tender, TransactionLine
from conexxus_sync.notifications import LATELY
from conexxus_sync.testing import ListOrders, sale
from peeks import peek


DAY = date(2026, 1, 2)


class Orders(ListOrders):
    """
    A host's order table, which may be locked.
    """

    broken = False

    def sell(self, *amounts, day=DAY, sku="WINE001"):
        for amount in amounts:
            number = sum(map(len, self.by_date.values())) + 1
            evening = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
            line = TransactionLine(sku=sku, quantity=1, price=Decimal(amount))
            self.add(sale(f"t{number}", amount, timestamp=evening, items=[line]))

    def transactions(self, location_id, business_date):
        if self.broken:
            raise RuntimeError("the order table is locked")
        return super().transactions(location_id, business_date)


RAISES = Orders.transactions.__code__.co_firstlineno + 2


@pytest.fixture
def orders():
    return Orders()


@pytest.fixture
def shop(new_desk, orders):
    """
    A desk whose service does what is due.
    """
    return Shop(new_desk, orders)


class Shop:
    def __init__(self, new_desk, orders):
        self.restart = lambda: new_desk(orders=orders)
        self.desk = self.restart()

    def until(self, day, hour, minute=0):
        """
        Go on until then, by the clock in the shop, which is five hours behind
        UTC: every two hours, and more often around midnight.
        """
        clock = self.desk.clock
        end = datetime(2026, 1, day, hour, minute, tzinfo=UTC).timestamp() + 5 * 3600
        while clock.now().timestamp() < end:
            around_midnight = clock.now().hour in (3, 4, 5)
            clock.advance(minutes=15 if around_midnight else 120)
            self.desk.service.run_due(clock.now())
            self.desk.check()

    @property
    def reports(self):
        return [notice["text"] for notice in self.desk.hook.notices if notice["event"] == "night"]

    @property
    def nights(self):
        """
        Without what is below the first line.
        """
        return [text.partition("\n")[0] for text in self.reports]


def test_a_night_with_sales(shop, orders):
    """
    The line comes after the visit that follows the end of the day, with the
    number, the exact total, and the store's time of the last acceptance.
    """
    orders.sell("4180.27", "2.50", "1234567.005")

    shop.until(2, 23, 45)
    assert shop.nights == []

    shop.until(4, 12)
    assert shop.nights == [
        "loc-001, 2 January: 3 sales, 1,238,749.775, accepted 23:30",
        "loc-001, 3 January: no sales",
    ]
    assert shop.desk.hook.notices[0]["businessDate"] == "2026-01-02"
    assert shop.desk.hook.notices[0]["at"] == "2026-01-03T05:15:00Z"


def paid(number, *tenders, **fields):
    """
    A sale of 10.90, with its tax.
    """
    line = TransactionLine(sku="WINE001", quantity=1, price=Decimal("10.00"))

    return attrs.evolve(
        sale(f"r{number}", "10.90", timestamp=datetime(2026, 1, 2, 17, tzinfo=UTC), items=[line]),
        taxes=[Tax(code="STATE", amount=Decimal("0.90"), included=False)],
        tenders=[Tender(type=name, amount=Decimal(amount)) for name, amount in tenders],
        **fields,
    )


def test_table_of_a_night(shop, orders, office):
    """
    Below its line, a date with sales has what each side has of it, in lines of
    at most 80 columns that a name from the till can't end.
    """
    tamed = "a'b \N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}c"
    tamed += "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    orders.add(paid(1, ("cash", "10.90"), register="2"), paid(2, ("a`b\n<c>", "10.90")))
    office.faults("forget(r1)")

    shop.until(4, 12)

    night, quiet = shop.reports
    assert night.splitlines() == [
        (
            "loc-001, 2 January: 2 sales, 21.80, accepted 23:30. Till and back office differ: "
            "total: till 21.80, accepted 21.80, back office 10.90; r1 was accepted, but is not "
            "in the books of the back office"
        ),
        "```",
        "                till   sent   accepted  set aside  back office  difference",
        "sales           2      2      2         0          1            1",
        "  differs",
        "total           21.80  21.80  21.80     0          10.90        10.90",
        "  differs",
        "register 2      10.90  10.90  10.90     0          0            10.90",
        "  differs",
        f"tender {tamed}  10.90  10.90  10.90     0          10.90        0.00",
        "tender cash     10.90  10.90  10.90     0          0            10.90",
        "  differs",
        "tax STATE       1.80   1.80   1.80      0          0.90         0.90",
        "  differs",
        "```",
    ]
    assert max(map(len, night.splitlines()[1:])) <= 80
    assert quiet == "loc-001, 3 January: no sales"


def test_report_awaits_the_comparison(shop, orders, office):
    """
    A date whose books can't be read yet is reported an hour after its end.
    """
    office.faults("summary: 503*forever")
    orders.sell("1.00")

    shop.until(3, 1)
    assert shop.nights == []

    shop.until(3, 3)
    assert shop.reports == ["loc-001, 2 January: 1 sale, 1.00, accepted 23:30"]


def test_the_tail_of_a_night(shop, orders):
    """
    What was sold after the push belongs to the line.
    """
    orders.sell("1.00")
    shop.until(2, 23, 45)
    orders.sell("2.00")

    shop.until(3, 12)

    assert shop.nights == ["loc-001, 2 January: 2 sales, 3.00, accepted 00:15"]


def test_a_restart_tells_no_night_twice(shop, orders):
    """
    What was told is told once, whoever looks.
    """
    orders.sell("1.00")
    shop.until(3, 12)

    shop.desk = shop.restart()
    shop.until(4, 12)

    assert len(shop.nights) == 2


def test_some_not_accepted(shop, orders, office):
    """
    Where sales were refused, the line says how many and why; what gets
    through later is told once.
    """
    office.reject = {"t1": "Unknown SKU WINE001", "t2": "Unknown SKU WINE001"}
    orders.sell("1.00", "2.00", "3.00")

    shop.until(3, 12)

    assert shop.nights == [
        (
            "loc-001, 2 January: 3 sales, of which 1 accepted (3.00) and 2 not: "
            "Unknown SKU WINE001; see `conexxus quarantine list`"
        )
    ]

    office.reject = {}
    shop.desk.service.replay_sale(DAY, "t1")
    shop.until(3, 14)
    assert len(shop.nights) == 1

    shop.desk.service.replay_sale(DAY, "t2")
    shop.until(5, 12)
    assert shop.nights[1:] == [
        "loc-001, 2 January: now complete, 3 sales, 6.00, accepted 3 January, 17:00",
        "loc-001, 3 January: no sales",
        "loc-001, 4 January: no sales",
    ]


def test_an_outage_over_the_night(shop, orders, office):
    """
    Where nothing could be delivered, an hour after the end of the day the
    line says so; then that it is complete.
    """
    shop.until(2, 20)
    orders.sell("1.00", "2.00")
    office.faults("401*1000")

    shop.until(3, 1)
    assert shop.nights == []
    shop.until(3, 2)
    (line,) = shop.nights
    assert line == (
        "loc-001, 2 January: 2 sales, not accepted: Conexxus API authentication failed. "
        "Check API key. The answer said: A fault of the sandbox; they are sent again"
    )

    office.faults("")
    shop.until(3, 12)
    (_, line) = shop.nights
    assert line.startswith("loc-001, 2 January: now complete, 2 sales, 3.00, accepted 0")


def test_a_till_that_does_not_tell(shop, orders):
    """
    Where the host's order source fails, how many sales there are is not known.
    """
    orders.broken = True

    shop.until(3, 12)

    assert shop.nights == [
        (
            "loc-001, 2 January: no sales accepted so far, and the day was not pushed to its end: "
            "the order source failed for business date 2026-01-02: RuntimeError: "
            "the order table is locked"
            f" (Orders.transactions, test_daily_report.py line {RAISES})"
        )
    ]


def test_the_past_is_not_told(shop, orders, new_desk, clock):
    """
    What was over when the webhook was first configured is not told, nor what
    is a week old; what ends afterwards is.
    """
    orders.sell("1.00")
    while clock.now() < datetime(2026, 1, 4, 17, tzinfo=UTC):
        clock.advance(hours=3)
        shop.desk.service.run_due(clock.now())

    shop.until(5, 12)

    assert shop.nights == ["loc-001, 4 January: no sales"]


def test_a_shop_that_was_switched_off(shop, orders):
    """
    Dates that are caught up are told, as far as they are a week old at most.
    """
    shop.until(2, 13)
    shop.desk.clock.advance(days=12)

    shop.until(14, 16)

    assert [line.partition(":")[0] for line in shop.nights] == [
        f"loc-001, {day} January" for day in range(7, 14)
    ]


def test_the_webhook_is_switched_off_for_a_while(shop, orders):
    """
    Who switches it on again is told the nights of the last week, but not what
    has waited since before.
    """
    shop.until(2, 13)
    shop.desk.hook.answers.extend([500] * 1000)
    shop.until(3, 12)
    service, clock, hook = shop.desk.service, shop.desk.clock, shop.desk.hook
    assert peek(service.store).notices.waiting()[0] == 1

    while clock.now() < datetime(2026, 1, 20, 17, tzinfo=UTC):
        clock.advance(hours=6)
        service.run_due(clock.now())
    hook.answers.clear()
    hook.posts.clear()
    shop.restart().check()

    assert [text.partition(":")[0] for text in hook.texts] == [
        f"loc-001, {day} January" for day in range(13, 20)
    ]
    given_up = peek(service.store).notices.given_up(clock.now() - LATELY, clock.now())
    assert given_up == (1, "it was not sent within 7 days")


def test_without_an_order_source(new_desk):
    """
    Who pushes no sales is told of no night.
    """
    desk = new_desk()

    for _ in range(12):
        desk.check(hours=4)

    assert [notice for notice in desk.hook.notices if notice["event"] == "night"] == []
