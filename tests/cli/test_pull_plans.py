"""
`conexxus pull --plan` and `--accept`: look first, then apply what was seen.
"""

import json
from io import StringIO

import pytest


def catalog(count, price="1.00"):
    return [{"sku": f"S{n:02d}", "name": f"Item {n}", "price": price} for n in range(count)]


@pytest.fixture
def stocked(cli, office):
    office.catalog = catalog(30)
    assert cli("pull")[0] == 0
    return cli


def test_plan_prints_prices(stocked, office):
    """
    A plan prints each price that would change, old and new.
    """
    office.catalog = [*catalog(1, "2.50"), *catalog(30)[1:]]

    code, out, _ = stocked("pull", "--plan")

    assert code == 0
    assert "S00: 1.00 → 2.50  Item 0" in out
    assert out.count("→") == 1


def test_refusal_prints_the_first_prices(stocked, office):
    """
    A refused pull shows what made it suspicious, and how to see all of it.
    """
    office.catalog = catalog(30, "2.50")

    code, out, _ = stocked("pull")

    assert code == 4
    assert out.count("→") == 10
    assert "all of them: conexxus pull --plan" in out
    assert stocked("pull", "--plan")[1].count("→") == 30


def test_accept(stocked, office):
    """
    A plan is applied by its id: 0; and refused if the catalogue is another
    by now: 4.
    """
    office.catalog = catalog(30, "2.50")
    plan = json.loads(stocked("pull", "--plan", "--json")[1])
    office.catalog = catalog(30, "2.51")

    code, out, _ = stocked("pull", "--accept", plan["id"])
    assert code == 4
    assert "no longer the one" in out

    office.catalog = catalog(30, "2.50")
    code, out, _ = stocked("pull", "--accept", plan["id"], "--json")
    assert code == 0
    assert json.loads(out)["updated"] == 30


CASE = pytest.mark.case(
    "D11",
    "a person applies a refused catalogue that cuts 30 prices by 90 %",
    "the terminal and the page ask first, with counts and the largest change",
)


@CASE
@pytest.mark.parametrize(
    ("typed", "code", "updated"), [("no\n", 2, "1.00"), ("\n", 2, "1.00"), ("yes\n", 0, "0.10")]
)
def test_accept_asks_at_a_terminal(stocked, office, monkeypatch, typed, code, updated):
    """
    A person sees the counts and the largest change, and confirms them.
    """
    office.catalog = [*catalog(29, "0.10"), {"sku": "S29", "name": "Item 29", "price": "0.05"}]
    plan = json.loads(stocked("pull", "--json")[1])
    monkeypatch.setattr("sys.stdin", terminal := StringIO(typed))
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)

    found, _, err = stocked("pull", "--accept", plan["id"])

    assert found == code
    assert "30 prices would change; 0 items in force would be absent." in err
    assert "The largest change: S29, Item 29: 1.00 → 0.05 -95 %" in err
    assert f"S00  Item 0  {updated}" in stocked("items")[1]


@CASE
def test_accept_with_yes_does_not_ask(stocked, office, monkeypatch):
    """
    With `--yes`, and without a terminal, nothing is asked.
    """
    office.catalog = catalog(30, "0.10")
    plan = json.loads(stocked("pull", "--json")[1])
    monkeypatch.setattr("sys.stdin", terminal := StringIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)

    code, _, err = stocked("pull", "--accept", plan["id"], "--yes")

    assert (code, "Apply exactly" in err) == (0, False)


@pytest.mark.parametrize("arguments", [["--accept", "x"], ["--accept", "x", "--force"]])
def test_accept_needs_a_plan(stocked, arguments):
    """
    What can't be accepted is wrong use: 2, and nothing is asked for.
    """
    assert stocked("pull", *arguments)[0] == 2


def test_json_has_the_keys_of_a_run(stocked):
    """
    For programs, a plan is a run and nothing else.
    """
    run, plan = (json.loads(stocked("pull", *more, "--json")[1]) for more in ([], ["--plan"]))

    assert list(plan) == list(run)


@pytest.mark.case(
    "A2",
    "items are absent while an element has no readable SKU",
    "`conexxus pull`, `status` and `why` say that removals wait, and why",
)
def test_removals_that_wait(stocked, office):
    """
    In the same words, also in a later pull that finds nothing new.
    """
    why = "removals wait because 2 elements have no readable SKU"
    office.catalog = [*catalog(28), None, {"name": "?", "price": "1"}]

    for _ in range(2):
        code, out, _ = stocked("pull")
        assert code == 3
        assert why in out
    assert why in stocked("status")[1]
    assert f"In it, {why}" in stocked("why", catalog(30)[29]["sku"])[1]
    assert why in json.loads(stocked("pull", "--json")[1])["note"]


@pytest.mark.case(
    "A10",
    "items are absent from a catalogue that is planned or refused",
    "`pull --plan` lists all of them, a refused pull the first, `why` says so",
)
def test_absent_items(stocked, office):
    """
    With their price and name.
    """
    office.catalog = catalog(15)

    refused = stocked("pull")[1]
    assert refused.count("1.00  Item ") == 10
    assert "S15: 1.00  Item 15" in refused
    assert "all of them: conexxus pull --plan" in refused
    assert stocked("pull", "--plan")[1].count("1.00  Item ") == 15
    assert "It is absent from the catalogue of run" in stocked("why", "S20")[1]


@pytest.mark.case(
    "A10",
    "`conexxus pull --catalog` finds items gone, with and without `--removals deactivate`",
    "it says that the host did not get them; with the option, the host gets them",
)
def test_removals_of_the_host(cli, office, shell, monkeypatch):
    """
    The option goes before the variable.
    """
    (shell.folder / "shelf.py").write_text(SHELF)
    monkeypatch.syspath_prepend(shell.folder)
    monkeypatch.setenv("CONEXXUS_REMOVALS", "keep")
    pull = ("pull", "--catalog", "shelf:catalog")
    office.catalog = catalog(30)
    cli(*pull)

    office.catalog = catalog(27)
    assert "Note: the host's storage was not notified that 3 items are gone" in cli(*pull)[1]

    assert "In that pull, the host's storage was not notified" in cli("status")[1]

    office.catalog = catalog(26)
    assert "was not notified" not in cli(*pull, "--removals", "deactivate")[1]
    assert (shell.folder / "removed.txt").read_text().split() == ["S26"]


SHELF = """
class Shelf:
    def apply(self, changes):
        with open("removed.txt", "a") as file:
            for item in changes.removed:
                file.write(item.sku + "\\n")


def catalog():
    return Shelf()
"""
