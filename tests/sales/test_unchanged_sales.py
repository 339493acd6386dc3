"""
Facts about delivered sales that are told otherwise, and have not changed.
"""

import gzip
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import old_day
import pytest
from databases import in_sqlite
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    ApiProfile,
    ConfigurationError,
    Tax,
    Tender,
    TransactionLine,
    encode_transaction,
)
from conexxus_client.testing import BackOffice
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.sale_digests import COMPARABLE, SaleDigest, is_unchanged
from conexxus_sync.testing import sale as sample


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
ASSETS = Path(__file__).with_name("assets")
OLD_STORE = ASSETS / "store-24020fd.db.gz"
# Of the last version without receipts, made in the same way.
STORE_WITHOUT_RECEIPTS = ASSETS / "store-3c449c0.db.gz"


def sale(number=1):
    """
    A sale with something in each of its fields.
    """
    lines = [
        TransactionLine(sku="a", quantity=2, price=Decimal("1.50")),
        TransactionLine(sku="b", quantity=1, price=Decimal(0), extra={"note": "bag"}),
        TransactionLine(sku="a", quantity=2, price=Decimal("1.50"), amount=Decimal(2)),
    ]
    return sample(f"t{number}", "5.00", items=lines, extra={"payments": [{"cash": 5}], "tip": 0})


def with_line(one, place, **changes):
    lines = list(one.items)
    lines[place] = attrs.evolve(lines[place], **changes)
    return attrs.evolve(one, items=lines)


SAME = {
    "lines in another order": lambda one: attrs.evolve(one, items=one.items[::-1]),
    "microseconds": lambda one: attrs.evolve(
        one, timestamp=one.timestamp + timedelta(microseconds=987_654)
    ),
    "zero tax": lambda one: attrs.evolve(one, tax=Decimal("0.00")),
    "zero discount": lambda one: attrs.evolve(one, discount=Decimal("-0.0")),
    "a new key in extra": lambda one: attrs.evolve(one, extra={**one.extra, "channel": "web"}),
    "a new key in a line's extra": lambda one: with_line(one, 1, extra={"note": "bag", "x": 1}),
    "the first key in a line's extra": lambda one: with_line(one, 0, extra={"x": 1}),
    "a zero less in extra": lambda one: attrs.evolve(one, extra={"payments": [{"cash": 5}]}),
    "an amount as computed": lambda one: with_line(one, 0, amount=Decimal("3.0")),
    "an amount of nothing": lambda one: with_line(one, 1, amount=Decimal("0.00")),
    "a quantity with decimals": lambda one: with_line(one, 0, quantity=Decimal("2.000")),
}
OTHER = {
    "total": lambda one: attrs.evolve(one, total=Decimal("5.01")),
    "tax": lambda one: attrs.evolve(one, tax=Decimal("0.01")),
    "discount": lambda one: attrs.evolve(one, discount=Decimal("0.01")),
    "items": lambda one: attrs.evolve(one, items=one.items[:2]),
    "timestamp": lambda one: attrs.evolve(one, timestamp=one.timestamp + timedelta(seconds=1)),
    "extra": lambda one: attrs.evolve(one, extra={"payments": [{"card": 5}]}),
}
LINES = {
    "one line twice": lambda one: attrs.evolve(one, items=[*one.items, one.items[0]]),
    "another quantity": lambda one: with_line(one, 0, quantity=3),
    "another amount": lambda one: with_line(one, 2, amount=Decimal("2.5")),
    "another key": lambda one: with_line(one, 1, sku="c"),
}


