"""
`conexxus quarantine show` and `replay`.
"""

import io
import json
from types import SimpleNamespace

import pytest


def item(sku, price="1.00"):
    return {"sku": sku, "name": f"Item {sku}", "price": price}


@pytest.fixture
def stocked(cli, office):
    office.catalog = [item("A"), item("B")]
    assert cli("pull")[0] == 0
    office.catalog = [item("A", "free"), item("B")]
    assert cli("pull")[0] == 3
    return cli


def test_show(stocked):
    """
    All that is known of an item that was set aside, and the item as it came.
    """
    code, out, _ = stocked("quarantine", "show", "A")

    assert code == 0
    assert "A: Item A, 1.00; in force." in out
    assert "Item has invalid price (at $.price)" in out
    assert '"price":"free"' in out

    (entry,) = json.loads(stocked("quarantine", "show", "A", "--json")[1])
    assert json.loads(entry["raw"]) == item("A", "free")
    assert (entry["page"], entry["timesSeen"]) == (1, 1)


def test_replay_from_a_file(stocked, shell):
    """
    A corrected item is taken from a file, at once and alone.
    """
    (shell.folder / "a.json").write_text(json.dumps(item("A", "2.50")))

    code, out, _ = stocked("quarantine", "replay", "A", "--item", "a.json")

    assert code == 0
    assert "A is in the catalogue now" in out
    assert "Nothing is set aside" in stocked("quarantine", "list")[1]
    assert "A  Item A  2.50" in stocked("items")[1]


def test_replay_from_stdin(stocked, monkeypatch):
    """
    Or from a pipe; for programs, the outcome is a run.
    """
    raw = json.dumps(item("A", "2.50")).encode()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))

    code, out, _ = stocked("quarantine", "replay", "A", "--item", "-", "--json")

    assert code == 0
    assert json.loads(out)["updated"] == 1


def test_still_bad(stocked):
    """
    What is still bad stays where it is: 1.
    """
    code, out, err = stocked("quarantine", "replay", "A")

    assert (code, out) == (1, "")
    assert "it stays in quarantine: Item has invalid price" in err


@pytest.mark.parametrize(
    "arguments",
    [("show", "B"), ("replay", "B"), ("replay", "A", "--item", "missing.json")],
)
def test_wrong_use(stocked, arguments):
    """
    What is not in quarantine, or can't be read, is wrong use: 2.
    """
    code, out, err = stocked("quarantine", *arguments)

    assert (code, out) == (2, "")
    assert err.startswith("conexxus: ")


def test_replay_of_a_sale(cli, office):
    """
    A sale that was set aside goes with the next push, once it is let out.
    """
    push = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")
    office.reject = {"t1"}
    assert cli(*push)[0] == 3
    office.reject = ()
    assert cli(*push)[0] == 0
    assert [sale.id for sale in office.ledger.sales()] == ["t2"]

    code, out, _ = cli("quarantine", "replay", "t1", "--json")

    assert (code, [entry["item"] for entry in json.loads(out)]) == (0, ["t1"])
    assert cli(*push)[0] == 0
    assert sorted(sale.id for sale in office.ledger.sales()) == ["t1", "t2"]


def test_sale_is_corrected_at_the_till(cli, office):
    """
    A sale is not handed in like an item: what is sent comes from the till.
    """
    office.reject = {"t1"}
    cli("push", "--orders", "sales.ndjson", "--date", "2026-01-02")

    code, out, err = cli("quarantine", "replay", "t1", "--item", "t1.json")

    assert (code, out) == (2, "")
    assert "t1 is a sale: correct it at the till" in err
    assert cli("quarantine", "replay", "t1")[1] == "t1 of 2026-01-02 goes with the next push.\n"
