"""
`conexxus fleet adopt`: stores that ran alone, or that another program served.
"""

import json

import pytest


FLEET = """\
[defaults]
store = "sqlite:///fleet.db"
api.key_env = "CONEXXUS_API_KEY"
timezone = "America/New_York"
orders = "sales.ndjson"

[[store]]
location = "loc-001"
group = "north"

[[store]]
location = "loc-002"
"""
PUSH = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")


@pytest.fixture
def run(shell, cli, office):
    """
    A command, in a folder with a fleet.
    """
    for name in ("CONEXXUS_STORE", "CONEXXUS_TIMEZONE"):
        shell.environ.pop(name, None)
    (shell.folder / "fleet.toml").write_text(FLEET)
    return cli


@pytest.fixture
def alone(run, shell):
    """
    The URL of a store that ran alone: it has a catalogue, and pushed a date.
    """
    where = ("--store", shell.store, "--timezone", "America/New_York")
    assert run("pull", *where, "--create-store")[0] == 0
    assert run(*PUSH, *where)[0] == 0
    del shell.environ["LOCATION_ID"]
    return shell.store


def fleet_pushes(run):
    """
    The pushes of the location that the fleet's store has.
    """
    where = ("--store", "sqlite:///fleet.db", "--location", "loc-001")
    return json.loads(run("runs", "--kind", "sales", *where, "--json")[1])


def test_store_that_ran_alone(run, alone, office):
    """
    Its state is shown first, then copied beside that of the others, and its old store
    starts nothing more; a second command finds it there.
    """
    assert run("fleet", "run", "--once", "--location", "loc-002")[0] == 0
    sent = [sale.id for sale in office.ledger.sales("loc-001")]

    code, out, _ = run("fleet", "adopt", "--copy-from", alone, "--plan")
    assert (code, out.startswith("Would copy the state of loc-001 from ")) == (0, True)
    assert fleet_pushes(run) == []

    for said in ("is in the fleet's store now", "was there already"):
        code, out, _ = run("fleet", "adopt", "--copy-from", alone)
        assert (code, f"The state of loc-001 {said}" in out) == (0, True)
    assert [it["businessDate"] for it in fleet_pushes(run)] == ["2026-01-02"]

    assert run(*PUSH, "--store", "sqlite:///fleet.db", "--location", "loc-001")[0] == 0
    assert [sale.id for sale in office.ledger.sales("loc-001")] == sent
    code, _, err = run(*PUSH, "--store", alone, "--location", "loc-001")
    assert (code, "was moved to" in err) == (1, True)


def test_store_that_is_not_listed(run, alone, shell):
    """
    What no store of the file has is not copied.
    """
    file = shell.folder / "fleet.toml"
    file.write_text(file.read_text().replace("loc-001", "loc-009"))
    code, _, err = run("fleet", "adopt", "--copy-from", alone)

    assert (code, "has the state of loc-001, which fleet.toml has not" in err) == (2, True)


def test_sales_that_another_program_sent(run, shell, office):
    """
    They count as delivered, by store, and nothing is sent.
    """
    del shell.environ["LOCATION_ID"]
    arguments = ("fleet", "adopt", "--through", "2026-01-03", "--group", "north")

    assert "Would take the sales of 1 store up to 2026-01-03" in run(*arguments, "--plan")[1]
    code, out, _ = run(*arguments, "--json")
    (found,) = json.loads(out)
    lines = run(*arguments)[1].splitlines()

    assert (code, found["locationId"], found["transactions"]) == (0, "loc-001", 3)
    assert lines[0].startswith("0 sales of 1 store taken for delivered")
    assert office.requests["sales"] == 0
    assert "Sales were pushed from here already: loc-001" in run(*arguments, "--plan")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "needs --copy-from URL or --through DATE"),
        (["--through", "2026-01-02", "--copy-from", "sqlite:///x.db"], "not both"),
        (["--through", "yesterday"], "--through must be a date"),
        (["--through", "2026-01-02", "--group", "none"], "can start has group none"),
        (["--copy-from", "sqlite:///absent.db"], "there is no store at "),
        (["--through", "2099-01-01"], "is yet to come"),
    ],
)
def test_wrong_use(run, shell, arguments, said):
    """
    It is said what is needed, and nothing is changed.
    """
    del shell.environ["LOCATION_ID"]
    code, _, err = run("fleet", "adopt", *arguments)

    assert (code, said in err) == (2, True), err
