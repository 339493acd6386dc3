"""
`conexxus fleet pull` and `accept`: a change of prices for some stores first.
"""

import json
import re
import shlex

import pytest


FLEET = """\
[defaults]
api.key_env = "CONEXXUS_API_KEY"

[[store]]
location = "0001"
group = "canary"

[[store]]
location = "0002"

[[store]]
location = "0003"
"""


@pytest.fixture
def run(shell, cli, office):
    """
    A command of a fleet of three stores, which have a catalogue.
    """
    del shell.environ["LOCATION_ID"]
    (shell.folder / "fleet.toml").write_text(FLEET)

    def run(*arguments):
        return cli("fleet", *arguments)

    assert run("run", "--once")[0] == 0
    return run


def raised(office, factor):
    office.catalog = [
        {"sku": f"S{number:03}", "name": "x", "price": number * factor} for number in range(1, 31)
    ]


def pulled(run, *arguments):
    code, out, _ = run(*arguments, "--json")
    return code, {it["locationId"]: it for it in json.loads(out)}


def test_canary_first(run, office):
    """
    What the guards of each store refuse is given to the canary, and then to the
    others, as long as it is the same.
    """
    raised(office, 1)
    assert pulled(run, "pull", "--group", "canary", "--force")[0] == 0
    raised(office, 5)
    code, shown = pulled(run, "pull", "--group", "canary", "--plan")
    assert (code, list(shown), shown["0001"]["planned"]) == (4, ["0001"], True)
    assert pulled(run, "pull", "--location", "0001")[0] == 4

    code, canary = pulled(run, "pull", "--group", "canary", "--force")
    assert (code, canary["0001"]["updated"]) == (0, 30)
    code, others = pulled(run, "accept", canary["0001"]["id"], "--yes")

    assert code == 0
    assert {name: it["status"] for name, it in others.items()} == {
        "0001": "success",
        "0002": "success",
        "0003": "success",
    }
    assert "3 stores: 3 pulled, 0 refused, 0 failed" in run("accept", canary["0001"]["id"])[1]


def test_another_catalogue(run, office):
    """
    Where the catalogue is another one by now, it is refused, and nothing is changed.
    """
    raised(office, 1)
    planned = pulled(run, "pull", "--group", "canary", "--plan")[1]["0001"]["id"]
    raised(office, 5)
    code, found = pulled(run, "accept", planned, "--yes")

    assert code == 4
    assert all("no longer the one" in it["refused"] for it in found.values())
    assert "0 pulled, 3 refused" in run("accept", planned, "--yes")[1]


def test_the_others_wait(run, office):
    """
    Their catalogue is held until it is accepted, which the status says.
    """
    first, *more = office.catalog
    office.catalog = [{**first, "price": 5}, *more]
    code, canary = pulled(run, "pull", "--group", "canary", "--hold", "4h")
    assert (code, canary["0001"]["updated"]) == (0, 1)
    assert "2 stores keep the catalogue until " in run("status")[1]
    held = [it["heldUntil"] for it in json.loads(run("status", "--json")[1])["stores"]]
    assert [it is None for it in held].count(True) == 1

    code, others = pulled(run, "accept", canary["0001"]["id"], "--yes")
    assert (code, others["0002"]["updated"]) == (0, 1)
    assert "keep the catalogue" not in run("status")[1]

    assert run("pull", "--group", "canary", "--hold", "4h")[0] == 0
    assert run("pull", "--group", "canary", "--hold", "0s")[0] == 0
    assert "keep the catalogue" not in run("status")[1]


def test_printed_commands(run, office, shell):
    """
    What a refused store advises, and its status, works as it is printed.
    """
    (shell.folder / "fleet.toml").rename(shell.folder / "my chain.toml")
    chain = "my chain.toml"
    raised(office, 1)
    assert run("pull", chain, "--group", "canary", "--force")[0] == 0
    raised(office, 5)

    code, out, _ = run("pull", chain, "--location", "0001")
    assert code == 4
    assert "conexxus pull" not in out
    shown = run("status", chain)[1] + run("status", chain, "--json")[1]
    assert "conexxus pull" not in shown
    assert "conexxus fleet accept" in shown
    (command, again) = re.findall(r"conexxus fleet (accept [^`\n]+)", out)
    assert command == again
    words = shlex.split(command)
    assert words[2:] == [chain, "--location", "0001"]

    raised(office, 6)
    code, out, _ = run(*words)
    assert (code, "conexxus pull" in out) == (4, False)
    (look,) = re.findall(r"conexxus fleet (pull [^`\n]+)", out)
    assert run(*shlex.split(look))[0] == 4
    raised(office, 5)
    assert run(*words)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pull", "--location", "0001", "--hold", "4h"], "--hold needs --group"),
        (["pull", "--group", "canary", "--hold", "soon"], "--hold must be a time like 30m"),
        (["pull", "--group", "canary", "--hold", "200h"], "--hold must be at most 168h"),
        (["pull"], "fleet pull needs --group or --location"),
        (["pull", "--group", "none"], "no store in fleet.toml that can start has group none"),
        (["accept", "no-such-run"], "no store of this fleet has a catalogue of run no-such-run"),
    ],
)
def test_which_stores(run, arguments, said):
    """
    Nothing is pulled unless it is said for whom, and nothing accepted that was not seen.
    """
    code, _, err = run(*arguments)

    assert code == 2
    assert said in err
