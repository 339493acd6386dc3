"""
What the events of a journal become: sales, counts, or a reason.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from conexxus_client import (
    ConfigurationError,
    Discount,
    LineKind,
    Tax,
    Tender,
    Transaction,
    TransactionLine,
)
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import HostError
from conexxus_sync.model.order_records import OrderRemark, UnusableTransaction
from conexxus_sync.service._host_objects import order_source
from conexxus_sync.sources.naxml import DIALECTS, Fault, JournalFile, JournalOrders, NaxmlError
from journal_files import CASH, ITEM, LINES, TAX, event, journal
from maintenance_files import document, good


ZONE, DAY = ZoneInfo("America/New_York"), date(2025, 12, 8)


@pytest.fixture
def read(tmp_path):
    """
    Read a journal from bytes.
    """

    def read(content, dialect="generic", **options):
        path = tmp_path / "PJR.xml"
        path.write_bytes(content)
        file = JournalFile(path=path, dialect=DIALECTS[dialect], timezone=ZONE, **options)
        events = file.events()
        read.file = file
        return events

    return read


@pytest.fixture
def one(read):
    """
    The only event.
    """

    def one(*lines, dialect="generic", **options):
        (found,) = read(journal(event(*lines, **options)), dialect)
        return found

    return one


def test_sale(one):
    """
    A sale has the till's business date, amounts as they are, the tax of all lines summed by
    level, and the change within its tender.
    """
    assert one().sale == Transaction(
        id="7/1/2025-12-08/1234/5",
        timestamp=datetime(2025, 12, 9, 0, 30, tzinfo=ZONE),
        total=Decimal("3.87"),
        business_date=DAY,
        register="1",
        kind="sale",
        items=[
            TransactionLine(
                sku="036000291452",
                quantity=2,
                price=Decimal("1.79"),
                amount=Decimal("3.58"),
                name="Cola",
                category="07",
                unit="each",
                kind="item",
            )
        ],
        taxes=[Tax(code="1", amount=Decimal("0.29"), taxable=Decimal("7.16"))],
        tenders=[Tender(type="cash/generic", amount=Decimal(20), change=Decimal("16.13"))],
    )


def test_refund(one):
    """
    What was given back is negative, whether the total says so by a minus or by its direction.
    """
    refund = (ITEM.replace(">2<", ">-2<").replace(">3.58<", ">-3.58<"),)

    for total in ("3.58", "-3.58"):
        sale = one(*refund, name="RefundEvent", total=total, direction="Refunded").sale
        assert (sale.kind, sale.total, sale.items[0].quantity) == ("refund", Decimal("-3.58"), -2)


def test_taxes_by_level(one):
    """
    Each level is the sum of what was collected, less what was given back.
    """
    back = "<TransactionTax><TaxLevelID>2</TaxLevelID><TaxRefundedAmount>0.50</TaxRefundedAmount>"
    sale = one(ITEM, TAX.format("2", "1", "0.75"), back + "</TransactionTax>").sale

    assert [(it.code, it.amount) for it in sale.taxes] == [("2", Decimal("0.25"))]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"name": "VoidEvent"}, "VoidEvent"),
        ({"name": "OtherEvent"}, "OtherEvent"),
        ({"name": "FinancialEvent"}, "FinancialEvent"),
        ({"more": "<TrainingModeFlag value='yes'/>"}, "training"),
        ({"more": "<SuspendFlag value='yes'/>"}, "suspended"),
    ],
)
def test_no_sale(one, options, name):
    """
    Voids, training and suspended sales are counted, and are none.
    """
    found = one(**options)

    assert (found.name, found.sale, found.reason) == (name, None, None)


def test_flag_without_a_value(one):
    """
    An empty flag is a yes in the dialect that says so, and a question in the others.
    """
    assert one(more="<TrainingModeFlag/>", dialect="petrosoft").name == "training"
    assert "says neither yes nor no" in one(more="<TrainingModeFlag/>").reason


FUEL = (
    "<FuelLine><FuelGradeID>003</FuelGradeID><Description>Super</Description>"
    "<ActualSalesPrice>3.259</ActualSalesPrice><SalesQuantity uom='gallon'>10.002</SalesQuantity>"
    "<SalesAmount>32.60</SalesAmount></FuelLine>"
)
PREPAY = "<FuelPrepayLine><SalesAmount>20.00</SalesAmount></FuelPrepayLine>"


def test_fuel(one):
    """
    A prepayment is no sale, and its completion is one; with other lines, it is set aside.
    """
    (line,) = one(FUEL, total="32.60").sale.items

    assert (line.sku, line.kind, line.quantity) == ("003", LineKind.FUEL, Decimal("10.002"))
    assert one(PREPAY, total="20.00").name == "fuel prepay"
    assert "what of it is revenue is not known" in one(PREPAY, ITEM).reason


def test_open_department(one):
    """
    A line without a code is one of its department.
    """
    line = "<MerchandiseCode>23</MerchandiseCode><SalesAmount>-5.00</SalesAmount>"
    sale = one(f"<MerchandiseCodeLine>{line}</MerchandiseCodeLine>", f"<ItemLine>{line}</ItemLine>")

    for it in sale.sale.items:
        assert (it.sku, it.kind, it.quantity, it.price) == ("23", LineKind.CUSTOM, -1, 5)


def test_discounts(one):
    """
    Promotions and discounts of a line are its discounts, with their ids.
    """
    more = (
        "<Promotion><PromotionID>M1</PromotionID><PromotionAmount>0.50</PromotionAmount>"
        "</Promotion><Discount><DiscountAmount>0.10</DiscountAmount></Discount></ItemLine>"
    )
    (line,) = one(ITEM.replace("</ItemLine>", more)).sale.items

    assert line.discounts == (
        Discount(amount=Decimal("0.50"), code="M1"),
        Discount(amount=Decimal("0.10")),
    )


@pytest.mark.parametrize("status", ["cancel", "void", "VOIDED"])
def test_cancelled_lines(read, status):
    """
    A line that was cancelled does not count.
    """
    text = event().replace('status="normal"', f'status="{status}"', 1)
    (found,) = read(journal(text))

    assert found.sale.items == ()
    assert found.sale.total == Decimal("3.87")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "LoyaltyEvent"}, "the event LoyaltyEvent is not known"),
        ({"status": "pending"}, "the status 'pending' of a line is not known"),
        ({"day": ""}, "BusinessDate is missing"),
        ({"day": "8.12.2025"}, "BusinessDate is no date: '8.12.2025'"),
        ({"number": ""}, "TransactionID is missing"),
        ({"end": ""}, "it has no date and time"),
        ({"total": ""}, "TransactionTotalGrandAmount is missing"),
        ({"total": "3,87"}, "TransactionTotalGrandAmount is no plain number: '3,87'"),
        ({"direction": "Sideways"}, "a direction that is not known"),
        ({"more": "<SuspendFlag value='perhaps'/>"}, "is neither yes nor no: 'perhaps'"),
    ],
)
def test_set_aside(one, options, reason):
    """
    What is not known, or missing, sets its event aside under a date of the journal.
    """
    found = one(**options)

    assert found.sale is None
    assert reason in found.reason
    assert found.business_date == DAY


def test_unknown_event_among_others(read):
    """
    An unknown event is set aside wherever it stands, and the sales beside it are read.
    """
    new = event(name="NewEvent", number="9")
    events = read(journal(new, event(), new, event(number="2"), new))

    assert [it.name for it in events] == ["NewEvent", "SaleEvent"] * 2 + ["NewEvent"]
    assert [it.sale is None for it in events] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("<CouponLine/>", "CouponLine is not known in a line"),
        (ITEM.replace("<SalesAmount>3.58</SalesAmount>", ""), "SalesAmount of a line is missing"),
        (ITEM.replace("<ActualSalesPrice>1.79</ActualSalesPrice>", ""),
         "ActualSalesPrice of a line is missing"),
        (CASH.format("", "no"), "TenderCode or TenderAmount is missing"),
        (FUEL.replace("003", ""), "FuelGradeID is missing"),
    ],
)  # fmt: skip
def test_bad_line(one, line, reason):
    """
    A line that can't be read sets its event aside, never the rest of it alone.
    """
    assert reason in one(line).reason


def test_dates_of_petrosoft(one):
    """
    A date may have a time behind it, and a time an offset of its own.
    """
    end = "<EventEndDate>2021-06-11T</EventEndDate><EventEndTime>16:15:40-04:00</EventEndTime>"
    sale = one(day="2021-06-11T00:00:00-04:00", end=end, dialect="petrosoft").sale

    assert (sale.business_date, sale.timestamp.isoformat()) == (
        date(2021, 6, 11),
        "2021-06-11T16:15:40-04:00",
    )


def test_hour_that_comes_twice(read):
    """
    Where the clock goes back, the order of a register's events says which hour it is.
    """
    end = "<EventEndDate>2025-11-02</EventEndDate><EventEndTime>{}</EventEndTime>"
    times = ("01:10:00", "01:50:00", "01:20:00")
    events = read(journal(*(event(number=it, end=end.format(it)) for it in times)))

    assert [it.sale.timestamp.utcoffset() for it in events] == [
        timedelta(hours=it) for it in (-4, -4, -5)
    ]


CARD = "4111111111111111"
PERSONAL = (
    "<RestrictedSalesDetail><CustomerID><PersonalID idType='licence'>D1234</PersonalID>"
    "<BirthDate>1999-09-09</BirthDate></CustomerID></RestrictedSalesDetail></ItemLine>"
)
PAID = CASH.replace(
    "</TenderInfo>",
    f"<Authorization><AccountNumber>{CARD}</AccountNumber><HolderName>Doe</HolderName>"
    "</Authorization></TenderInfo>",
)


def test_personal_data(read, tmp_path):
    """
    Persons, accounts and card numbers are in no sale and in no quarantine.
    """
    item = ITEM.replace("</ItemLine>", PERSONAL).replace("Cola", f"Card {CARD}")
    bad = item.replace(">3.58<", f">{CARD}x<")
    events = read(
        journal(
            event(item, PAID.format("3.87", "no")),
            event(bad, number="2"),
            event(item, name="CardEvent", number=CARD),
        )
    )
    shown = repr([*events, *(read.file.unusable(it) for it in events[1:])])

    assert [it.sale is None for it in events] == [False, True, True]
    assert events[0].sale.items[0].name == "Card [number removed]"
    for secret in (CARD, "D1234", "1999-09-09", "Doe", "licence"):
        assert secret not in shown


def test_gtin_is_no_card(one):
    """
    The code of an item is kept, whatever its digits are.
    """
    line = ITEM.replace("036000291452", "4111111111111")

    assert one(line).sale.items[0].sku == "4111111111111"


def orders(folder, *contents):
    """
    An order source over these files.
    """
    for number, content in enumerate(contents):
        (folder / f"{number}.xml").write_bytes(content)
    return JournalOrders(path=folder, dialect=DIALECTS["generic"], timezone=ZONE)


def asked(source, day=DAY):
    return list(source.transactions("7", day))


def test_orders_of_a_date(tmp_path):
    """
    The source has the sales of a date from all files, the same each time, and says what was
    left out.
    """
    source = orders(
        tmp_path,
        journal(event(), event(number="2", name="VoidEvent")),
        journal(event(number="3"), event(number="4", day="2025-12-09")),
    )
    first, third, *remarks = asked(source)

    assert (first.id, third.id) == ("7/1/2025-12-08/1234/5", "7/1/2025-12-08/3/5")
    assert remarks == [OrderRemark(text="1 event is no sale: VoidEvent")]
    assert asked(source) == [first, third, *remarks]
    assert [it.id for it in asked(source, date(2025, 12, 9))] == ["7/1/2025-12-09/4/5"]


def test_file_that_is_there_twice(tmp_path):
    """
    The same event twice is one sale; with other data, the second is set aside.
    """
    source = orders(tmp_path, journal(event()), journal(event(), event(total="3.88")))
    found = asked(source)

    assert [type(it) for it in found] == [Transaction, UnusableTransaction]
    assert "1.xml, line 1: it is there twice, with different data" in found[1].reason


def test_tenders_that_are_not_the_total(tmp_path):
    """
    A sale that does not tie out is sent as it is, with a remark.
    """
    sale, remark = asked(orders(tmp_path, journal(event(*LINES[:-1]))))

    assert sale.total == Decimal("3.87")
    assert remark.text == "1 sales are not the sum of their tenders: 7/1/2025-12-08/1234/5"


def test_broken_file_holds_up_its_folder(tmp_path):
    """
    While a file can't be read, no date is complete; when it can, they are.
    """
    whole = journal(event(number="2"))
    source = orders(tmp_path, journal(event()), whole[:-60])

    with pytest.raises(HostError, match=r"1\.xml: .*truncated"):
        asked(source)

    (tmp_path / "1.xml").write_bytes(whole)
    assert len(asked(source)) == 2


def test_unchanged_files_are_not_read_again(tmp_path, monkeypatch):
    """
    A file is read for the dates that it has, and anew if it changes.
    """
    source, read = orders(tmp_path, journal(event())), []
    events = JournalFile.events
    monkeypatch.setattr(JournalFile, "events", lambda it: read.append(it.path.name) or events(it))

    for day in (DAY, DAY, date(2025, 12, 7), date(2025, 12, 7)):
        asked(source, day)
    assert read == ["0.xml"] * 2

    (tmp_path / "0.xml").write_bytes(journal(event(), event(number="9", day="2025-12-07")))
    assert len(asked(source, date(2025, 12, 7))) == 1


def test_source_of_the_settings(tmp_path):
    """
    `CONEXXUS_ORDERS` names folder and dialect.
    """
    orders(tmp_path, journal(event()))
    given = {"location_id": "7", "timezone": ZONE}
    config = SyncConfig(orders=f"naxml:{tmp_path}?dialect=pdi&location=7", **given)

    assert len(asked(order_source(config))) == 1
    with pytest.raises(ConfigurationError) as caught:
        order_source(SyncConfig(orders="naxml:/none?dialect=x&y=1", **given))
    assert [it.partition("CONEXXUS_ORDERS: ")[2] for it in caught.value.problems] == [
        f"'naxml:/none?dialect=x&y=1' must have ?dialect= with one of {', '.join(DIALECTS)}",
        "'naxml:/none?dialect=x&y=1' has an option that is not known: y",
        "/none is not there",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (journal(event()).replace(b"?>", b"?><!DOCTYPE a [<!ENTITY x 'a'>]>", 1), Fault.DOCTYPE),
        (journal(event(more="&x;")), Fault.ENTITY),
        (journal(event()) + b"<b/>", Fault.SECOND_ROOT),
        (journal(event(more="\xe9")).replace(b"\xc3\xa9", b"\xe9"), Fault.ENCODING),
        (journal(event(more="<a>" * 100_000 + "</a>" * 100_000)), Fault.TOO_DEEP),
        (journal(event(more=f"<a>{'x' * 1_500_000}</a>")), Fault.RECORD_TOO_LARGE),
        (journal("<Note/>" * 200_000), Fault.RECORD_TOO_LARGE),
        (document(good()), Fault.NO_JOURNAL),
        (journal(event(), head='version="4.0"'), Fault.NO_JOURNAL),
        (journal(event(), head='page="1" ofPages="2"'), Fault.PART),
        (journal(event(), after="<Note/>"), Fault.UNKNOWN_BLOCK),
        (journal(event(more=event())), Fault.UNKNOWN_BLOCK),
        (journal(event(), store="8"), Fault.LOCATION),
        (journal(event(day=""), begin=""), Fault.UNDATED),
        (journal(event(), begin="x"), Fault.UNDATED),
    ],
)
def test_named_fault(read, content, fault):
    """
    A journal that can't be used as a whole says why, by name.
    """
    with pytest.raises(NaxmlError) as caught:
        read(content, location="7")

    assert caught.value.fault is fault


def test_size_is_looked_at_first(tmp_path):
    """
    Of a journal that claims 10 GB, nothing is read.
    """
    path = tmp_path / "PJR.xml"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)

    with pytest.raises(NaxmlError) as caught:
        JournalFile(path=path, dialect=DIALECTS["generic"], timezone=ZONE).events()
    assert caught.value.fault is Fault.TOO_LARGE
