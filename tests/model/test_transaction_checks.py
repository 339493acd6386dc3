"""
Facts about what is remarked of one transaction.
"""

from decimal import Decimal

import attrs
import pytest

from conexxus_client import TransactionLine
from conexxus_sync.model.frozen_sales import has_card_number
from conexxus_sync.model.sum_checks import adds_up
from conexxus_sync.testing import sale


def test_adds_up():
    """
    Lines that don't add up are told: one cent a line is tolerated, discount
    and tax belong to the sum.
    """
    lines = [
        TransactionLine(sku="a", quantity=2, price=Decimal("1.00")),
        TransactionLine(sku="b", quantity=1, price=Decimal("9.99"), amount=Decimal("1.00")),
    ]
    fits = sale("t1", "3.20", items=lines, tax=Decimal("0.30"), discount=Decimal("0.10"))

    assert adds_up(fits)
    assert adds_up(attrs.evolve(fits, total=Decimal("3.22")))
    assert not adds_up(attrs.evolve(fits, total=Decimal("3.23")))
    assert not adds_up(sale("refund", "-1.50", items=[]))


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("4111111111111111", True),
        ("paid with 4111 1111 1111 1111, thanks", True),
        ("5500-0000-0000-0004", True),
        ("4111111111111112", False),
        ("0000000000000000", False),
        ("411111111111", False),
        ("41111111111111110000", False),
    ],
)
def test_card_numbers(note, expected):
    """
    13 to 19 digits whose check digit is right may be a card's number, however
    deep in the free text; ids, SKUs and amounts are no free text.
    """
    line = TransactionLine(sku="4111111111111111", quantity=1, price=Decimal(1))

    assert has_card_number(sale("4111111111111111", extra={"a": [{"note": note}]})) is expected
    noted = attrs.evolve(line, extra={"note": note})
    assert has_card_number(sale("t1", items=[noted])) is expected
    assert not has_card_number(sale("4111111111111111", items=[line]))