@pytest.mark.parametrize("on_changed", ["report", "resend"])
@pytest.mark.parametrize("mode", ["append", "replace_day"])
@pytest.mark.parametrize("change", SAME)
@pytest.mark.case(
    "C17",
    "delivered sales come with their lines in another order, a new key in `extra`, other "
    "microseconds, or a zero that was absent",
    "they have not changed, and nothing is sent",
)
def test_told_in_other_words(new_till, change, mode, on_changed):
    """
    What is no change is none, whatever is done about changes.
    """
    till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    till.options = {"on_changed": on_changed}
    sales = [sale(number) for number in range(3)]
    till.orders.by_date[DAY] = sales
    till.push()
    till.orders.by_date[DAY] = [SAME[change](one) for one in sales]

    assert till.push(DAY) == []
    assert till.office.requests["sales"] == 1
    assert till.peek.sales_quarantine.discrepancies() == []


@pytest.mark.parametrize("change", {**OTHER, **LINES})
def test_changed(till, change):
    """
    What is a change is one, and is corrected.
    """
    till.options = {"on_changed": "resend"}
    till.orders.by_date[DAY] = [sale()]
    till.push()
    changed = {**OTHER, **LINES}[change](sale())
    till.orders.by_date[DAY] = [changed]
    till.push(DAY)

    assert till.effective() == ["t1", "t1:void:1", "t1:rev:1"]
    assert till.office.ledger.total() == changed.total


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("field", OTHER)
@pytest.mark.case(
    "C17",
    "`compare` names the fields of a sale that count",
    "a change of another field is none, also of what was delivered before it was set",
)
def test_fields_that_count(till, field, before):
    """
    Nor is a change of the others when all fields but one count.
    """
    others = {"on_changed": "resend", "compare": COMPARABLE - {field}}
    till.options = {"on_changed": "resend"} if before else others
    till.orders.by_date[DAY] = [sale()]
    till.push()
    till.orders.by_date[DAY] = [OTHER[field](sale())]
    till.options = others

    assert till.push(DAY) == []
    assert till.effective() == ["t1"]


def test_unknown_field():
    """
    A field that does not exist is a mistake in the settings.
    """
    with pytest.raises(ConfigurationError, match="unknown fields: payments; it takes currency"):
        SyncConfig(compare={"total", "payments"})


@in_sqlite
@pytest.mark.parametrize("mode", ["append", "replace_day"])
@pytest.mark.case(
    "C17",
    'a store of commit 24020fd with 300 delivered sales is upgraded, with `on_changed="resend"`',
    "the sales are compared as that version did, and nothing is sent",
)
def test_old_store(new_till, mode):
    """
    What was delivered under an older version is compared by that version.
    """
    till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    till.options = {"on_changed": "resend"}
    (till.folder / "store.db").write_bytes(gzip.decompress(OLD_STORE.read_bytes()))
    till.orders.by_date[DAY] = old_day.sales()

    assert till.push(DAY) == []
    assert till.office.requests["sales"] == 0

    new = sample("new", "2.00", timestamp=old_day.sales()[0].timestamp)
    changed = attrs.evolve(old_day.sales()[0], total=Decimal("9.00"))
    till.orders.by_date[DAY] = [changed, *old_day.sales()[1:], new]
    till.push(DAY)
    expected = {
        "append": ["t000:void:1", "t000:rev:1", "new"],
        "replace_day": [f"t{number:03}" for number in range(300)] + ["new"],
    }
    assert sorted(till.effective()) == sorted(expected[mode])
    assert till.push(DAY) == []


def with_receipt(transaction):
    """
    The same sale, as a host tells it that says whole receipts by now.
    """
    lines = [attrs.evolve(line, name="a name", unit="each") for line in transaction.items]

    return attrs.evolve(
        transaction,
        items=lines,
        register="2",
        kind="sale",
        currency="USD",
        tenders=[Tender(type="cash", amount=transaction.total)],
        taxes=[Tax(code="A", taxable=transaction.total, amount=Decimal(0), included=True)],
    )


