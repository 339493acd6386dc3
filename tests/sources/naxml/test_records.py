"""
What the elements of an ITTDetail become.
"""

from decimal import Decimal

import attrs
import pytest

from conexxus_client import Item, decode_extra, encode_extra
from conexxus_sync.sources.naxml import DIALECTS, Action, BadRecord, TableAction
from maintenance_files import VOCABULARY, detail, document, good


AGE = "<SalesRestriction><MinimumCustomerAge>{}</MinimumCustomerAge></SalesRestriction>"
LATER = "it takes effect on 2026-02-01, which is later than 2026-01-02: send it on that day"
UNKNOWN_AGES = [it.name for it in DIALECTS.values() if it.ages is None]


def test_item(folder):
    """
    Name, price and category are an item's; all else is below `naxml`.
    """
    more = """
        <ActiveFlag value="Yes"/><InventoryValuePrice>0.90</InventoryValuePrice>
        <MerchandiseCode>07</MerchandiseCode><ItemID>12</ItemID>
        <LinkCode type="item">4011</LinkCode>
        <PaymentSystemsProductCode>400</PaymentSystemsProductCode>
        <SalesRestrictCode>1002</SalesRestrictCode><SellingUnits>6.00</SellingUnits>
        <TaxStrategyId>99</TaxStrategyId><FoodStampableFlg>0</FoodStampableFlg>
        <ItemType><ItemTypeCode>mdse</ItemTypeCode></ItemType>
        <SalesRestriction><MinimumCustomerAge>18</MinimumCustomerAge>
        <ProhibitDiscountFlag value="no"/><ProhibitSaleLocation type="ICR"/></SalesRestriction>
    """
    modifier = '<POSCodeModifier name="6-Pack">1</POSCodeModifier>'
    content = document(good(more, price="3.7900", modifier=modifier))
    record = folder.one(content, ages="years")

    assert record.item() == Item(
        sku="036000291452/1",
        name="Cola",
        price=Decimal("3.7900"),
        category="07",
        extra={
            "naxml": {
                "code": "036000291452",
                "format": "upca",
                "gtin14": "00036000291452",
                "modifier": "1",
                "pack": "6-Pack",
                "active": True,
                "cost": Decimal("0.9"),
                "item_id": "12",
                "linked": {"type": "item", "code": "4011"},
                "product_code": "400",
                "restrict": "1002",
                "units": Decimal(6),
                "tax": "99",
                "food_stamp": False,
                "min_age": 18,
                "prohibit_discount": False,
                "other:ItemType": [{"ItemTypeCode": [{"#text": "mdse"}]}],
                "other:SalesRestriction:ProhibitSaleLocation": [{"@type": "ICR"}],
            }
        },
    )
    assert str(record.item().price) == "3.7900"
    assert decode_extra(encode_extra(record.item().extra)) == record.item().extra


@pytest.mark.parametrize("text", ["<POSCodeModifier>000</POSCodeModifier>",
    "<POSCodeModifier>0</POSCodeModifier>", '<POSCodeModifier value="0"/>', ""])  # fmt: skip
def test_no_modifier(folder, text):
    """
    A modifier of zeros, or none, makes no other SKU; leading zeros of the code stay.
    """
    assert folder.one(document(good(modifier=text))).sku == "036000291452"


