"""
One bad element among thousands costs itself.
"""

import json

import pytest
from example_counts import examples


ROWS = examples(5_000, 50_000)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b'{"sku":"S03141","name":"Item","price":"free"}', "Item has invalid price"),
        (b"null", "Item is not an object"),
    ],
    ids=["bad price", "null"],
)
def test_one_among_thousands(cli, office, bad, message):
    """
    The others are applied, it is in quarantine with its message, and the
    exit code says partial.
    """
    rows = [b'{"sku":"S%05d","name":"Item","price":1.25}' % n for n in range(ROWS)]
    rows[3_141] = bad
    office.catalog = rows

    code, out, _ = cli("pull", "--json")
    run = json.loads(out)
    (entry,) = json.loads(cli("quarantine", "list", "--json")[1])
    items = cli("items", "--json")[1].splitlines()

    assert (code, run["status"]) == (3, "partial")
    assert (run["itemsProcessed"], run["itemsSucceeded"], run["itemsFailed"]) == (ROWS, ROWS - 1, 1)
    assert (entry["reason"], entry["raw"]) == (message, bad.decode())
    assert len(items) == ROWS - 1
