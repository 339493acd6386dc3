"""
Arguments and settings that are no UTF-8.
"""

import json

import pytest


ODD = "SKU\udcff"


@pytest.mark.case(
    "D6",
    "an argument or `LOCATION_ID` has bytes that are no UTF-8",
    "exit code 2, with a sentence",
)
@pytest.mark.parametrize("more", [(), ("--json",)])
@pytest.mark.parametrize(
    "command",
    [
        ("why", ODD),
        ("outbox", "show", ODD),
        ("outbox", "resend", ODD),
        ("outbox", "resolve", ODD, "--delivered"),
        ("quarantine", "show", ODD),
        ("quarantine", "replay", ODD),
        ("items", "--changed-since", ODD),
        ("pull", "--accept", ODD),
        ("status", "--location", ODD),
        ("push", "--date", ODD),
        ("--location", ODD, "status"),
    ],
)
def test_arguments(cli, command, more):
    code, out, err = cli(*command, *more)

    assert code == 2
    assert r"SKU\udcff" in err
    assert "UnicodeEncodeError" not in err
    if more and command[0] != "items":
        assert json.loads(out)["problems"]


def test_location(cli, shell, monkeypatch):
    monkeypatch.setenv("LOCATION_ID", ODD)

    code, _, err = cli("status")

    assert (code, "LOCATION_ID has bytes that are no UTF-8" in err) == (2, True)


def test_files(cli, shell):
    """
    The name of a file may be of any bytes.
    """
    name = "caf\udce9.ndjson"
    (shell.folder / "sales.ndjson").rename(shell.folder / name)

    assert cli("push", "--orders", name, "--json")[0] == 0
