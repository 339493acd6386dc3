"""
Facts about `conexxus store`: backup, restore and check in a shell.
"""

import json
import shutil

import pytest

from conexxus_sync.stores.sqlite._migrations import latest_version


PUSH = ("push", "--orders", "sales.ndjson", "--date")


@pytest.fixture
def pushed(shell, cli):
    """
    A shell whose store has a catalogue and the sales of one date.
    """
    assert cli("pull")[0] == 0
    assert cli(*PUSH, "2026-01-02")[0] == 0
    return shell


@pytest.mark.case(
    "E3",
    "A store is restored by `conexxus store restore`, with sales pushed since the backup",
    "`conexxus push` exits with 2 until `--adopt-through` says what the back office has",
)
def test_restored_store_waits(pushed, cli, office):
    """
    What was sent since is not sent again.
    """
    assert cli("store", "backup", "backup.db")[0] == 0
    assert cli(*PUSH, "2026-01-03")[0] == 0
    before = [sale.id for sale in office.ledger.sales("loc-001")]

    code, out, _ = cli("store", "restore", "backup.db", "--overwrite")
    assert code == 0
    assert "Pushes of loc-001 wait" in out
    assert "conexxus push --orders ORDERS --adopt-through DATE" in out

    code, _, err = cli(*PUSH, "2026-01-03")
    assert (code, "restored from a backup" in err) == (2, True)
    adopt = ("push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-03")
    assert cli(*adopt)[0] == 0
    cli(*PUSH, "2026-01-03")

    assert [sale.id for sale in office.ledger.sales("loc-001")] == before == ["t1", "t2", "t3"]


@pytest.mark.case(
    "E3",
    "A backup is restored to another computer, without the file of freezes",
    "Pushes wait there, too",
)
def test_restored_elsewhere(pushed, cli, tmp_path):
    """
    Where the file is missing, the restore writes it.
    """
    assert cli("store", "backup", "backup.db")[0] == 0
    (tmp_path / "new").mkdir()
    store = f"sqlite:///{tmp_path}/new/conexxus.db"

    assert cli("store", "restore", "backup.db", "--store", store)[0] == 0

    code, _, err = cli(*PUSH, "2026-01-03", "--store", store)
    assert (code, "restored from a backup" in err) == (2, True)


def test_json(pushed, cli):
    """
    One document each.
    """
    store, copy = (str(pushed.folder / name) for name in ("conexxus.db", "backup.db"))

    code, out, _ = cli("store", "backup", "backup.db", "--json")
    made = json.loads(out)
    assert (code, made.pop("bytes") > 100_000, made) == (0, True, {"store": store, "file": copy})

    code, out, _ = cli("store", "check", "backup.db", "--json")
    assert (code, json.loads(out)) == (
        0,
        {
            "store": copy,
            "sound": True,
            "schemaVersion": latest_version(),
            "applicationId": 0x434E5853,
            "problems": [],
            "locations": [{"locationId": "loc-001", "items": 30, "sales": 2, "batches": 1}],
        },
    )

    code, out, _ = cli("store", "restore", "backup.db", "--overwrite", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"store": store, "file": copy, "heldLocations": ["loc-001"]},
    )


def test_text(pushed, cli):
    """
    What is in the store, and whether it is sound.
    """
    code, out, _ = cli("store", "check")

    assert code == 0
    assert out.splitlines()[1].split() == ["location", "items", "sales", "batches"]
    assert out.splitlines()[2].split() == ["loc-001", "30", "2", "1"]
    assert out.splitlines()[-1] == "It is sound."


def test_damaged_store(pushed, cli):
    """
    It exits with 1, and names each problem.
    """
    with (pushed.folder / "conexxus.db").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)

    code, out, _ = cli("store", "check")
    assert (code, "problem" in out.splitlines()[-1]) == (1, True)

    code, out, _ = cli("store", "check", "--json")
    found = json.loads(out)
    assert (code, found["sound"], bool(found["problems"])) == (1, False, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backup", "there.db"], "there is a file"),
        (["backup", "conexxus.db", "--overwrite"], "is the store itself"),
        (["restore", "there.db"], "say --overwrite"),
        (["restore", "missing.db"], "there is no backup"),
        (["check", "missing.db"], "there is no store at"),
        (["backup", "new.db", "--store", "sqlite:///missing.db"], "There is no store at"),
        (["check", "--store", "sqlite:///missing.db"], "There is no store at"),
    ],
)
def test_wrong_use(pushed, cli, arguments, said):
    """
    It exits with 2, and creates no store.
    """
    shutil.copy(pushed.folder / "conexxus.db", pushed.folder / "there.db")
    before = {file.name for file in pushed.folder.iterdir()}

    code, _, err = cli("store", *arguments)

    assert (code, said in err) == (2, True), err
    assert {file.name for file in pushed.folder.iterdir()} == before


def test_refused_restore(pushed, cli):
    """
    A backup that is none exits with 1.
    """
    (pushed.folder / "backup.db").write_text("a shopping list" * 99)

    code, _, err = cli("store", "restore", "backup.db", "--overwrite")

    assert (code, "is not restored" in err) == (1, True)


@pytest.mark.parametrize("backup", [True, False])
def test_what_the_message_advises(pushed, cli, office, backup):
    """
    What the message of a damaged store advises mends it, and sends no sale again.
    """
    assert cli("store", "backup", "backup.db")[0] == 0
    before = [sale.id for sale in office.ledger.sales("loc-001")]
    store = pushed.folder / "conexxus.db"
    with store.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (store.stat().st_size - 4096))
    adopt = ("push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-02")

    code, _, err = cli(*adopt)
    assert (code, "malformed. It is damaged" in err) == (1, True)
    assert err.index("conexxus store restore BACKUP --overwrite") < err.index("--adopt-through")

    if backup:
        assert cli("store", "restore", "backup.db", "--overwrite")[0] == 0
        assert cli(*adopt)[0] == 0
    else:
        store.rename(pushed.folder / "damaged.db")
        assert cli(*adopt, "--create-store")[0] == 0
    cli(*PUSH, "2026-01-02")

    assert [sale.id for sale in office.ledger.sales("loc-001")] == before
