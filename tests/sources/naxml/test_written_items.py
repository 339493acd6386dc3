"""
What is written is read as the same items, in each dialect, or refused by name.
"""

from decimal import Decimal
from unicodedata import normalize

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import Item
from conexxus_sync.sources.naxml import (
    DIALECTS,
    CheckDigit,
    Fault,
    MaintenanceFile,
    MaintenanceWriter,
    NaxmlError,
    TableAction,
)
from conexxus_sync.sources.naxml._codes import canonical_gtin
from maintenance_files import TODAY


CODES = {
    "036000291452": "upca",
    "04252614": "upce",
    "96385074": "ean8",
    "4006381333931": "ean13",
    "00036000291452": "gtin",
    "4011": "plu",
    "000123": "plu",
}
TEXTS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=9
).map(lambda it: normalize("NFC", it))
TREES = st.recursive(
    st.dictionaries(st.sampled_from(["@a", "#text"]), TEXTS),
    lambda it: st.dictionaries(
        st.sampled_from(["B", "{urn:x}C"]), st.lists(it, min_size=1, max_size=2)
    ),
    max_leaves=4,
)
AMOUNTS = st.decimals(0, 10_000, places=2).map(Decimal.normalize)
NAXML = {
    "pack": TEXTS,
    "inventory_id": TEXTS,
    "active": st.booleans(),
    "food_stamp": st.booleans(),
    "cost": AMOUNTS,
    "units": st.integers(1, 99),
    "item_id": TEXTS,
    "tax": TEXTS,
    "receipt_description": TEXTS,
    "linked": st.builds(lambda it: {"type": "item", "code": it}, st.sampled_from(["1025", "07"])),
    "min_age": st.sampled_from([18, 21]),
    "prohibit_discount": st.booleans(),
    "attributes:price": st.dictionaries(st.just("value"), TEXTS, min_size=1),
    "other:Note": st.lists(TREES, min_size=1, max_size=2),
    "other:SalesRestriction:ProhibitSaleLocation": st.just([{"@type": "ICR"}]),
    "other:{urn:x}Extension": st.just([{"{urn:x}Flag": [{"@value": "yes"}]}]),
    "code:Other": TREES,
}
# One of them makes an item that no file has, or only one of some dialects.
DAMAGE = st.sampled_from(
    [("min_age", 16), ("min_age", "old"), ("linked", "1"), ("units", Decimal("1.50")), ("x", 1),
     ("gtin14", "00000000000000"), ("item_id", " a"), ("item_id", "e\u0301"), ("item_id", 7),
     ("item_id", "\x01"), ("tax", "\x85"), ("attributes:item_id", {"b c": "d"}), ("code", "1"),
     ("other:Note", {"#text": "x"}), ("other:a b", [{}]), ("other:Date", [{"@EffectiveDate": "x"}]),
     ("main_code", "77"), ("open_price", True), ("modifier", "0007"), ("format", "?")]
)  # fmt: skip


@st.composite
def items(draw):
    """
    Items as they are read from files.
    """
    code, kind = draw(st.sampled_from([*CODES.items()]))
    modifier = draw(st.sampled_from(["", "0", "000", "1", "6-Pack"]))
    naxml = {"code": code, "format": kind}
    if gtin := canonical_gtin(code, kind, CheckDigit.AUTO, padded_plu=False):
        naxml["gtin14"] = gtin
    if modifier:
        naxml["modifier"] = modifier
    keys = draw(st.lists(st.sampled_from([*NAXML]), max_size=6, unique=True))
    naxml |= {key: draw(NAXML[key]) for key in keys}

    return Item(
        sku=f"{code}/{modifier}" if modifier.strip("0") else code,
        name=draw(TEXTS),
        price=draw(st.decimals(0, 10_000, places=4)),
        category=draw(st.none() | TEXTS),
        extra={"naxml": naxml},
    )


# Each with what a store says of ages where the dialect does not.
OF_STORES = [it if it.ages else it.with_ages("years") for it in DIALECTS.values()]


@attrs.frozen
class Written:
    """
    Writes items, and reads them.
    """

    folder: object

    def bytes_of(self, items, **options):
        writer = MaintenanceWriter(**{"dialect": DIALECTS["generic"], **options})
        content = b"".join(writer.chunks(items))
        return content, writer

    def read(self, content, dialect, **options):
        path = self.folder / "ITT.xml"
        path.write_bytes(content)
        file = MaintenanceFile(path=path, dialect=dialect, today=TODAY, **options)
        return [it.item() for it in file.records()]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return Written(tmp_path_factory.mktemp("written"))


