"""
Hostile and damaged files: each has a named fault, and nothing of it counts.
"""

from itertools import pairwise
from random import Random

import pytest

from conexxus_sync.sources.naxml import (
    DIALECTS,
    BadRecord,
    Comparison,
    Fault,
    NaxmlError,
    Record,
    sniff,
)
from conexxus_sync.sources.naxml._xml import CHUNK, MAX_BYTES, MAX_RECORD
from maintenance_files import document, good


WHOLE = document(*(good(code=f"{number:05d}", form="plu") for number in range(50)))

LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 99}">' for a, b in pairwise("abcdefghx")
)
STORE = "<TransmissionHeader><StoreLocationID>{}</StoreLocationID></TransmissionHeader>"
MIX = document(
    good(
        '<ActiveFlag value="yes"/><LinkCode type="item">4011</LinkCode><ItemID>1</ItemID>'
        "<SalesRestriction><MinimumCustomerAge>18</MinimumCustomerAge></SalesRestriction>",
        modifier='<POSCodeModifier name="p">1</POSCodeModifier>',
    ),
    good(code="4011", form="plu"),
    header=STORE.format(7),
    after="<MixMatchMaintenance><MMTDetail/></MixMatchMaintenance>",
)
OTHERS = (
    f"<MixMatchMaintenance>{'<MMTDetail/>' * 40}</MixMatchMaintenance><ItemMaintenance/>"
    f"<ItemMaintenance>{good()}</ItemMaintenance>\n"
)
SECOND = "<ItemMaintenance><TableAction type='initialize'/></ItemMaintenance>"


def with_entities(declared, text="&x;"):
    head, rest = document(good(name=text)).split(b"?>", 1)

    return head + b"?>" + f"<!DOCTYPE a [{declared}]>".encode() + rest


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (with_entities('<!ENTITY x SYSTEM "file:///etc/passwd">'), Fault.DOCTYPE),
        (with_entities('<!ENTITY x "a">'), Fault.DOCTYPE),
        (with_entities(LAUGHS), Fault.DOCTYPE),
        (b" " * (CHUNK - 4) + b"<!DOCTYPE a><a/>", Fault.MALFORMED),
        (document(good(name="&x;")), Fault.ENTITY),
        (document(good()) + b"<b/>", Fault.SECOND_ROOT),
        (document(good(name="\xe9")).replace(b"\xc3\xa9", b"\xe9"), Fault.ENCODING),
        (document(good(name="a")).replace(b">a<", b">\x01<"), Fault.ENCODING),
        (document(good()).replace(b'1.0"', b'1.0" encoding="utf-16"'), Fault.ENCODING),
        (document(good()).replace(b'1.0"', b'1.0" encoding="utf-7"'), Fault.ENCODING),
        (document(good()).decode().encode("utf-16"), Fault.ENCODING),
        (b"\xef\xbb\xbf" + document(good()).replace(b'1.0"', b'1.0" encoding="ISO-8859-1"'),
         Fault.ENCODING),
        (document(good("<a>" * 100_000 + "</a>" * 100_000)), Fault.TOO_DEEP),
        (document(good(f"<a>{'x' * 2 * MAX_RECORD}</a>")), Fault.RECORD_TOO_LARGE),
        (document(good(f"<a b='{'x' * 2 * MAX_RECORD}'/>")), Fault.RECORD_TOO_LARGE),
        (document(good("<a " + " ".join(f"b{n}=''" for n in range(200_000)) + "/>")),
         Fault.RECORD_TOO_LARGE),
        (document(good("<a/>" * 600_000)), Fault.RECORD_TOO_LARGE),
        (document(good("<!--" + "x" * 2 * MAX_RECORD + "-->")), Fault.RECORD_TOO_LARGE),
        (document("<ITTDetail></ItemMaintenance>"), Fault.MALFORMED),
        (b"PK\x03\x04", Fault.MALFORMED),
        (b"", Fault.TRUNCATED),
        (b"<NAXML-POSJournal/>", Fault.NO_MAINTENANCE),
        (b"<NAXML-PriceBookMaintenance/>", Fault.NO_MAINTENANCE),
        (b"<NAXML-MaintenanceRequest xmlns='urn:of-2020'/>", Fault.NO_MAINTENANCE),
        (document(good(), head='version="4.0"'), Fault.NO_MAINTENANCE),
        (document(good(), head='version="3.4" page="1" ofPages="2"'), Fault.PART),
        (document(good(), after="<DepartmentMaintenance/>"), Fault.UNKNOWN_BLOCK),
        (document(good(), after=" " * 2 * CHUNK + "<Note/>"), Fault.UNKNOWN_BLOCK),
        (document(good(), "<Note/>", good()), Fault.UNKNOWN_BLOCK),
        (document(good(), '<RecordAction type="delete"/>', good()), Fault.UNKNOWN_BLOCK),
        (document(f"<ITTDetail>{good()}</ITTDetail>"), Fault.UNKNOWN_BLOCK),
        (document(after=f"<MixMatchMaintenance>{good()}</MixMatchMaintenance>"),
         Fault.UNKNOWN_BLOCK),
        (document(good("<a><ITTDetail/></a>")), Fault.UNKNOWN_BLOCK),
        (document(good("<ItemID><ITTDetail/>1</ItemID>")), Fault.UNKNOWN_BLOCK),
        (document(good(action='<RecordAction type="create"><ITTDetail/></RecordAction>')),
         Fault.UNKNOWN_BLOCK),
        (document(good().replace('upcA"/>', 'upcA"><ITTDetail/></POSCodeFormat>')),
         Fault.UNKNOWN_BLOCK),
        (document(good(), header="<TransmissionHeader><a><ITTDetail/></a></TransmissionHeader>"),
         Fault.UNKNOWN_BLOCK),
        (document("<ItemMaintenance/>"), Fault.UNKNOWN_BLOCK),
        (document(good(), block="<Note/>"), Fault.UNKNOWN_BLOCK),
        (document(header=STORE.format("<a/>")), Fault.LOCATION),
        (document(good(), table="replace"), Fault.ACTION),
        (document(good(), block='<RecordAction type="drop"/>'), Fault.ACTION),
        (document(good(), after=SECOND), Fault.ACTION),
    ],
)  # fmt: skip
def test_named_fault(folder, content, fault):
    """
    A file that can't be used as a whole says why, by name.
    """
    assert folder.fault(content) is fault