@pytest.mark.parametrize(
    ("element", "key", "expected"),
    [
        ("<ActiveFlg>1</ActiveFlg>", "active", True),
        ('<ActiveFlag value="no">yes</ActiveFlag>', "active", False),
        ("", "active", None),
        ("<PriceRequiredFlg>No</PriceRequiredFlg>", "price_required", False),
        ('<LinkCode type="itemList">-1</LinkCode>', "linked", None),
        ("<LinkCode>0</LinkCode>", "linked", None),
        ("<ItemID>&#233;e&#769;</ItemID>", "item_id", "éé"),
        ("<ItemID>a&amp;b</ItemID>", "item_id", "a&b"),
        ('<RegularSellPriceList currency="USD">x</RegularSellPriceList>',
         "other:RegularSellPriceList", [{"@currency": "USD", "#text": "x"}]),
        ('<n:Flag xmlns:n="urn:x" value="yes"/>', "other:{urn:x}Flag", [{"@value": "yes"}]),
        ('<ItemID source="till">7</ItemID>', "attributes:item_id", {"source": "till"}),
    ],
)  # fmt: skip
def test_value(folder, element, key, expected):
    """
    Flags have three states, links may lead nowhere, and what is not known is kept.
    """
    assert folder.one(document(good(element))).item().extra["naxml"].get(key) == expected


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("<ActiveFlag value='maybe'/>", "ActiveFlag is neither yes nor no: 'maybe'"),
        ("<SellingUnits>1,5</SellingUnits>", "SellingUnits is no plain number: '1,5'"),
        ("<ItemID>1</ItemID><ItemID>1</ItemID>", "ItemID is there twice"),
        ("<ActiveFlg>1</ActiveFlg><ActiveFlag>1</ActiveFlag>", "ActiveFlag is there twice"),
        ("<ItemID><a/></ItemID>", "ItemID has elements where a text belongs"),
        ("<ItemID>a&#133;b</ItemID>", "ItemID has a control character"),
        (f"<ItemID>{'x' * 4097}</ItemID>", "ItemID has more than 4,096 characters"),
        (f"<ActiveFlag b='{'x' * 4097}'/>", "ActiveFlag has more than 4,096 characters"),
        (f"<Note>{'x' * 4097}</Note>", "Note has more than 4,096 characters"),
        ("<a>" * 40 + "</a>" * 40, "a has more than 32 levels"),
        ("<EffectiveDate>2026-01-03</EffectiveDate>",
         "it takes effect on 2026-01-03, which is later than 2026-01-02: send it on that day"),
        ("<Note><Price effectiveDate='2026-02-01'/></Note>", LATER),
        ("<ItemID effectiveDate='2026-02-01'>7</ItemID>", LATER),
        ("<EffectiveDate>soon</EffectiveDate>", "EffectiveDate is no date: 'soon'"),
    ],
)  # fmt: skip
def test_bad_value(folder, element, reason):
    """
    A value that can't be read sets its record aside, with the reason.
    """
    assert folder.reason(document(good(element))) == reason


@pytest.mark.parametrize(
    "price", ["1,79", "-1.79", "1.79 USD", "1.79001", "NaN", "1e2", ".79", "\u0661"]
)
def test_bad_price(folder, price):
    """
    A price is plain digits, and at most four decimals count.
    """
    assert "RegularSellPrice is no price" in folder.reason(document(good(price=price)))


def test_price_with_an_attribute(folder):
    """
    The text is the price, whatever an attribute says.
    """
    data = '<RegularSellPrice value="1">5.99</RegularSellPrice><Description>A</Description>'

    assert folder.one(document(detail(data))).item().price == Decimal("5.99")


def test_open_price(folder):
    """
    An item whose price is asked for at the till is set aside, or costs 0 with a mark.
    """
    content = document(good("<PriceRequiredFlag value='yes'/>", price=""))

    assert "its price is open" in folder.reason(content)
    item = folder.one(content, open_price=Decimal(0)).item()
    assert (item.price, item.extra["naxml"]["open_price"]) == (0, True)


def test_priced_again(folder):
    """
    The mark of an open price goes with the first price.
    """
    content = document(good("<PriceRequiredFlag value='yes'/>", price=""))
    before = folder.one(content, open_price=Decimal(0)).item()
    after = folder.one(document(good())).item(before)

    assert after.price == Decimal("1.79")
    assert "open_price" not in after.extra["naxml"]


def test_partial_record(folder):
    """
    What an element does not have keeps its value; what is there and empty loses it.
    """
    more = "<ItemID source='a'>7</ItemID><TaxStrategyID>1</TaxStrategyID>"
    before = folder.one(document(good(more))).item()
    data = "<RegularSellPrice>2.00</RegularSellPrice><TaxStrategyID/><ItemID>8</ItemID>"
    after = folder.one(document(detail(data))).item(before)

    assert (after.name, after.price) == ("Cola", Decimal("2.00"))
    assert after.extra["naxml"]["item_id"] == "8"
    assert not {"tax", "attributes:item_id"} & set(after.extra["naxml"])


def test_empty_element(folder):
    """
    In a dialect that says so, an empty element keeps the value, as a missing one does.
    """
    file = folder.file(document(detail("<Description/><TaxStrategyID/>")))
    file.dialect = attrs.evolve(file.dialect, empty_keeps=True)
    (record,) = file.records()

    assert not record.values
    assert "tax" not in record.naxml


