"""
Shadow mode by commands, and `conexxus cutover`.
"""

import json
import os
from datetime import timedelta

import pytest

from conexxus_sync.model.shadow import ShadowLook
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores.sqlite import SqliteStore
from maintenance_files import document, good


@pytest.fixture
def folder(shell, office):
    """
    A folder whose only item is another at the back office.
    """
    office.catalog = [{"sku": "036000291452", "name": "Cola", "price": 1}]
    folder = shell.folder / "inbox"
    folder.mkdir()
    (folder / "ITT1.xml").write_bytes(document(good(), table="initialize"))
    os.utime(folder / "ITT1.xml", (1_000_000_000, 1_000_000_000))
    shell.environ["CONEXXUS_SHADOW"] = f"naxml:{folder}?dialect=generic"

    return folder


def test_difference(folder, cli):
    """
    The pull is that of the back office; the status says what the files differ in.
    """
    assert f"{folder}: 1 file to apply, the next is ITT1.xml" in cli("doctor")[1]

    code, out, _ = cli("pull")

    assert (code, "ITT1.xml" in out) == (0, False)
    assert "  Files: 1 difference, the first: price: 036000291452, Cola (1.79" in out
    assert "Files: " not in cli("pull", "--plan")[1]
    assert json.loads(cli("items", "--json")[1])["price"] == 1
    said = " ".join(cli("status")[1].split())
    assert "1 difference, the first: price: 036000291452, Cola (1.79 in the files," in said

    code, out, _ = cli("cutover", "loc-001", "--json")

    found = json.loads(out)
    assert (code, found["ready"], found["comparisons"]) == (3, False, 1)
    assert len(found["obstacles"]) == 2


def a_week_of_comparisons(shell):
    """
    Of another location than that of the settings; nothing differs.
    """
    now = SystemClock().now()

    with SqliteStore(shell.folder / "conexxus.db").at("loc-9").write() as state:
        for hours in range(190, 0, -10):
            state.shadow_looks.record(ShadowLook(at=now - timedelta(hours=hours)))


def test_week_without_differences(shell, cli):
    a_week_of_comparisons(shell)

    code, out, _ = cli("cutover", "loc-9")

    assert code == 0
    assert "Location loc-9 can be cut over: files and back office agreed in 19 comp" in out
    assert "Unset CONEXXUS_SHADOW" in out
    assert cli("cutover", "loc-001")[0] == 3


def test_location_of_the_settings(shell, cli):
    """
    Without a location, the one of the settings is meant, as for other commands.
    """
    a_week_of_comparisons(shell)

    code, out, _ = cli("cutover", "--location", "loc-9")

    assert (code, "Location loc-9 can be cut over: " in out) == (0, True)


def test_wrong_setting(cli):
    code, _, err = cli("pull", "--shadow", "inbox")

    assert (code, "--shadow must be naxml:/path?dialect=DIALECT" in err) == (2, True)


def test_skip_file(folder, cli):
    """
    A file that can't be read stops the comparisons until it is skipped.
    """
    (folder / "ITT2.xml").write_bytes(b"<NAXML-MaintenanceRequest")
    os.utime(folder / "ITT2.xml", (1_000_000_000, 1_000_000_000))
    cli("pull")
    assert "could not be compared: ITT2.xml: " in " ".join(cli("status")[1].split())

    code, out, _ = cli("naxml", "skip", "ITT2.xml", "--reason", "cut off")

    assert (code, out.splitlines()[0]) == (
        0,
        "ITT2.xml was skipped, and nothing of it applied: cut off.",
    )
    cli("pull")
    assert "1 difference, the first: price: " in " ".join(cli("status")[1].split())