def test_store_of_another(folder):
    """
    A file of another store is refused; without a header, the configuration decides.
    """
    header = STORE.format(8)

    assert folder.fault(document(good(), header=header), location="7") is Fault.LOCATION
    assert len(folder.read(document(good(), header=header), location="8")) == 1
    assert len(folder.read(document(good()), location="7")) == 1


@pytest.mark.parametrize("size", [263, 4099])
def test_pieces(folder, monkeypatch, size):
    """
    Where a file is cut for the parser makes no difference.
    """
    details = [
        good("<b>x<c/> y</b>\n", code=f"{it:0{it % 6 + 1}d}", form="plu") for it in range(99)
    ]
    content = document(*details, header=STORE.format(7), after=OTHERS)
    whole = folder.file(content)
    expected = list(whole.records())

    monkeypatch.setattr("conexxus_sync.sources.naxml._xml.CHUNK", size)
    file = folder.file(content)

    assert list(file.records()) == expected
    assert (file.store, file.mode, file.skipped) == ("7", "update", {"MMTDetail": 40})
    assert len(expected) == 100


def test_truncated_anywhere(folder):
    """
    A file that ends too early is no shorter file, wherever it ends.
    """
    for size in range(0, len(WHOLE) - 1, 211):
        assert folder.fault(WHOLE[:size]) is Fault.TRUNCATED


def test_size_is_looked_at_first(tmp_path):
    """
    Of a file that claims 10 GB, nothing is read.
    """
    path = tmp_path / "ITT.xml"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)

    with pytest.raises(NaxmlError, match=f"more than {MAX_BYTES:,} bytes") as caught:
        sniff(path)
    assert caught.value.fault is Fault.TOO_LARGE


def test_limit_of_size(folder):
    """
    The limit can be set, and a file may be as large as it.
    """
    assert len(folder.read(WHOLE, max_bytes=len(WHOLE))) == 50
    assert folder.fault(WHOLE, max_bytes=len(WHOLE) - 1) is Fault.TOO_LARGE


def test_missing_file(folder, tmp_path):
    """
    A file that is not there is one that can't be read.
    """
    with pytest.raises(NaxmlError, match="No such file") as caught:
        sniff(tmp_path / "none.xml")
    assert caught.value.fault is Fault.UNREADABLE


def test_document_type_in_a_text(folder):
    """
    Its very bytes are refused also where they are no declaration: it is not worth the risk.
    """
    assert folder.fault(document(good("<a><![CDATA[<!DOCTYPE a>]]></a>"))) is Fault.DOCTYPE


PIECES = (
    *("<a/>", "text", "&amp;", '<a b="c">d</a>', "<!-- x -->", "<?x y?>", "<![CDATA[<x>]]>"),
    *("<ITTDetail/>", "<ItemMaintenance/>", "<RecordAction/>", "<POSCode/>", "<ITTData/>"),
    *('<TableAction type="initialize"/>', STORE.format("<a/>"), '<q:w xmlns:q="e"/>'),
    *(good(), "<RegularSellPrice>-1</RegularSellPrice>", "<MMTDetail/>", "</ITTData>", "\x7f"),
)


def test_mutations(folder):
    """
    Whatever stands where it does not belong, there are records, or a named fault.
    """
    draw, ends = Random(3), [at + 1 for at in range(60, len(MIX)) if MIX[at : at + 1] == b">"]
    seen = set()

    for _ in range(600):
        at = draw.choice(ends)
        content = MIX[:at] + draw.choice(PIECES).encode() + MIX[at:]
        try:
            dialect = draw.choice([*DIALECTS.values()])
            ages = "years" if dialect.ages is None else None
            file = folder.file(content, dialect.name, ages=ages)
            seen |= {type(it) for it in Comparison.of(file, []).bad or file.records()}
            sniff(file.path)
        except NaxmlError as exc:
            seen.add(exc.fault)

    assert {BadRecord, Record, Fault.UNKNOWN_BLOCK, Fault.MALFORMED, Fault.LOCATION} <= seen
