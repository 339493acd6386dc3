"""
The commands, where the catalogue comes from a folder of files.
"""

import json
import os

import pytest

from maintenance_files import document, good


@pytest.fixture
def files(bare_shell):
    """
    A folder, and a shell without a back office that names it.
    """
    folder = bare_shell.folder / "inbox"
    folder.mkdir()
    bare_shell.environ.update(
        CONEXXUS_CATALOG_SOURCE=f"naxml:{folder}?dialect=generic&store=7",
        CONEXXUS_TIMEZONE="America/New_York",
        LOCATION_ID="loc-001",
    )
    return folder


@pytest.fixture
def shell(bare_shell, files):
    return bare_shell


def write(folder, name, content):
    (folder / name).write_bytes(content)
    os.utime(folder / name, (1_000_000_000, 1_000_000_000))


def test_pull(cli, files):
    """
    All files that wait are applied; neither URL nor key is needed.
    """
    write(files, "ITT1.xml", document(good(), table="initialize"))
    write(files, "ITT2.xml", document(good(price="2.49")))

    code, out, _ = cli("pull")

    assert code == 0
    assert "  File: ITT2.xml (changes)." in out
    item = json.loads(cli("items", "--json")[1])
    assert (item["sku"], item["price"]) == ("036000291452", 2.49)

    _, out, _ = cli("status")
    assert "Catalogue: 1 item." in out
    assert "Its file was ITT2.xml (changes)." in out
    assert "disabled" not in out

    code, out, _ = cli("run", "--once", "--json")
    assert (code, json.loads(out)) == (0, [])


def test_skip(cli, files):
    """
    A file that can't be used is skipped for good, those after it are applied, and the reason is
    on record; other bytes under its name are read again.
    """
    write(files, "ITT1.xml", document(good(), table="initialize"))
    write(files, "ITT2.xml", b"<NAXML-MaintenanceRequest")
    write(files, "ITT3.xml", document(good(price="2.49")))
    assert cli("pull")[0] != 0

    code, _, error = cli("naxml", "skip", "ITT1.xml")
    assert code == 2
    assert "ITT1.xml is not among the files that wait: the next is ITT2.xml" in error
    code, out, _ = cli("naxml", "skip", "ITT2.xml", "--reason", "cut off")
    said = "ITT2.xml was skipped, and nothing of it applied: cut off"
    assert (code, out) == (0, f"{said}.\n1 file waits: conexxus pull\n")

    assert json.loads(cli("status", "--json")[1])["state"] != "healthy"
    assert "File: ITT3.xml (changes)." in cli("pull")[1]
    assert said in " ".join(cli("runs")[1].split())
    assert json.loads(cli("items", "--json")[1])["price"] == 2.49

    write(files, "ITT2.xml", document(good(price="3.00")))
    assert "File: ITT2.xml (changes)." in cli("pull")[1]


def test_skip_without_a_folder(cli, monkeypatch):
    """
    Where the catalogue comes from the back office, there is no file to skip.
    """
    monkeypatch.delenv("CONEXXUS_CATALOG_SOURCE")

    code, _, error = cli("naxml", "skip", "ITT1.xml", "--create-store")

    assert code == 2
    assert "neither CONEXXUS_CATALOG_SOURCE nor CONEXXUS_SHADOW names a folder" in error


def test_doctor(cli, files):
    """
    It says which file is next, and what is wrong with the folder or the setting.
    """
    write(files, "ITT1.xml", document(good(), table="initialize"))

    code, out, _ = cli("doctor")

    assert code == 0
    assert f"{files}: 1 file to apply, the next is ITT1.xml" in " ".join(out.split())

    cli("pull")
    assert "no complete file waits" in cli("doctor")[1]

    code, out, _ = cli("doctor", "--catalog-source", "naxml:inbox?dialect=cobol&ages=18&x=1")

    said = " ".join(out.split())
    assert code == 2
    assert "--catalog-source must name an absolute path, got 'inbox'" in said
    assert "--catalog-source names the dialect 'cobol': it must be one of generic" in said
    assert "--catalog-source is wrong: ages must be years where it is given, got '18'" in said
    assert "--catalog-source has an option that is not known: x" in said


def test_orders_need_a_back_office(cli, files, shell):
    """
    Sales that could go nowhere are not passed over in silence.
    """
    (shell.folder / "sales.ndjson").write_text("")

    code, _, err = cli("push", "--orders", "sales.ndjson")

    assert code == 2
    assert "CONEXXUS_API_URL is not configured" in err
    code, out, _ = cli("run", "--once", "--orders", "sales.ndjson", "--json")
    assert json.loads(out) == []
    assert "CONEXXUS_API_URL is not configured" in cli("doctor", "--orders", "sales.ndjson")[1]


def test_wrong_setting(cli, files):
    code, _, err = cli("pull", "--catalog-source", "/srv/inbox")

    assert code == 2
    assert "--catalog-source must be naxml:/path?dialect=DIALECT, got '/srv/inbox'" in err
