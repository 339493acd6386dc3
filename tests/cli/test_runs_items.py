import csv
import io
import json
import sys
from datetime import datetime
from decimal import Decimal

import pytest


@pytest.fixture
def stocked(cli, office):
    """
    After a pull with one item set aside.
    """
    office.catalog = [
        {"sku": "A1", "name": "Anchovies", "price": Decimal("3.990"), "shelf": 7},
        {"sku": "B2", "name": "Bread, sliced", "price": Decimal("1E+1"), "category": "Bakery"},
        b'{"sku":"C3","name":"Cheese","price":-1}',
    ]
    code, _, _ = cli("pull")
    assert code == 3
    return cli


def test_items_are_ndjson_with_the_digits_received(stocked):
    """
    Each line is an item of the wire contract; the price is a number with the
    digits received, and foreign keys are there.
    """
    _, out, _ = stocked("items", "--json")

    first, second = out.splitlines()
    assert '"price":3.990' in first
    assert json.loads(first) == {"sku": "A1", "name": "Anchovies", "price": 3.99, "shelf": 7}
    assert json.loads(second)["price"] == 10


def test_items_as_csv(stocked):
    """
    The table for spreadsheets quotes what needs it.
    """
    _, out, _ = stocked("items", "--csv")

    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["name"] for row in rows] == ["Anchovies", "Bread, sliced"]
    assert rows[0]["price"] == "3.990"


CASE = pytest.mark.case(
    "E15",
    "formulas after a line feed, in full width or behind `;`; U+009B; the key in another variable",
    "they are quoted in CSV and escaped in JSON, and the key is redacted wherever it is printed",
)


@CASE
def test_csv_starts_no_program(cli, office):
    """
    What a spreadsheet would take for a formula is text; prices are numbers.
    """
    office.catalog = [
        {"sku": "@SUM(A1)", "name": "=cmd|'/c calc'!A0", "price": 1, "category": "+1"},
        {"sku": "A", "name": "\tx", "price": 2, "category": "-1", "description": "\r=1"},
        {"sku": "B", "name": "\n=1", "price": 3, "category": "x;=1", "description": "\uff1d1"},
    ]
    cli("pull")

    _, out, _ = cli("items", "--csv")

    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [list(row.values()) for row in rows] == [
        ["'@SUM(A1)", "'=cmd|'/c calc'!A0", "1", "'+1", ""],
        ["A", "'\tx", "2", "'-1", "'\r'=1"],
        ["B", "'\n'=1", "3", "x;'=1", "'\uff1d1"],
    ]


@CASE
def test_json_can_not_steer_the_terminal(cli, office):
    """
    What a terminal would take for a command is an escape, of the same meaning.
    """
    office.catalog = [{"sku": "X", "name": "a\x9b2J\u202e", "price": 1}]
    cli("pull")

    _, out, _ = cli("items", "--json")

    assert "\x9b" not in out
    assert json.loads(out)["name"] == "a\x9b2J\u202e"


@CASE
def test_key_in_another_variable(cli, monkeypatch):
    """
    Pasted into another variable, the key is redacted in text, JSON and errors.
    """
    monkeypatch.setenv("CONEXXUS_API_KEY", "k3y-0123456789")
    monkeypatch.setenv("LOCATION_ID", "k3y-0123456789")

    shown = [*cli("runs"), *cli("status"), *cli("status", "--json"), *cli("why", "k3y-0123456789")]

    assert "k3y-0123456789" not in "".join(map(str, shown))
    assert "***" in "".join(map(str, shown))


def test_csv_can_not_steer_the_terminal(cli, office, monkeypatch):
    """
    On a terminal, what is no print is an escape; in a file it is as it was.
    """
    office.catalog = [{"sku": "X", "name": "a\x1b[2J\r\n\u202e", "price": 1}]
    cli("pull")

    _, in_file, _ = cli("items", "--csv")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, on_screen, _ = cli("items", "--csv")

    assert "a\x1b[2J" in in_file
    assert on_screen.splitlines()[1] == '"X","a\\x1b[2J\\r\\n\\u202e",1,"",""'


def test_csv_says_what_is_gone(stocked, office):
    """
    With `--all`, a column says since when an item is gone.
    """
    office.catalog = office.catalog[:1]
    stocked("pull")

    _, out, _ = stocked("items", "--csv", "--all")

    rows = {row["sku"]: row["missing_since"] for row in csv.DictReader(io.StringIO(out))}
    assert rows["A1"] == ""
    assert datetime.fromisoformat(rows["B2"])


@pytest.mark.parametrize("command", [("status",), ("runs",), ("items",), ("quarantine", "list")])
def test_a_missing_store_is_told(shell, command):
    """
    Where there is no store, that is said each time, and none is made.
    """
    (shell.folder / "conexxus.db").unlink()
    first, second = shell.run(*command), shell.run(*command)

    for done in (first, second):
        assert f"There is no store at {shell.folder / 'conexxus.db'}" in done.stderr
    assert not (shell.folder / "conexxus.db").exists()


def test_items_that_are_gone_are_shown_on_request(stocked, office):
    """
    What the back office no longer sells is hidden, but not forgotten.
    """
    office.catalog = office.catalog[:1]
    stocked("pull")

    assert [line.split()[0] for line in stocked("items")[1].splitlines()] == ["A1"]
    assert "B2" in stocked("items", "--all")[1]


def test_items_changed_since_a_run(stocked, office):
    """
    Only what came or changed after that run is printed.
    """
    _, out, _ = stocked("runs", "--json")
    first = json.loads(out)[0]["id"]
    office.catalog = [*office.catalog, {"sku": "D4", "name": "Dill", "price": 1}]
    stocked("pull")

    _, out, _ = stocked("items", "--changed-since", first)

    assert [line.split()[0] for line in out.splitlines()] == ["D4"]


