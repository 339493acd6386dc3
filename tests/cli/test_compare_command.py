"""
`conexxus compare` against a catalogue that was pulled from the sandbox.
"""

import csv
import io
import json
from decimal import Decimal

import pytest

from maintenance_files import document, good


TWO = (good(), good(code="x"))
COMMAND = ("compare", "ITT.xml", "--dialect", "passport")


@pytest.fixture
def compared(console, office):
    """
    Compare a file with what the back office has.
    """
    office.catalog = [{"sku": "36000291452", "name": "=Cola", "price": Decimal("1.80")}]
    console.run("pull")

    def compare(*options, details=TWO):
        (console.folder / "ITT.xml").write_bytes(document(*details, table="initialize"))
        return console.run(*COMMAND, *options)

    return compare


def test_text(compared):
    """
    Counts, then what differs; exit code 3.
    """
    done = compared()

    assert done.returncode == 3
    assert "1 price differs\n  036000291452  =Cola: 1.79 in the file, 1.80 in" in done.stdout
    assert "1 code differs only in zeros or check digit\n" in done.stdout
    assert "1 record of the file can't be used\n  line 1: without a code: the code" in done.stdout
    assert done.stdout.endswith("They do not agree.\n")


def test_json(compared):
    """
    One document with counts, differences with exact prices, and problems.
    """
    found = json.loads(compared("--json").stdout)

    assert (found["mode"], found["fileItems"], found["catalogueItems"]) == ("initialize", 1, 1)
    assert found["counts"]["code"] == found["counts"]["price"] == 1
    price = next(it for it in found["differences"] if it["kind"] == "price")
    assert (price["inFile"], price["inCatalogue"]) == ("1.79", "1.80")
    assert len(found["problems"]) == 1


def test_csv(compared):
    """
    A table of all differences; nothing in it is a formula.
    """
    rows = list(csv.DictReader(io.StringIO(compared("--csv").stdout)))

    assert [row["kind"] for row in rows] == ["code", "price", "name"]
    assert {row["name"] for row in rows} == {"'=Cola"}
    assert rows[1]["in_file"] == "1.79"


def test_agreement(compared):
    """
    Where nothing differs, the exit code is 0.
    """
    equal = good(code="36000291452", form="upcA", price="1.8", name="=Cola")
    assert compared("--check-digit", "absent", details=(equal,)).returncode == 0


def test_no_catalogue(console):
    """
    Without a catalogue, there is nothing to compare with.
    """
    (console.folder / "ITT.xml").write_bytes(document(good()))
    done = console.run(*COMMAND)

    assert done.returncode == 2
    assert "location loc-001 has no catalogue yet: `conexxus pull" in done.stderr