# Of each dialect.
EXAMPLES = settings(
    max_examples=settings.default.max_examples // 8,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize("dialect", OF_STORES, ids=lambda it: it.name)
@EXAMPLES
@given(item=items())
def test_written_and_read(written, dialect, item):
    """
    An item of a file is equal afterwards, with its digits, and its file is the same when it is
    written again.
    """
    content, writer = written.bytes_of([item], dialect=dialect)

    assert not writer.unwritable
    (found,) = written.read(content, dialect)
    assert found == item
    assert str(found.price) == f"{item.price:f}"
    assert written.bytes_of([found], dialect=dialect)[0] == content


@pytest.mark.parametrize("dialect", OF_STORES, ids=lambda it: it.name)
@EXAMPLES
@given(item=items(), damage=DAMAGE)
def test_equal_or_refused(written, dialect, item, damage):
    """
    Whatever an item has, it is equal afterwards, or refused with the reason.
    """
    key, value = damage
    item = attrs.evolve(item, extra={"naxml": {**item.extra["naxml"], key: value}})
    content, writer = written.bytes_of([item], dialect=dialect)

    if writer.unwritable:
        assert len(writer.unwritable[0].reason) > 10
    else:
        assert written.read(content, dialect, open_price=item.price) == [item]


SOME = [
    Item(sku="036000291452/1", name="Cola", price=Decimal("1.790"), category="07"),
    Item(sku="4011", name="Bananas", price=Decimal("0.69")),
    Item(sku="04252614", name="Gum", price=Decimal(1)),
    Item(sku="4006381333931", name="Stift €", price=Decimal("0.99")),
]


@pytest.mark.parametrize("dialect", OF_STORES, ids=lambda it: it.name)
def test_catalogue_of_a_back_office(written, dialect):
    """
    Items that come from no file get the format that is the only one possible.
    """
    content, writer = written.bytes_of(SOME, dialect=dialect, store="7")
    found = written.read(content, dialect, location="7")

    assert (writer.unwritable, writer.count) == ([], 4)
    assert [attrs.evolve(it, extra={}) for it in found] == SOME
    assert [it.extra["naxml"]["format"] for it in found] == ["upca", "plu", "upce", "ean13"]
    assert written.bytes_of(found, dialect=dialect, store="7")[0] == content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sku": "x"}, "the code 'x' is not of digits alone"),
        ({"sku": "123456"}, "the code 123456 has no format that is the only one possible"),
        ({"sku": "036000291453"}, "has no reading where the check digit is"),
        ({"sku": "4011/000"}, "sku is '4011/000', and would be read as '4011'"),
        ({"name": "Cola "}, "name is 'Cola ', and would be read as 'Cola'"),
        ({"name": "x" * 41}, "its name has more than 40 characters"),
        ({"category": ""}, "category is '', and would be read as None"),
        ({"price": Decimal(-1)}, "RegularSellPrice is no price of at most 4 decimals: '-1'"),
        ({"description": "Fresh"}, "no element holds description"),
        ({"extra": {"image": "a.png"}}, "no element holds image"),
        ({"extra": {"naxml": 1}}, "its naxml is no mapping"),
        ({"extra": {"naxml": {"code": "4011", "format": "plu", "min_age": 16}}},
         "MinimumCustomerAge 16 has no code in the dialect passport"),
        ({"extra": {"naxml": {"code": "4011", "format": "plu", "aisle": 1}}},
         "no element holds naxml.aisle"),
    ],
)  # fmt: skip
def test_refusal(written, change, reason):
    """
    What the dialect can't say is refused by name.
    """
    item = attrs.evolve(SOME[1], **change)
    _, writer = written.bytes_of([item], dialect=DIALECTS["passport"])
    (refused,) = writer.unwritable

    assert refused.id == item.sku
    assert reason in refused.reason


@pytest.mark.parametrize("name", [it.name for it in DIALECTS.values() if it.ages is None])
def test_ages_that_are_not_known(written, name):
    """
    Where nothing says how ages are written, an item with one is refused by name, unless the
    store says that they are years.
    """
    naxml = {"code": "4011", "format": "plu", "min_age": 18}
    with_age = attrs.evolve(SOME[1], extra={"naxml": naxml})
    of_store = DIALECTS[name].with_ages("years")

    _, writer = written.bytes_of([SOME[0], with_age], dialect=DIALECTS[name])
    assert [(it.id, it.reason[:45]) for it in writer.unwritable] == [
        ("4011", "MinimumCustomerAge may be years or a code in ")
    ]
    assert writer.count == 1
    content, _ = written.bytes_of([with_age], dialect=of_store)
    assert written.read(content, of_store)[0].extra["naxml"]["min_age"] == 18


def test_what_may_be_left_out(written):
    """
    On demand, the file lacks what no element holds.
    """
    item = attrs.evolve(SOME[0], description="Fresh", extra={"image": "a.png"})
    content, writer = written.bytes_of([item], without=["description", "image"])

    assert not writer.unwritable
    assert written.read(content, DIALECTS["generic"])[0].price == item.price


def test_file_is_complete_or_not_there(written, tmp_path):
    """
    With one item that is refused, nothing is written, and what is there stays.
    """
    path, bad = tmp_path / "ITT.xml", attrs.evolve(SOME[0], sku="x")
    MaintenanceWriter(dialect=DIALECTS["generic"]).write(path, SOME)
    before = path.read_bytes()

    with pytest.raises(NaxmlError, match="1 record can't") as caught:
        MaintenanceWriter(dialect=DIALECTS["generic"]).write(path, [*SOME, bad])

    assert caught.value.fault is Fault.UNWRITABLE
    assert [it.name for it in tmp_path.iterdir()] == ["ITT.xml"]
    assert path.read_bytes() == before


def test_deletions(written):
    """
    A deleted item is named by its code; the others follow.
    """
    writer = MaintenanceWriter(dialect=DIALECTS["pdi"], table=TableAction.UPDATE)
    path = written.folder / "ITT.xml"
    writer.write(path, SOME[:1], deleted=SOME[1:3])
    file = MaintenanceFile(path=path, dialect=DIALECTS["pdi"], today=TODAY)

    assert [(it.action, it.sku) for it in file.records()] == [
        ("delete", "4011"),
        ("delete", "04252614"),
        ("addchange", "036000291452/1"),
    ]
    assert file.mode is TableAction.UPDATE