@pytest.mark.parametrize("data", ["<Description>A</Description>", "<Note/>", ""])
def test_first_record_is_complete(folder, data):
    """
    An item that is new has a name and a price.
    """
    record = folder.one(document(detail(data)))

    with pytest.raises(ValueError, match="is missing or empty"):
        record.item()


@pytest.mark.parametrize(
    ("block", "own", "expected"),
    [
        ("", "", Action.ADDCHANGE),
        ("delete", "", Action.DELETE),
        ("delete", "addchange", Action.ADDCHANGE),
        ("", "create", Action.CREATE),
    ],
)
def test_action(folder, block, own, expected):
    """
    The action of a detail overrides that of its block; without both, it is addchange.
    """
    elements = [f'<RecordAction type="{it}"/>' if it else "" for it in (block, own)]
    content = document(detail(action=elements[1]), block=elements[0])

    assert folder.one(content).action is expected


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ('type="upsert"', "the action 'upsert' is not known"),
        ('type="addchange" mode="x"', "RecordAction has an attribute that is not known: mode"),
        ('type="addchange" effectiveDate="2026-01-03T00:00:00"', "it takes effect on 2026-01-03"),
    ],
)
def test_bad_action(folder, attributes, reason):
    """
    An unknown action, or one of a later date, is no addchange.
    """
    assert folder.reason(document(good(action=f"<RecordAction {attributes}/>"))).startswith(reason)


def test_past_effect(folder):
    """
    What takes effect today, or did, is read.
    """
    action = '<RecordAction type="addchange" effectiveDate="2026-01-02" confirm="yes"/>'

    assert folder.one(document(good(action=action))).action is Action.ADDCHANGE


def test_order_of_the_document(folder):
    """
    A rename is a delete and an addchange, in that order; a bad one does not stop the others.
    """
    content = document(
        detail(action='<RecordAction type="delete"/>', code="1", form="plu"),
        good(code="1x"),
        good(code="2", form="PLU"),
    )
    first, bad, last = folder.read(content)

    assert (first.action, first.sku, last.sku) == (Action.DELETE, "1", "2")
    assert isinstance(bad, BadRecord)
    assert b"<POSCode>1x</POSCode>" in bad.raw


def test_lines(folder):
    """
    A record has its line, beyond the 65,535th, too.
    """
    content = document(good(code="1", form="plu"), "\n" * 70_000, good(code="x"))

    assert [it.line for it in folder.read(content)] == [1, 70_001]


@pytest.mark.parametrize("head", ["", f'xmlns="{VOCABULARY}"'])
def test_namespaces(folder, head):
    """
    The vocabulary's namespace, or none, make no difference.
    """
    assert folder.one(document(good(), head=head)).item().name == "Cola"


def test_prefix(folder):
    """
    A prefix is no part of a name.
    """
    content = document(good(), head=f'xmlns:n="{VOCABULARY}"')
    content = (
        content.replace(b"<?xml", b"<!xml").replace(b"</", b"</n:").replace(b"<!xml", b"<?xml")
    )
    for name in (b"NAXML", b"Item", b"Table", b"ITT", b"POS", b"Regular", b"Description"):
        content = content.replace(b"<" + name, b"<n:" + name)

    assert folder.one(content).item().name == "Cola"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "UTF-8-SIG"])
def test_encodings(folder, encoding):
    """
    A file is read in the encoding that it declares.
    """
    declared = "utf-8" if encoding.endswith("SIG") else encoding
    text = document(good(name="Crème")).decode()
    content = text.replace('"1.0"', f'"1.0" encoding="{declared}"', 1).encode(encoding)

    assert folder.one(content).item().name == "Crème"


def test_declaration_that_is_none(folder):
    """
    Behind a comment, a declaration is an instruction, and the file is UTF-8.
    """
    content = document(good(name="Crème")).partition(b"?>")[2]
    content = b'<!-- of a till --><?xml-version ="1.0"standalone="no"?>' + content

    assert folder.one(content).item().name == "Crème"


def test_what_a_file_says_of_itself(folder):
    """
    Mode, version, store and what was passed over are there at the end.
    """
    after = "<MixMatchMaintenance><MMTDetail/><MMTDetail/></MixMatchMaintenance>"
    header = "<TransmissionHeader><StoreLocationID>7</StoreLocationID></TransmissionHeader>"
    file = folder.file(document(good(), table="initialize", header=header, after=after))
    list(file.records())

    assert (file.mode, file.version, file.store) == (TableAction.INITIALIZE, "3.4", "7")
    assert file.skipped == {"MMTDetail": 2}


