"""
Items that are odd: which ones a pull takes, and what it says of the others.
"""

from decimal import Decimal

import pytest

from conexxus_sync import IssueKind, RunStatus
from conexxus_sync.views.json import item_document
from conexxus_sync.views.run_document import run_document


def raw_item(sku, price, more=b""):
    return b'{"sku":"%b","name":"n","price":%b%b}' % (sku.encode(), price, more)


def entries(site):
    with site.store.read() as state:
        return list(state.mirror.quarantined())


@pytest.mark.case(
    "A8", "A price of `1e2`, or with zeros at its end", "it is stored and shown without an exponent"
)
@pytest.mark.parametrize(
    ("text", "price"),
    [
        (b"29.990000", "29.990000"),
        (b'"8.00000000"', "8.00000000"),
        (b"1e2", "100"),
        (b"1E+2", "100"),
        (b"0.00000000", "0.000000"),
        (b"5e-1", "0.5"),
        (b"999999999.9999" + b"0" * 30, "999999999.9999"),
    ],
)
def test_prices_that_are_taken(site, text, price):
    """
    Zeros at the end of a price are no decimals, and an exponent is written out.
    """
    run = site.pull([raw_item("A", text)])

    assert (run.status, run.created) == (RunStatus.SUCCESS, 1)
    assert str(site.shelf["A"].price) == price
    with site.store.read() as state:
        assert str(state.mirror.item("A").item.price) == price


@pytest.mark.case(
    "A8", "A price that breaks a rule", "the error is as before, and `detail` says the rule"
)
@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"29.949999999999999", "more than 4 decimals: 29.949999999999999"),
        (b"0.00000010", "more than 4 decimals: 0.00000010"),
        (b"1e-5", "more than 4 decimals: 0.00001"),
        (b"-1.00", "negative: -1.00"),
        (b"1e9", "1,000,000,000 or more: 1000000000"),
        (b"1e30", "1,000,000,000 or more: 1" + "0" * 30),
        (b"1e99", "more than 38 digits: 1e99"),
        (b'"free"', "not a plain number: 'free'"),
        (b"null", "the price is null"),
    ],
)
def test_prices_that_are_set_aside(site, text, detail):
    """
    Run, quarantine and history say which rule a price breaks.
    """
    run = site.pull([raw_item("A", text), raw_item("B", b"1")])

    assert run_document(run).as_json()["errors"] == [
        {"item": "A", "error": "Item has invalid price", "detail": detail}
    ]
    assert run.last_error.endswith(f"the first: Item has invalid price: {detail}")
    (entry,) = map(item_document, entries(site))
    assert (entry.reason, entry.detail) == ("Item has invalid price", detail)


def test_detail_of_what_has_one_rule(site):
    """
    There is none where the error says it all.
    """
    run = site.pull([b'{"sku":"A","price":1}'])

    assert run_document(run).as_json()["errors"] == [{"item": "A", "error": "Item missing name"}]
    assert "detail" not in item_document(entries(site)[0]).as_json()


@pytest.mark.case(
    "A6", "A pull with odd categories and descriptions", "the run has a remark, and no error"
)
def test_optional_fields_of_a_wrong_type(site):
    """
    An optional field of a wrong type is a remark about the first item and their
    number; it is said again when nothing else changed.
    """
    catalogue = [
        raw_item("A", b"1", b',"category":{"id":7},"description":false'),
        raw_item("B", b"1", b',"description":false'),
        raw_item("C", b"1"),
    ]

    for run in (site.pull(catalogue), site.pull(catalogue)):
        assert (run.status, run.items_failed, run.last_error) == (RunStatus.SUCCESS, 0, None)
        assert [(it.item, it.error, it.kind) for it in run.errors] == [
            (
                None,
                "1 item has a category that is no text: it is kept in `extra`; the first is A",
                IssueKind.REMARK,
            ),
            (
                None,
                "2 items have a description that is no text: it is kept in `extra`; the first is A",
                IssueKind.REMARK,
            ),
        ]

    assert site.shelf["A"].extra == {"category": {"id": 7}, "description": False}
    assert site.shelf["A"].price == Decimal(1)


def test_remarks_have_room(site):
    """
    A remark has its place among the first hundred errors.
    """
    bad = [raw_item(f"B{n}", b"null") for n in range(150)]

    run = site.pull([*bad, raw_item("A", b"1", b',"category":5')], force=True)

    assert [it.kind for it in run.errors] == [IssueKind.SET_ASIDE] * 99 + [IssueKind.REMARK]
    assert run.items_failed == 150


@pytest.mark.case(
    "E10", "200,000 conflicting copies of SKUs", "they are set aside without a list of them"
)
def test_conflicting_copies_are_streamed(site, monkeypatch):
    """
    Copies that differ are recorded one by one: at most a hundred are held.
    """
    from conexxus_sync.stores._catalogue_staging import CatalogueStaging

    alive, most, duplicates = set(), [], CatalogueStaging.duplicates

    def counted(self):
        for reject in duplicates(self):
            alive.add(id(reject))
            most.append(reject.sku)
            yield reject

    monkeypatch.setattr(CatalogueStaging, "duplicates", counted)
    catalogue = [raw_item(f"S{n % 200}", b"%d" % n) for n in range(600)]

    run = site.pull(catalogue)

    assert (run.items_failed, len(run.errors), len(most)) == (600, 100, 600)
    assert len(alive) < 300
