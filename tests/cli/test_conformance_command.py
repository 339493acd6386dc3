"""
`conexxus conformance` against the sandbox, on a real socket.
"""

import json

import pytest


WRITE = ("conformance", "--write", "--location", "TEST-1")


def test_reading(cli, server, office):
    """
    Without --write, nothing is sent, and what is seen is said.
    """
    code, out, err = cli("conformance", server.url)

    assert (code, err) == (0, "")
    assert "✓ wrong key: a wrong key is refused with 401" in out
    assert "✓ same catalogue twice: two reads are equal, item by item" in out
    assert "8 kept, 1 not offered" in out
    assert office.ledger.sales("loc-001") == []


def test_writing(cli, office):
    """
    With --write, sales of 0.00 are sent to the location for tests.
    """
    code, out, _ = cli(*WRITE, "--yes")

    assert code == 0
    assert "✓ sale: a sale of 0.00 is accepted" in out
    sent = office.ledger.sales("TEST-1")
    assert {sale.total for sale in sent} == {0}
    assert all(sale.id.startswith("CONFORMANCE-") for sale in sent)


def test_question(cli, office, monkeypatch):
    """
    Sales are sent after a yes, and not without it.
    """
    monkeypatch.setattr("sys.stdin.readline", lambda: "no\n")

    code, out, err = cli(*WRITE)

    assert (code, out) == (2, "Nothing was sent.\n")
    assert "for location TEST-1. They stay in its books. Send them?" in err
    assert office.ledger.sales("TEST-1") == []


def test_location_of_a_shop(cli, office):
    """
    A location that is not made for tests gets no sale.
    """
    code, _, err = cli("conformance", "--write", "--yes", "--location", "loc-001")

    assert code == 2
    assert "--write needs a location whose id begins with TEST-" in err
    assert office.ledger.sales("loc-001") == []


@pytest.mark.parametrize("script", ["catalog: truncate*9", "catalog: 500*9"])
def test_broken_back_office(cli, office, script):
    """
    A broken rule is exit 1; programs get the rules.
    """
    office.faults(script)

    code, out, _ = cli("conformance", "--json")
    rules = {it["rule"]: it["outcome"] for it in json.loads(out)["rules"]}

    assert code == 1
    assert rules["catalogue"] == "broken"
    assert rules["health"] == "kept"