@in_sqlite
@pytest.mark.parametrize("as_told", [lambda one: one, with_receipt], ids=["plain", "receipts"])
@pytest.mark.case(
    "C17",
    'a store of the version before receipts is upgraded, with `on_changed="resend"`',
    "nothing is sent, also where the host says whole receipts since",
)
def test_store_before_receipts(till, as_told):
    """
    300 sales that were delivered by the version before receipts stay as they are.
    """
    till.options = {"on_changed": "resend"}
    (till.folder / "store.db").write_bytes(gzip.decompress(STORE_WITHOUT_RECEIPTS.read_bytes()))
    sales = [as_told(one) for one in old_day.sales()]
    till.orders.by_date[DAY] = sales

    assert till.push(DAY) == []
    assert till.office.requests["sales"] == 0

    till.orders.by_date[DAY] = [attrs.evolve(sales[0], total=Decimal("9.00")), *sales[1:]]
    till.push(DAY)
    assert till.effective() == ["t000:void:1", "t000:rev:1"]
    assert till.push(DAY) == []


def test_digest_of_this_version():
    """
    A digest is the same as it ever was under its version: what was delivered
    under it has not changed.
    """
    lines = [
        TransactionLine(
            sku='caf\u00e9 "1"',
            quantity=2,
            price=Decimal("1.50"),
            amount=Decimal("3.0"),
            extra={"note": "bag", "zero": 0},
        ),
        TransactionLine(
            sku="a", quantity=Decimal("0.250"), price=Decimal("1E+2"), amount=Decimal("24.9")
        ),
    ]
    more = {"tax": "-0.0", "discount": "0.5", "extra": {"payments": [{"cash": Decimal("5.00")}]}}

    full, bare = (sample("t", "27.90", items=lines, **more), sample("t", "27.90", items=[]))

    assert SaleDigest.of(full) == SaleDigest(
        version='[2,["payments"],["note","zero"]]',
        value=bytes.fromhex(
            "55fc452ea3a4843514a6fc357cc6be67cf9485d7b169c1a198089e6d"
            "36f78e9766c9ea3455a1a301b2e39a34ca61eee330569c004f5adcc7d0343bcf"
        ),
    )
    assert SaleDigest.of(bare) == SaleDigest(
        version="[2,[],[]]",
        value=bytes.fromhex(
            "55fc452ea3a4843514a6fc354f53cda18c2baa0c0354bb5f98089e6d"
            "36f78e9766c9ea3498089e6d36f78e9766c9ea34b7f343d070bfc0ca75b9e2fb"
        ),
    )


AMOUNTS = st.decimals(-999, 999, places=2)
EXTRAS = st.dictionaries(
    st.text("ab:\u00e9", max_size=2),
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.text("01.", max_size=3), AMOUNTS),
    max_size=3,
)
SALES = st.builds(
    sample,
    st.just("t1"),
    AMOUNTS,
    items=st.lists(
        st.builds(
            TransactionLine,
            sku=st.sampled_from("ab"),
            quantity=st.integers(-2, 2) | AMOUNTS,
            price=AMOUNTS,
            amount=st.none() | AMOUNTS,
            extra=EXTRAS,
        ),
        max_size=3,
    ),
    tax=st.none() | AMOUNTS,
    discount=st.none() | AMOUNTS,
    extra=EXTRAS,
)


@given(SALES, st.randoms(use_true_random=False), EXTRAS)
def test_digest_of_the_bytes(one, random, more):
    """
    The digest of a sale is that of its bytes, whatever the order of its lines
    and whatever keys come later.
    """
    digest = SaleDigest.of(one)
    lines = random.sample(one.items, len(one.items))
    later = attrs.evolve(one, items=lines, extra={**more, **one.extra})

    assert is_unchanged(encode_transaction(later), digest.version, digest.value, COMPARABLE)
    changed = attrs.evolve(later, total=one.total + 1)
    assert not is_unchanged(encode_transaction(changed), digest.version, digest.value, COMPARABLE)
    assert is_unchanged(
        encode_transaction(changed), digest.version, digest.value, COMPARABLE - {"total"}
    )
