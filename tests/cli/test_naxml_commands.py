"""
`conexxus naxml sniff` and `show` on files in a folder.
"""

import json
import re
from decimal import Decimal

import pytest

from maintenance_files import detail, document, good


@pytest.fixture
def file(console):
    """
    Write the file that the commands read.
    """

    def write(content):
        (console.folder / "ITT.xml").write_bytes(content)

    return write


AGE = "<SalesRestriction><MinimumCustomerAge>18</MinimumCustomerAge></SalesRestriction>"
TWO = document(
    good(code="012345678905", name="Root beer"),
    good(code="012345678906"),
    detail(code="4011", form="PLU", action='<RecordAction type="delete"/>'),
    after="<MixMatchMaintenance><MMTDetail/></MixMatchMaintenance>",
)


def test_sniff(console, file):
    """
    What was seen, and the dialect that it proposes with the reason.
    """
    file(TWO)
    done = console.run("naxml", "sniff", "ITT.xml")

    assert done.returncode == 0
    assert "Proposed: --dialect passport" in done.stdout
    assert "it has no namespace" in done.stdout
    found = console.json("naxml", "sniff", "ITT.xml")
    assert (found["dialect"], found["items"]) == ("passport", 3)
    assert found["forms"] == {"upca, 12 digits": 2, "plu, 4 digits": 1}


@pytest.mark.parametrize(
    ("head", "age", "problem"),
    [
        ("xmlns='http://www.naxml.org/POSBO/Vocabulary/2003-10-16'", 18,
         "may be years or a code in the dialect generic: '18'; if the store has years, say so:"),
        ("", 18, "is none of 1001, 1002: '18'"),
        ("", 1001, None),
    ],
)  # fmt: skip
def test_sniff_ages(console, file, head, age, problem):
    """
    Which ages there are, and why they need a setting or are none in the dialect.
    """
    item = good(AGE.replace("18", str(age)))
    file(document(item, item, good(), head=head))
    said = " ".join(console.run("naxml", "sniff", "ITT.xml").stdout.split())

    assert f"Minimum ages: {age} (2 items)" in said
    assert ("MinimumCustomerAge" in said) is (problem is not None)
    assert f"MinimumCustomerAge {problem}" in said or problem is None
    assert console.json("naxml", "sniff", "ITT.xml")["ages"] == {str(age): 2}


def test_show(console, file):
    """
    Items line by line, then the problems with their lines; a bad record is exit code 3.
    """
    file(TWO)
    done = console.run("naxml", "show", "ITT.xml", "--dialect", "passport")

    assert done.returncode == 3
    assert "line 1  addchange  012345678905  00012345678905  1.79  Root beer\n" in done.stdout
    assert "line 1  delete  4011  -  -  -\n" in done.stdout
    assert "update: 2 records, 1 problem\n" in done.stdout
    assert "  line 1: without a code: the code 012345678906 of format upca has no" in done.stdout
    assert "  not read: 1 MMTDetail\n" in done.stdout


def test_show_as_json(console, file):
    """
    For programs, a record or a problem a line, with exact prices.
    """
    file(TWO)
    done = console.run("naxml", "show", "ITT.xml", "--dialect", "passport", "--json")
    first, bad, last = map(json.loads, done.stdout.splitlines())

    assert '"price":1.79' in done.stdout
    assert (first["sku"], first["naxml"]["gtin14"]) == ("012345678905", "00012345678905")
    assert bad["problem"].startswith("the code 012345678906")
    assert (last["action"], last["sku"]) == ("delete", "4011")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--dialect is not given: `conexxus naxml sniff FILE` proposes one"),
        (("--dialect", "acme"), "--dialect must be one of generic, passport, verifone"),
        (("--dialect", "pdi", "--check-digit", "no"), "--check-digit must be one of present"),
        (("--dialect", "pdi", "--ages", "codes"), "--ages must be years where it is given, got"),
        (("--dialect", "passport", "--ages", "years"), "--ages can't be years in the dialect pass"),
    ],
)
def test_options(console, file, options, message):
    """
    A dialect is chosen, not guessed.
    """
    file(TWO)
    done = console.run("naxml", "show", "ITT.xml", *options)

    assert done.returncode == 2
    assert message in done.stderr


