"""
Facts about the profile of the back office in the commands.
"""

import json
import sqlite3

import pytest


PROFILES = """\
from datetime import timedelta
from conexxus_client import ApiProfile

path = ApiProfile(sales_path="/api/v2/push")
mode = ApiProfile(sales_mode="replace_day")
dedupe = ApiProfile(dedupe="none")
ttl = ApiProfile(key_ttl=timedelta(hours=1))
conflict = ApiProfile(conflict_is_delivered=True)
header = ApiProfile(idempotency_header="X-Key")
number = 7
"""

PUSH = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")


@pytest.fixture
def pushed(shell, cli):
    """
    A shell whose store has pushed with the default profile.
    """
    (shell.folder / "shop.py").write_text(PROFILES)
    assert cli("pull")[0] == 0
    assert cli(*PUSH)[0] == 0
    late = '{"id":"late","timestamp":"2026-01-02T15:00:00Z","total":1,"items":[]}\n'
    with (shell.folder / "sales.ndjson").open("a") as file:
        file.write(late)
    return shell


@pytest.mark.case(
    "C1",
    "`conexxus push` is given a profile that differs in one part",
    "It exits with 2 before anything is sent, and spells out the part",
)
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("path", "sales_path is /api/v2/push, kept is /api/v1/sales/push"),
        ("mode", "sales_mode is replace_day, kept is append"),
        ("dedupe", "dedupe is none, kept is key"),
        ("ttl", "key_ttl is 1:00:00, kept is 1 day, 0:00:00"),
        ("conflict", "conflict_is_delivered is yes, kept is no"),
        ("header", "idempotency_header is x-key, kept is idempotency-key"),
    ],
)
def test_another_profile_exits_with_2(pushed, cli, office, name, part):
    """
    Given as an option or by the environment, another profile sends nothing.
    """
    code, _, err = cli(*PUSH, "--profile", f"shop:{name}")

    assert (code, part in err) == (2, True)
    assert office.requests["sales"] == 1
    assert cli(*PUSH, "--profile", "default")[0] == 0
    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2", "late"]


@pytest.mark.case(
    "C1",
    "The service has CONEXXUS_PROFILE, a command has not",
    "The command is refused, and the message says how to name it",
)
def test_a_command_without_the_service_s_profile(pushed, cli, office, monkeypatch):
    """
    The variable holds for every command; without it, they have the default.
    """
    monkeypatch.setenv("CONEXXUS_PROFILE", "shop:conflict")
    assert cli("profile", "change", "--yes")[0] == 0
    assert cli(*PUSH)[0] == 0
    monkeypatch.delenv("CONEXXUS_PROFILE")

    for command in (PUSH, ("push", "--orders", "sales.ndjson", "--since", "2026-01-01")):
        code, _, err = cli(*command)
        assert (code, "CONEXXUS_PROFILE or --profile" in err) == (2, True)
    assert office.requests["sales"] == 2


@pytest.mark.case(
    "C1",
    "A command meets a store that pushed before profiles were kept",
    "It exits with 2 until a profile is named",
)
def test_an_older_store_needs_a_name(pushed, cli):
    """
    `--profile default` is a choice, too.
    """
    with sqlite3.connect(pushed.folder / "conexxus.db") as database:
        database.execute("DELETE FROM sales_profiles")
    database.close()

    code, _, err = cli(*PUSH)
    assert (code, "--profile default" in err) == (2, True)
    assert cli(*PUSH, "--profile", "default")[0] == 0
    assert cli(*PUSH)[0] == 0


@pytest.mark.case(
    "C1",
    "What was named is no profile",
    "The command exits with 2 and says why",
)
@pytest.mark.parametrize("name", ["shop:number", "shop:absent", "shop", "nowhere:x", ":"])
def test_what_is_no_profile(pushed, cli, name):
    """
    A wrong name is wrong use of every command that speaks to the back office.
    """
    for command in (PUSH, ("pull",), ("profile", "show"), ("run", "--once")):
        code, _, err = cli(*command, "--profile", name)
        assert (code, f"--profile {name} can't be used" in err) == (2, True)


def test_show(pushed, cli):
    """
    Both profiles are shown, and where they differ.
    """
    code, out, _ = cli("profile", "show", "--profile", "shop:mode")
    document = json.loads(cli("profile", "show", "--profile", "shop:mode", "--json")[1])

    assert (code, "differs" in out) == (0, True)
    assert document["locationId"] == "loc-001"
    assert document["differs"] == ["sales_mode"]
    assert (document["kept"]["sales_mode"], document["given"]["sales_mode"]) == (
        "append",
        "replace_day",
    )


@pytest.mark.case(
    "C1",
    "The back office changed",
    "`conexxus profile change` asks, and keeps the new profile",
)
def test_change(pushed, cli, office, monkeypatch):
    """
    It needs a name and a yes; then the other profile pushes.
    """
    assert cli("profile", "change", "--yes")[0] == 2
    code, _, err = cli("profile", "change", "--profile", "shop:ttl")
    assert (code, "--yes" in err) == (2, True)

    assert cli("profile", "change", "--profile", "shop:ttl", "--yes")[0] == 0
    assert cli(*PUSH)[0] == 2
    assert cli(*PUSH, "--profile", "shop:ttl")[0] == 0
    assert office.requests["sales"] == 2


@pytest.mark.case(
    "C1",
    "The profile is to be changed while a delivery is unknown",
    "It exits with 2, names the batch, and changes nothing",
)
def test_change_while_unknown(pushed, cli, office):
    """
    What is unknown is settled first.
    """
    office.faults("sales: after_commit(reset)")
    assert cli(*PUSH)[0] == 5

    code, _, err = cli("profile", "change", "--profile", "shop:mode", "--yes")

    assert (code, "conexxus outbox resolve" in err) == (2, True)
    assert cli(*PUSH)[0] == 0


def test_doctor_sees_another_profile(pushed, cli):
    """
    `doctor` reports the profile with which a push would be refused.
    """
    code, out, _ = cli("doctor", "--profile", "shop:dedupe", "--json")
    messages = {it["check"]: it["message"] for it in json.loads(out)}

    assert code == 2
    assert "dedupe is none, kept is key" in messages["profile"]
    assert cli("doctor")[0] == 0


def test_status_names_another_profile(pushed, cli):
    """
    While each push is refused, `conexxus status` does not say that all is well.
    """
    code, out, _ = cli("status", "--profile", "shop:mode", "--orders", "sales.ndjson")

    assert code == 0
    assert "Sales can't be pushed." in out
    assert "sales_mode is replace_day, kept is append" in " ".join(out.split())
    assert "All is well" not in out
    assert "can't be pushed" not in cli("status", "--orders", "sales.ndjson")[1]
