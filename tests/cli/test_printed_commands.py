"""
A printed command works as it is printed.
"""

import json
import logging
import re
import shlex
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from setting_samples import SAMPLES

from conexxus_client.settings import SETTINGS
from conexxus_sync.cli._arguments import plain_invocation
from conexxus_sync.cli._command_table import COMMANDS
from conexxus_sync.cli._logs import TextFormatter
from conexxus_sync.cli._printed_commands import complete_with, completed


ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def forget():
    yield
    complete_with({})


def printed(text):
    """
    The commands in what was printed, without the first word.
    """
    return [shlex.split(it) for it in re.findall(r"(?<![\w/.-])conexxus ([a-z][^`\n]*)", text)]


def parked(cli, office, *options):
    """
    Push a date whose batch is of unknown fate then; what was printed.
    """
    office.faults('sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")')
    code, out, err = cli("push", "--date", "2026-01-02", *options)
    assert code == 5
    return out + err


@pytest.mark.case(
    "D9",
    "a command, an amount or a moment is printed",
    "the command works as printed, with the options of this call and none that a setting makes "
    "unnecessary; 1 sale, 10.50; text logs are in store time with its zone",
)
def test_with_the_options_of_the_call(cli, shell, office):
    """
    Each command that a push prints, and each that these print, works, though
    store, location and file were given as options with spaces.
    """
    (shell.folder / "my sales.ndjson").write_text((shell.folder / "sales.ndjson").read_text())
    options = ["--store", f"sqlite:///{shell.folder}/my store.db", "--location", "loc 7"]
    orders = ["--orders", "my sales.ndjson"]

    said = parked(cli, office, *options, *orders, "--create-store")
    (resolve,) = [it for it in printed(said) if it[:2] == ["outbox", "resolve"]][:1]
    why = cli("why", "t1", *options)[1]
    shown = cli(*printed(why)[0])[1]
    ((_, _, key, *_), other) = printed(shown)

    assert "1 sale" not in said
    assert resolve[-1] == "--delivered"
    assert {"--store", "--location"} <= {*resolve}
    assert (other[:3], other[-1]) == (["outbox", "resolve", key], "--not-delivered")
    for command in (printed(shown)[1], printed(cli("push", *options, *orders)[1])[-1]):
        filled = [it.replace("DATE", "2026-01-02") for it in command]
        code, _, err = cli(*filled)
        assert code == 0, err
    assert {entry.id for entry in office.ledger.transactions()} == {"t1", "t2"}


def test_set_by_settings(cli, shell, monkeypatch):
    """
    What a variable says stands in no command: neither the order source nor the store.
    """
    monkeypatch.setenv("CONEXXUS_ORDERS", "sales.ndjson")

    for command in (("push",), ("push", "--date", "2026-01-02"), ("status",)):
        code, out, err = cli(*command, "--log-format", "text")
        assert code == 0
        assert "ORDERS" not in out + err.replace("CONEXXUS_ORDERS", "")
        assert "conexxus push" in out + err or command == ("status",)


def test_set_by_settings_in_json(cli, shell, monkeypatch):
    """
    The log in JSON has the same commands, and so have alerts.
    """
    monkeypatch.setenv("CONEXXUS_ORDERS", "sales.ndjson")
    monkeypatch.setenv("CONEXXUS_SALES_SINCE", "2026-01-02")

    _, out, _ = cli("status", "--json")
    _, _, err = cli("push", "--date", "2026-01-02", "--log-format", "json")

    assert "conexxus push --since 2026-" in out
    assert "conexxus push --adopt-through 2026-01-02" in err
    assert "--orders ORDERS" not in err + out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option(command):
    """
    Whatever a command was given, each printed command has those of its options
    that it takes, is taken by the command line, and says the same.
    """
    given = {it.variable: SAMPLES[it.key] for it in SETTINGS if not it.is_secret}
    complete_with(given)

    (words,) = printed(completed(f"See `conexxus {command} --json` and others."))
    (again,) = printed(completed(f"`{shlex.join(['conexxus', *words])}`"))

    assert again == words
    tried = (plain_invocation([*words, *["x"] * count]) for count in range(3))
    found = next(filter(None, tried))
    assert found.settings.items() <= given.items()
    assert found.settings


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("is `conexxus run` running?", "is `conexxus run --store 'a b'` running?"),
        ("`conexxus pull --store x`", "`conexxus pull --store x`"),
        ("/opt/conexxus run", "/opt/conexxus run"),
        ("conexxus is no command", "conexxus is no command"),
    ],
)
def test_texts(text, wanted):
    """
    Only commands are changed, and no option comes twice.
    """
    complete_with({"CONEXXUS_STORE": "a b"})

    assert completed(text) == wanted


def test_quoted_name(cli):
    """
    A name in a command is quoted, and not cut.
    """
    name = "t 1 " * 30

    _, _, err = cli("outbox", "accept-discrepancy", name)

    assert ["why", name] in printed(err)


def test_store_time_in_text_logs(cli, monkeypatch):
    """
    A log in text has the store's time with the name of its zone, whatever the
    system's, and amounts with two decimals.
    """
    monkeypatch.setenv("TZ", "UTC")

    _, _, err = cli(
        *("push", "--orders", "sales.ndjson", "--date", "2026-01-02", "--log-format", "text")
    )

    assert re.search(r"(?m)^\d\d:\d\d:\d\d E[SD]T info ", err)
    assert "total=7.30" in err
    record = logging.makeLogRecord({"msg": "x", "total": Decimal("10.5")})
    record.created = datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp()
    assert "total=10.50" in TextFormatter().format(record)


def test_one_of_each(cli, shell, office):
    """
    One sale is a sale, and its amount has two decimals, in every list.
    """
    line = json.loads((shell.folder / "sales.ndjson").read_text().splitlines()[0])
    line["items"] = [{"sku": "SKU001", "quantity": 1, "price": 10.5}]
    (shell.folder / "sales.ndjson").write_text(json.dumps({**line, "total": 10.5}) + "\n")

    said = parked(cli, office, "--orders", "sales.ndjson")
    said += cli("outbox", "list")[1] + cli("outbox", "dates", "--since", "2026-01-02")[1]
    said += cli("outbox", "resolve", "--all", "--delivered")[1] + cli("status")[1]

    assert "10.50" in said
    assert not re.search(r"\b10\.5\b", said)
    assert not re.search(r"\b1 (sales|transactions|batches|dates|times)\b", said)


def test_documented_commands():
    """
    A command of a page is copied as it is: without a prompt.
    """
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    pages += (ROOT / "src").rglob("runbooks/*.md")

    found = [page.name for page in pages if re.search(r"(?m)^\s*\$ ", page.read_text())]

    assert found == []