def test_ages(console, file):
    """
    Where the dialect does not say what an age is, an option does.
    """
    file(document(good(AGE), good(code="4011", form="PLU")))
    command = ("naxml", "show", "ITT.xml", "--dialect", "pdi")
    done = console.run(*command)

    assert done.returncode == 3
    assert "  line 1: 036000291452: MinimumCustomerAge may be years or a code in" in done.stdout
    assert "update: 1 record, 1 problem\n" in done.stdout
    done = console.run(*command, "--ages", "years", "--json")
    assert json.loads(done.stdout.splitlines()[0])["naxml"]["min_age"] == 18


READING = {
    "sniff": ("naxml", "sniff", "ITT.xml"),
    "show": ("naxml", "show", "ITT.xml", "--dialect", "passport"),
    "show --json": ("naxml", "show", "ITT.xml", "--dialect", "passport", "--json"),
    "compare": ("compare", "ITT.xml", "--dialect", "passport"),
}


@pytest.mark.parametrize("command", READING.values(), ids=READING)
def test_file_without_end(console, office, file, command):
    """
    A file that ends too early has an error with its name, and a line where it is.
    """
    office.catalog = [{"sku": "036000291452", "name": "Cola", "price": Decimal("1.80")}]
    console.run("pull")
    file(TWO[:-40])
    done = console.run(*command)

    assert done.returncode == 1
    assert re.search(r"conexxus: ITT\.xml: line \d+: .*\(truncated\)", done.stderr)
    assert "how-to/troubleshoot.md#naxmlerror" in done.stderr


def test_file_that_is_not_there(console):
    """
    Its name is in the error.
    """
    done = console.run("naxml", "show", "ITT.xml", "--dialect", "passport")

    assert done.returncode == 1
    assert "ITT.xml: it can't be read: No such file or directory (unreadable)" in done.stderr


def test_open_prices(console, file):
    """
    On demand, an item whose price is asked for at the till costs 0.
    """
    file(document(good('<PriceRequiredFlag value="yes"/>', price="")))
    command = ("naxml", "show", "ITT.xml", "--dialect", "passport")

    assert console.run(*command).returncode == 3
    assert "  0.00  Cola\n" in console.run(*command, "--zero-open-prices").stdout


def test_write(console, office):
    """
    The catalogue that was pulled is a file that the other commands read.
    """
    office.catalog = [{"sku": "036000291452", "name": "Cola", "price": Decimal("1.80")}]
    console.run("pull")
    command = ("naxml", "write", "ITT.xml", "--dialect", "passport")

    assert console.run(*command).stdout == "1 item in ITT.xml\n"
    assert console.run("compare", "ITT.xml", "--dialect", "passport").returncode == 0


def test_write_ages(console, office):
    """
    An item with a minimum age is written where the dialect, or an option, says how.
    """
    naxml = {"code": "4011", "format": "plu", "min_age": 18}
    office.catalog = [{"sku": "4011", "name": "Cider", "price": Decimal(2), "naxml": naxml}]
    console.run("pull")
    command = ("naxml", "write", "ITT.xml", "--dialect", "verifone")
    done = console.run(*command)

    assert done.returncode == 4
    assert "  4011: MinimumCustomerAge may be years or a code in the dialect" in done.stdout
    assert console.json(*command, "--ages", "years") == {"items": 1, "refused": []}
    options = ("--dialect", "verifone", "--ages", "years")
    assert console.run("compare", "ITT.xml", *options).returncode == 0


def test_write_refused(console, office):
    """
    With an item that no file holds, there is none; what may be left out is named.
    """
    office.catalog = [
        {"sku": "036000291452", "name": "Cola", "price": Decimal(1), "description": "Cold"}
    ]
    console.run("pull")
    command = ("naxml", "write", "ITT.xml", "--dialect", "pdi")
    done = console.run(*command)

    assert done.returncode == 4
    assert "  036000291452: no element holds description\n" in done.stdout
    assert not (console.folder / "ITT.xml").exists()
    assert console.json(*command, "--without", "description") == {"items": 1, "refused": []}
