"""
Facts about the bytes that are stored, and the keys that are made of them.
"""

from datetime import date
from decimal import Context, Decimal, Inexact, Overflow, Rounded, localcontext

from conexxus_client import TransactionLine
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction, idempotency_key
from conexxus_sync.testing import sale


LOCATION = 'loc "1",transactions:['
DAY = date(2026, 1, 2)


def frozen(*sales):
    return [
        FrozenTransaction.of(sale, position=position, business_date=DAY)
        for position, sale in enumerate(sales)
    ]


def test_keys():
    """
    A key is derived from location, date and content, and from nothing else.
    """
    about = {"location_id": LOCATION, "business_date": DAY, "digest": b"1", "generation": 0}
    others = [
        {"location_id": "other"},
        {"business_date": date(2026, 1, 3)},
        {"digest": b"2"},
        {"generation": 1},
    ]

    keys = {idempotency_key(**{**about, **other}) for other in others}

    assert idempotency_key(**about) == idempotency_key(**about)
    assert idempotency_key(**about).startswith("20260102-")
    assert len(keys | {idempotency_key(**about)}) == 5


def test_a_nul_in_an_id():
    """
    Such a sale is set aside, under a name that is that of no other.
    """
    names = {"a\0b", r"a\0b", "a\0c"}
    found = [
        FrozenTransaction.of(sale(name, "1.00"), position=0, business_date=DAY) for name in names
    ]

    assert {one.fault for one in found} == {None, "Transaction id has a NUL"}
    assert len({one.id for one in found}) == len(names)
    assert not any("\0" in one.id for one in found)


def test_the_hosts_decimal_context():
    """
    A host application's decimal context, however narrow and strict, has no
    say in our sums.
    """
    large = "1" * 38
    line = TransactionLine(sku="a", quantity=Decimal(large), price=Decimal(large))
    strict = Context(prec=3, Emax=9, Emin=-9, traps=[Inexact, Overflow, Rounded])

    with localcontext(strict):
        (member,) = frozen(sale("t1", large, items=[line], tax=Decimal(large)))
        total = BatchDraft.of(LOCATION, DAY, [member, member]).total

    assert member.mismatched
    assert str(total) == "2" * 38