def test_runs_are_listed_latest_first(stocked):
    """
    Runs are an array; kind and limit narrow it.
    """
    stocked("push", "--orders", "sales.ndjson", "--date", "2026-01-02")

    runs = json.loads(stocked("runs", "--json")[1])

    assert [run["kind"] for run in runs] == ["sales", "inventory"]
    assert json.loads(stocked("runs", "--json", "--limit", "1")[1]) == runs[:1]
    assert json.loads(stocked("runs", "--json", "--kind", "inventory")[1]) == runs[1:]
    assert "2 sales, 7.30" in stocked("runs")[1]


def test_quarantine_shows_reason_and_raw_item(stocked):
    """
    What was set aside is shown with its reason, as it came.
    """
    _, out, _ = stocked("quarantine", "list")
    (entry,) = json.loads(stocked("quarantine", "list", "--json")[1])

    assert "C3" in out
    assert "Item has invalid price" in out
    assert entry["item"] == "C3"
    assert json.loads(entry["raw"]) == {"sku": "C3", "name": "Cheese", "price": -1}


def test_quarantine_shows_sales_too(stocked, tmp_path):
    """
    A sale that can't be sent is listed beside the items, with its date.
    """
    other_day = {
        "id": "t9",
        "timestamp": "2026-01-02T15:00:00Z",
        "total": 1.00,
        "items": [{"sku": "A1", "quantity": 1, "price": 1.00}],
    }
    changed = other_day | {"total": 2.00}
    lines = [json.dumps(sale) + "\n" for sale in (other_day, changed)]
    (tmp_path / "twice.ndjson").write_text("".join(lines))
    stocked("push", "--orders", "twice.ndjson", "--date", "2026-01-02")

    out = stocked("quarantine", "list")[1]
    entries = json.loads(stocked("quarantine", "list", "--json")[1])

    sale = next(entry for entry in entries if entry["kind"] == "transaction")
    assert (sale["item"], sale["businessDate"]) == ("t9", "2026-01-02")
    assert any(line.startswith("sale") and "t9" in line for line in out.splitlines())


def test_status_says_how_things_are(stocked):
    """
    Status speaks in sentences, and has the health document for programs.
    """
    _, out, _ = stocked("status")
    document = json.loads(stocked("status", "--json")[1])

    assert "Catalogue: 2 items" in out
    assert (document["status"], document["lastSyncStatus"]) == ("healthy", "partial")
    assert (document["items"], document["quarantined"]) == (2, 1)


def test_status_works_without_a_back_office(cli, monkeypatch):
    """
    Not configured is a state, not an error.
    """
    monkeypatch.delenv("CONEXXUS_API_KEY")

    code, out, _ = cli("status", "--json")

    assert (code, json.loads(out)["status"]) == (0, "disabled")


def test_plan_changes_nothing(cli, office):
    """
    A plan tells the counts of the real run, and leaves the mirror alone.
    """
    code, out, _ = cli("pull", "--plan", "--json")

    run = json.loads(out)
    assert (code, run["planned"], run["created"]) == (0, True, 30)
    assert cli("items")[1] == ""


def test_host_storage_from_the_command_line(cli, shell):
    """
    `--catalog` wires in the host's own storage.
    """
    (shell.folder / "my_storage.py").write_text(
        "class Storage:\n"
        "    def apply(self, changes):\n"
        "        print(f'sequence {changes.sequence}: {len(changes.created)} new')\n"
    )

    _, out, _ = cli("pull", "--catalog", "my_storage:Storage")

    assert "sequence 1: 30 new" in out


def test_reapply_hands_everything_over_again(cli, shell):
    """
    `--reapply` gives the host's storage the whole catalogue once more.
    """
    (shell.folder / "my_other_storage.py").write_text(
        "class Storage:\n"
        "    def apply(self, changes):\n"
        "        items = len(changes.created) + len(changes.updated)\n"
        "        print(f'sequence {changes.sequence}: {items} items')\n"
    )
    pull = ("pull", "--catalog", "my_other_storage:Storage")

    first, again, reapplied = cli(*pull)[1], cli(*pull)[1], cli(*pull, "--reapply")[1]

    assert "sequence 1: 30 items" in first
    assert "sequence" not in again
    assert "sequence 2: 30 items" in reapplied


def test_sales_from_the_hosts_own_source(cli, shell, office):
    """
    `--orders module:factory` wires in the host's own order source.
    """
    (shell.folder / "my_orders.py").write_text(
        "from datetime import datetime, UTC\n"
        "from decimal import Decimal\n"
        "from conexxus_client import Transaction\n"
        "class Orders:\n"
        "    def transactions(self, location_id, business_date):\n"
        "        at = datetime(2026, 1, 2, 20, tzinfo=UTC)\n"
        "        yield Transaction(id=location_id, timestamp=at, total=Decimal('1.50'), items=[])\n"
    )

    code, out, _ = cli("push", "--orders", "my_orders:Orders", "--date", "2026-01-02")

    assert (code, office.effective_batches) == (0, [{"loc-001"}])
    assert "Sales of 2 January 2026: 1 sale, 1.50, accepted" in out


def test_foreign_text_can_not_steer_the_terminal(cli, office):
    """
    Names from the back office are printed without control characters.
    """
    office.catalog = [{"sku": "X", "name": "\x1b[2J\x07red\u202e", "price": 1}]
    cli("pull")

    _, out, _ = cli("items")

    assert "\x1b" not in out
    assert "\\x1b[2J\\x07red\\u202e" in out
