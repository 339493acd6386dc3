"""
Each command that a message, a runbook or the page names does its work, on a store
and a back office in the state that has it printed.
"""

import json
import shlex
from decimal import Decimal

import pytest
from messages import commands, settings
from setting_samples import SAMPLES

import maintenance_files
from conexxus_client.settings import BY_VARIABLE, OTHER_VARIABLES


DAY = "2026-01-02"
SHOP = """
class Storage:
    def apply(self, changes):
        pass
"""

# An answer that says success, and of more sales than there were.
UNKNOWN = 'sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")'

# They need an answer of the back office or of a person, or the file of a fleet, and
# have tests of their own.
ELSEWHERE = {
    "sandbox",
    "doctor --webhook",
    "fleet run",
    "fleet run X",
    "fleet accept RUN",
    "fleet accept X FILE --location X",
    "fleet pull FILE --plan --location X",
}


@pytest.fixture
def troubled(cli, shell, office, monkeypatch):
    """
    A store with a bad item, a sale that was refused, one that changed since, a
    planned pull, a backup, and on request a batch of unknown fate.

    Gives what the words in capitals stand for.
    """
    (shell.folder / "state_shop.py").write_text(SHOP)
    orders = shell.folder / "sales.ndjson"
    monkeypatch.syspath_prepend(str(shell.folder))
    monkeypatch.setenv("CONEXXUS_ORDERS", "sales.ndjson")
    monkeypatch.setenv("CONEXXUS_PROFILE", "default")

    def make(*, parked):
        office.catalog = [*office.catalog, {"sku": "BAD", "name": "Bad", "price": "free"}]
        assert cli("pull")[0] == 3
        if parked:
            office.faults(UNKNOWN)
            assert cli("push", "--date", DAY)[0] == 5
            return json.loads(cli("outbox", "list", "--json")[1])[0]["key"][:17], None

        office.reject = {"t2": "unknown SKU"}
        assert cli("push", "--date", DAY)[0] == 3
        orders.write_text(orders.read_text().replace("4.20", "5.20").replace("2.10", "2.60"))
        cli("push", "--date", DAY)
        assert cli("store", "backup", "backup.db")[0] == 0
        item = next(it for it in office.catalog if it["sku"] == "SKU001")
        item["price"] += Decimal("0.10")
        return None, json.loads(cli("pull", "--plan", "--json")[1])["id"]

    return make


def filled(words, key, run):
    """
    *words*, with what those in capitals stand for.
    """
    name = " ".join(words[:2])
    sale = "t1" if name in ("outbox accept-discrepancy", "why TRANSACTION") else "t2"
    replaced = {
        "ORDERS": "sales.ndjson",
        "CATALOG": "state_shop:Storage",
        "DATE": DAY,
        "FILE": "ITT.xml",
        "BACKUP": "backup.db",
        "TRANSACTION": sale,
        "SKU": "BAD",
        "RUN": run,
        "KEY": key or "BAD",
        "X": key or (run if "--accept" in words else DAY),
    }

    return [replaced.get(word) or word for word in words]


@pytest.mark.parametrize("command", sorted({*commands()} - ELSEWHERE))
def test_command(cli, shell, troubled, command):
    """
    It does its work, and no word of it is wrong.
    """
    words = shlex.split(command)
    key, run = troubled(parked=words[:2] in (["outbox", "resend"], ["outbox", "resolve"]))
    good = {"sku": "BAD", "name": "Good", "price": 1}
    (shell.folder / "corrected.json").write_text(json.dumps(good))
    (shell.folder / "ITT.xml").write_bytes(maintenance_files.document(maintenance_files.good()))
    more = {"run": ["--once"], "profile change": ["--yes"], "outbox resend": ["--force"]}
    asked = more.get(" ".join(words[:2]), more.get(words[0], []))
    if words == ["outbox", "show", "KEY"]:
        key = json.loads(cli("outbox", "list", "--all", "--json")[1])[0]["key"]

    code, out, err = cli(*filled(words, key, run), *asked)

    # 3: the bad item, or the refused sale, is still there.
    assert code in (0, 3), out + err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", sorted({*settings()} - {*OTHER_VARIABLES}))
def test_setting(cli, shell, monkeypatch, name):
    """
    A variable that a message names can be set: it is taken, and counts.
    """
    file, variable = shell.folder / "given", name.removesuffix("_FILE")

    if name == "CONEXXUS_CONFIG":
        file.write_text("lookback_days = 3")
        variable = "CONEXXUS_LOOKBACK_DAYS"
    elif name == "CONEXXUS_API_KEY_FILE":
        file.write_text("another-key")
        monkeypatch.delenv(variable)
    else:
        variable = name
    setting = BY_VARIABLE[variable]
    monkeypatch.setenv(name, SAMPLES[setting.key] if variable == name else str(file))

    code, out, err = cli("config", "show", "--json")

    assert code == 0, err
    (origin,) = [it["origin"] for it in json.loads(out) if it["variable"] == variable]
    assert origin == (f"lookback_days in {file}" if name == "CONEXXUS_CONFIG" else name)