class TestDialects:
    """
    What the same element means to different programs.
    """

    @pytest.mark.parametrize(("code", "years"), [("1001", 18), ("1002", 21)])
    def test_ages_by_code(self, folder, code, years):
        """
        Passport writes a code; years are none of its codes.
        """
        record = folder.one(document(good(AGE.format(code))), "passport")

        assert record.naxml["min_age"] == years
        assert "is none of 1001, 1002: '18'" in folder.reason(
            document(good(AGE.format(18))), "passport"
        )

    def test_ages_in_years(self, folder):
        """
        Radiant writes years; a code is none.
        """
        record = folder.one(document(good(AGE.format(18))), "radiant")

        assert record.naxml["min_age"] == 18
        assert folder.reason(document(good(AGE.format(1001))), "radiant") == (
            "MinimumCustomerAge is no age in years: '1001'"
        )

    @pytest.mark.parametrize("dialect", UNKNOWN_AGES)
    def test_ages_that_are_not_known(self, folder, dialect):
        """
        Where nothing says what an age is, its record is set aside, and all others are read.
        """
        texts = [AGE.format(18), AGE.format(0), AGE.format(""), ""]
        content = document(*(good(text, form="") for text in texts))
        of_18, of_0, *others = folder.read(content, dialect)

        assert of_18.reason == (
            f"MinimumCustomerAge may be years or a code in the dialect {dialect}: '18'; if the "
            "store has years, say so: ages=years in the address, or --ages years"
        )
        assert of_18.sku == "036000291452"
        assert isinstance(of_0, BadRecord)
        assert [it.item().extra["naxml"].get("min_age") for it in others] == [None, None]

    @pytest.mark.parametrize("dialect", UNKNOWN_AGES)
    def test_ages_of_a_store(self, folder, dialect):
        """
        A store's setting says that they are years; then a code is none.
        """
        record = folder.one(document(good(AGE.format(18))), dialect, ages="years")

        assert record.naxml["min_age"] == 18
        assert "no age in years" in folder.reason(
            document(good(AGE.format(1001))), dialect, ages="years"
        )

    @pytest.mark.parametrize(
        ("dialect", "ages", "reason"),
        [
            ("passport", "years", "ages can't be years in the dialect passport, which has codes"),
            ("generic", "codes", "ages must be years where it is given, got 'codes'"),
            ("radiant", "", "ages must be years where it is given, got ''"),
        ],
    )
    def test_setting_of_ages(self, dialect, ages, reason):
        """
        A setting adds to what is known of a dialect, and contradicts none of it.
        """
        with pytest.raises(ValueError, match=f"^{reason}$"):
            DIALECTS[dialect].with_ages(ages)
        assert DIALECTS["radiant"].with_ages("years") == DIALECTS["radiant"]

    @pytest.mark.parametrize(("dialect", "expected"), [("generic", None), ("petrosoft", True)])
    def test_empty_flag(self, folder, dialect, expected):
        """
        A flag without a value is a yes to one program.
        """
        record = folder.one(document(good("<ActiveFlag/>", form="")), dialect)

        assert record.naxml["active"] is expected

    RADIANT = 'xmlns:radiant="http://www.radiantsystems.com/NAXML-Extension"'
    SCANS = (
        "<radiant:ITTDetailExtension><ItemCode><POSCode>036000291452</POSCode></ItemCode>"
        "<ItemCode><POSCode>4006381333931</POSCode></ItemCode></radiant:ITTDetailExtension>"
    )

    def test_codes_of_an_extension(self, folder):
        """
        Radiant's bar codes are in its extension: each is an item.
        """
        content = document(good(code="77", form="plu", extra=self.SCANS), head=self.RADIANT)
        records = folder.read(content, "radiant")

        assert [it.sku for it in records] == ["036000291452", "4006381333931"]
        assert {it.item().extra["naxml"]["main_code"] for it in records} == {"77"}

    def test_code_without_extension(self, folder):
        """
        An item without bar codes is sold by its number; deleted, it has to name them.
        """
        assert folder.one(document(good(code="77", form="plu")), "radiant").sku == "77"
        gone = detail(code="77", form="plu", action='<RecordAction type="delete"/>')
        assert "names no bar code" in folder.reason(document(gone), "radiant")
