"""
What a file and a catalogue differ in.
"""

from decimal import Decimal

import pytest

from conexxus_client import Item
from conexxus_sync.sources.naxml import CheckDigit, Comparison, Kind
from maintenance_files import detail, document, good


GONE = '<RecordAction type="delete"/>'


def item(sku, name="Cola", price="1.79"):
    return Item(sku=sku, name=name, price=Decimal(price))


@pytest.fixture
def compared(folder):
    """
    Compare a file of these details with these items.
    """

    def compare(details, items, table="initialize", **options):
        file = folder.file(document(*details, table=table), **options)
        return Comparison.of(file, items)

    return compare


def kinds(found):
    return [(it.kind, it.file_sku, it.catalogue_sku) for it in found.differences]


def test_equal(compared):
    """
    A price with more zeros, and a name in another normal form, are the same.
    """
    found = compared([good(name="Cre&#768;me", price="1.7900")], [item("036000291452", "Crème")])

    assert (found.agrees, found.equal) == (True, 1)
    assert not any(found.counts.values())


def test_values(compared):
    """
    Price and name are compared; both sides are named.
    """
    found = compared([good(name="Coke", price="1.80")], [item("036000291452")])

    assert not found.agrees
    assert [(it.kind, it.in_file, it.in_catalogue) for it in found.differences] == [
        (Kind.PRICE, Decimal("1.80"), Decimal("1.79")),
        (Kind.NAME, "Coke", "Cola"),
    ]


def test_one_side_only(compared):
    """
    What is in one of both is named.
    """
    found = compared([good()], [item("WINE001")])

    assert kinds(found) == [
        (Kind.ONLY_IN_CATALOGUE, None, "WINE001"),
        (Kind.ONLY_IN_FILE, "036000291452", None),
    ]


@pytest.mark.parametrize(
    "sku", ["36000291452", "00036000291452", "03600029145", "3600029145", "0036000291452"]
)
def test_code_differs_in_zeros_or_check_digit(compared, sku):
    """
    Codes that are one code are matched, and the other spelling is named.
    """
    assert kinds(compared([good()], [item(sku)])) == [(Kind.CODE, "036000291452", sku)]


def test_check_digit_that_the_file_lacks(compared):
    """
    The canonical code of the file counts, not its spelling.
    """
    found = compared(
        [good(code="03600029145")], [item("036000291452")], check_digit=CheckDigit.ABSENT
    )

    assert kinds(found) == [(Kind.CODE, "03600029145", "036000291452")]


@pytest.mark.parametrize(("kind", "code"), [("upcE", "04252614"), ("PLU", "4011")])
def test_short_codes(compared, kind, code):
    """
    A UPC-E is its UPC-A; a number of the store has its zeros alone to differ in.
    """
    long = {"upcE": "042100005264", "PLU": "04011"}[kind]
    short = good(code=code, form=kind)

    assert kinds(compared([short], [item(long)])) == [(Kind.CODE, code, long)]
    if kind == "upcE":
        assert kinds(compared([good(code=long)], [item(code)])) == [(Kind.CODE, long, code)]


def test_modifier(compared):
    """
    Another modifier is another pack; one of zeros is none.
    """
    six = good(modifier="<POSCodeModifier>6</POSCodeModifier>")

    assert kinds(compared([six], [item("36000291452/06")])) == [
        (Kind.CODE, "036000291452/6", "36000291452/06")
    ]
    assert [kind for kind, *_ in kinds(compared([six], [item("036000291452")]))] == [
        Kind.ONLY_IN_CATALOGUE,
        Kind.ONLY_IN_FILE,
    ]


def test_equal_sku_first(compared):
    """
    An item that has the SKU of the file is matched, whatever else may be it.
    """
    found = compared([good()], [item("36000291452"), item("036000291452")])

    assert kinds(found) == [(Kind.ONLY_IN_CATALOGUE, None, "36000291452")]
    assert found.equal == 1


def test_ambiguous(compared):
    """
    A code that may be two of the file is matched with none.
    """
    longer = "0360002914522"
    found = compared([good(), good(code=longer, form="ean13")], [item("36000291452")])

    assert not found.bad
    assert kinds(found) == [
        (Kind.AMBIGUOUS, None, "36000291452"),
        (Kind.ONLY_IN_FILE, "036000291452", None),
        (Kind.ONLY_IN_FILE, longer, None),
    ]
    assert found.differences[0].in_file == f"036000291452, {longer}"


def test_collision(compared):
    """
    Two codes of a file that are one are reported.
    """
    found = compared([good(), good(code="00036000291452", form="gtin")], [item("036000291452")])

    assert (Kind.COLLISION, "00036000291452", None) in kinds(found)


def test_changes(compared):
    """
    What changes alone do not mention is not missing; what they do not give is not compared.
    """
    data = "<RegularSellPrice>2.00</RegularSellPrice>"
    found = compared([detail(data)], [item("036000291452"), item("WINE001")], table="update")

    assert kinds(found) == [(Kind.PRICE, "036000291452", "036000291452")]


def test_deleted(compared):
    """
    What the file deletes at its end is not in the file.
    """
    gone = detail(code="036000291452", action=GONE)

    assert kinds(compared([good(), gone], [item("036000291452")])) == [
        (Kind.DELETED, "036000291452", "036000291452")
    ]
    assert compared([gone], [], table="update").agrees
    assert compared([gone, good()], [item("036000291452")]).agrees


def test_records_of_one_item(compared):
    """
    Records of one item are taken together, in their order.
    """
    data = "<RegularSellPrice>2.00</RegularSellPrice>"

    assert compared([good(), detail(data)], [item("036000291452", price="2.00")]).agrees


def test_bad_record(compared):
    """
    A record that can't be used is no agreement.
    """
    found = compared([good(), good(code="x")], [item("036000291452")])

    assert (found.agrees, len(found.bad), found.differences) == (False, 1, [])
