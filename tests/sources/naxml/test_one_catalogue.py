"""
One catalogue, written as the programs of five vendors write it, is one catalogue.
"""

from decimal import Decimal
from random import Random

import attrs
import pytest
from biip.gtin import Gtin

from conexxus_sync.sources.naxml import DIALECTS, CheckDigit, MaintenanceWriter, sniff
from maintenance_files import VOCABULARY


COUNT = 500
RADIANT = "http://www.radiantsystems.com/NAXML-Extension"
VERIFONE = "urn:vfi-sapphire:np.naxmlext.2005-06-24"


@attrs.frozen
class Sold:
    """
    An item as a shop has it, whatever is written of it.
    """

    gtin: str | None
    plu: str | None
    pack: str
    name: str
    price: Decimal
    department: str
    age: int | None
    food_stamp: bool | None
    deposit: str | None
    units: int

    @property
    def key(self):
        return self.gtin or self.plu, self.pack


def check_digit(body):
    return next(d for d in "0123456789" if _is_valid(body + d))


def _is_valid(code):
    digits = [int(it) for it in reversed(code)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def catalogue():
    draw = Random(20)
    sold = []

    for number in range(COUNT):
        plu = f"{number + 1000}" if number % 25 == 0 else None
        body = f"0{draw.randrange(10**10):010d}" if number % 3 else f"00{draw.randrange(10**9):09d}"
        if number % 7 == 6:
            body = f"4{draw.randrange(10**11):011d}"
        code = None if plu else (body + check_digit(body)).zfill(14)
        sold.append(
            Sold(
                gtin=code,
                plu=plu,
                pack=str(number % 2) if number % 10 == 1 else "",
                name=f"Crème n° {number} & <more>",
                price=Decimal(draw.randrange(1, 99_999)) / 100,
                department=f"0{number % 9}",
                age=(18, 21, None, None)[number % 4],
                food_stamp=(True, False, None)[number % 3],
                deposit="1025" if number % 6 == 0 else None,
                units=number % 4 + 1,
            )
        )

    return sold


SHOP = catalogue()


@attrs.frozen(kw_only=True)
class Writer:
    """
    How one program writes, and which settings its store has.
    """

    dialect: str
    settings: dict = attrs.field(factory=dict)
    head: str = f'version="3.4" xmlns="{VOCABULARY}"'
    encoding: str = "utf-8"
    prefix: str = ""
    places: int = 2
    kind: str = "upcA"
    drops: bool = False
    width: int = 0
    flags: str = '<{0} value="{1}"/>'
    words: tuple = ("yes", "no")
    modifier: str = "<POSCodeModifier>{}</POSCodeModifier>"
    none: str = "0"
    ages: dict = attrs.field(factory=lambda: {18: "18", 21: "21"})
    scans: bool = False

    def read(self, folder, content):
        return folder.read(content, self.dialect, ages=self.ages_setting, **self.settings)

    @property
    def ages_setting(self):
        return "years" if DIALECTS[self.dialect].ages is None else None

    def content(self):
        details = "".join(map(self.detail, SHOP))
        text = (
            f'<?xml version="1.0" encoding="{self.encoding}"?>'
            f"<NAXML-MaintenanceRequest {self.head}>"
            f'<ItemMaintenance><TableAction type="initialize"/><RecordAction type="addchange"/>'
            f"{details}</ItemMaintenance></NAXML-MaintenanceRequest>"
        )

        return text.encode(self.encoding)

    def detail(self, sold):
        code = self.code(sold)
        extension = ""
        if self.scans:
            extension = f"<radiant:ITTDetailExtension>{code}</radiant:ITTDetailExtension>"
            code = '<ItemCode><POSCodeFormat format="plu"/><POSCode>77</POSCode></ItemCode>'
        age = "" if sold.age is None else self.ages[sold.age]
        name = sold.name.replace("&", "&amp;").replace("<", "&lt;")
        parts = [
            f"<MerchandiseCode>{sold.department}</MerchandiseCode>",
            f"<RegularSellPrice>{sold.price:.{self.places}f}</RegularSellPrice>",
            f"<Description>{name}</Description>",
            f'<LinkCode type="item">{sold.deposit or "-1"}</LinkCode>',
            f"<SalesRestriction><MinimumCustomerAge>{age}</MinimumCustomerAge></SalesRestriction>",
            f"<SellingUnits>{sold.units:.{self.places}f}</SellingUnits>",
        ]
        if sold.food_stamp is not None:
            word = self.words[0 if sold.food_stamp else 1]
            parts.append(self.flags.format("FoodStampableFlg", word))

        return f"<ITTDetail>{code}<ITTData>{''.join(parts)}</ITTData>{extension}</ITTDetail>"

    def code(self, sold):
        if sold.plu is not None:
            kind, code = "PLU", sold.plu.zfill(self.width)
        else:
            code = sold.gtin[1:] if self.kind == "ean13" else sold.gtin.lstrip("0").zfill(12)
            kind = self.kind if len(code) == 12 or self.kind in ("PLU", "") else "ean13"
            code = code[:-1] if self.drops else code
            code = code.zfill(self.width)
        modifier = self.modifier.format(sold.pack or self.none)

        return (
            f'<ItemCode><POSCodeFormat format="{kind}"/><POSCode>{code}</POSCode>'
            f"{modifier if sold.pack or self.none else ''}</ItemCode>"
        )


PASSPORT_AGES = {18: "1001", 21: "1002"}
ABSENT, PRESENT = {"check_digit": CheckDigit.ABSENT}, {"check_digit": CheckDigit.PRESENT}
TEXT_FLAGS = "<{0}>{1}</{0}>"
BARE = {"head": 'version="3.3"', "ages": PASSPORT_AGES}
PADDED = {
    "kind": "PLU",
    "width": 14,
    "none": "000",
    "head": f'version="3.4" xmlns:vxt="{VERIFONE}"',
}
SCANS = {"scans": True, "head": f'version="3.4" xmlns:radiant="{RADIANT}"'}
PDI = {"head": f'version="3.6" xmlns="{VOCABULARY}"', "modifier": '<POSCodeModifier value="{}"/>'}
PETROSOFT = {"head": f'version="3.4.5" xmlns="{VOCABULARY}"', "kind": "", "places": 4}
WAYS = [
    {},
    {"settings": PRESENT, "flags": TEXT_FLAGS, "words": ("1", "0"), "none": ""},
    {"encoding": "iso-8859-1", "words": ("Yes", "No"), "places": 3},
    {"drops": True, "settings": ABSENT},
    {"places": 4, "none": "00", "flags": TEXT_FLAGS},
    {"drops": True, "settings": ABSENT, "encoding": "iso-8859-1", "none": "000"},
]
WRITERS = [
    Writer(**{"dialect": dialect, **traits, **way})
    for dialect, traits in (
        ("passport", BARE),
        ("verifone", PADDED),
        ("radiant", SCANS),
        ("pdi", PDI),
        ("petrosoft", PETROSOFT),
    )
    for way in WAYS
]


def seen(record):
    item, naxml = record.item(), record.item().extra["naxml"]
    pack = naxml.get("modifier", "")
    assert item.price.as_tuple().exponent <= -2

    return Sold(
        gtin=naxml.get("gtin14"),
        plu=None if "gtin14" in naxml else naxml["code"].lstrip("0"),
        pack=pack if pack.strip("0") else "",
        name=item.name,
        price=item.price,
        department=item.category,
        age=naxml.get("min_age"),
        food_stamp=naxml.get("food_stamp"),
        deposit=naxml.get("linked", {}).get("code"),
        units=int(naxml["units"]),
    )


def test_catalogue_is_a_mix():
    """
    There are codes of each kind in it, and another implementation finds them valid.
    """
    assert len({it.key for it in SHOP}) == COUNT
    assert all(Gtin.parse(it.gtin) for it in SHOP if it.gtin)
    assert sum(it.plu is not None for it in SHOP) == 20
    assert sum((it.gtin or "").startswith("0000") for it in SHOP) > 100
    assert len(WRITERS) == 30


# The first way of each dialect, and the one without check digits; all of them with --long.
SHORT = WRITERS[::6] + WRITERS[3::6]
MARKED = [
    pytest.param(it, id=it.dialect, marks=() if it in SHORT else pytest.mark.long) for it in WRITERS
]


@pytest.mark.parametrize("writer", MARKED)
def test_same_items(folder, writer):
    """
    Each file has the same canonical items, and no code loses a zero.
    """
    expected = [attrs.evolve(it, pack=it.pack if it.pack != "0" else "") for it in SHOP]
    records = writer.read(folder, writer.content())

    assert list(map(seen, records)) == expected
    codes = writer.content().decode(writer.encoding)
    assert all(f"<POSCode>{it.naxml['code']}</POSCode>" in codes for it in records[:50])


@pytest.mark.parametrize(
    "writer",
    [
        pytest.param(it, id=it.dialect, marks=() if it is WRITERS[3] else pytest.mark.long)
        for it in WRITERS
    ],
)
def test_written_again(folder, writer):
    """
    What was read from each file is written as a file of the same items, which is the same,
    byte for byte, when it is read and written again.
    """
    dialect = DIALECTS[writer.dialect].with_ages(writer.ages_setting)
    items = [it.item() for it in writer.read(folder, writer.content())]
    written = MaintenanceWriter(dialect=dialect, **writer.settings)
    content = b"".join(written.chunks(items))
    again = [it.item() for it in writer.read(folder, content)]

    assert written.unwritable == []
    assert again == items
    assert b"".join(written.chunks(again)) == content


@pytest.mark.parametrize("writer", WRITERS[::6], ids=lambda it: it.dialect)
def test_proposal(folder, writer):
    """
    The dialect is proposed from what only one program writes.
    """
    file = folder.file(writer.content())

    assert sniff(file.path).dialect == writer.dialect


def test_no_proposal(folder):
    """
    Where nothing shows a dialect, the one that assumes least is proposed.
    """
    found = sniff(folder.file(Writer(dialect="generic").content()).path)

    assert (found.dialect, found.reasons) == ("generic", [])
    assert found.forms["upca, 12 digits"] + found.forms["ean13, 13 digits"] == 480
