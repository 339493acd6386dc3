"""
What `conexxus status` says.
"""

import json

import pytest


def status(cli):
    """
    Exit code, sentences and document.
    """
    code, out, _ = cli("status")

    return code, out, json.loads(cli("status", "--json")[1])


def test_nothing_was_pulled(cli):
    """
    All is not well where nothing ever happened.
    """
    code, out, document = status(cli)

    assert (code, document["items"]) == (0, 0)
    assert "nothing was pulled yet." in out


def test_all_is_well(cli):
    """
    After a good pull, it is.
    """
    cli("pull")

    _, out, document = status(cli)

    assert "all is well." in out
    assert (document["quarantined"], document["unknownBatches"]) == (0, 0)


@pytest.mark.parametrize(
    ("fault", "key", "alert"),
    [
        ("after_commit(reset)", "unknownBatches", "1 batch of sales of unknown fate"),
        ("422", "quarantinedSales", "1 sale set aside"),
    ],
)
def test_what_became_of_sales(cli, office, fault, key, alert):
    """
    It needs no order source to know that a sale waits for somebody.
    """
    cli("pull")
    office.faults(f"sales: {fault}")
    cli("push", "--date", "2026-01-03", "--orders", "sales.ndjson")

    _, out, document = status(cli)

    assert (document[key], document["sales"]["enabled"]) == (1, False)
    assert "all is well" not in out
    assert alert in out


def test_quarantine_is_all_that_was_set_aside(cli, office):
    """
    Items and sales, as `conexxus quarantine list` shows them.
    """
    office.catalog = [*office.catalog, {"sku": "BAD", "name": "b", "price": "free"}]
    cli("pull")
    office.faults("sales: 422")
    cli("push", "--date", "2026-01-03", "--orders", "sales.ndjson")

    _, _, document = status(cli)

    assert (document["quarantined"], document["quarantinedSales"]) == (2, 1)


def test_lines_that_do_not_add_up(cli, shell):
    """
    They are counted and shown, and all is well.
    """
    sales = shell.folder / "sales.ndjson"
    sales.write_text(sales.read_text().replace('"total":-3.10', '"total":-3.41'))
    cli("pull")
    cli("push", "--date", "2026-01-03", "--orders", "sales.ndjson")

    _, out, document = status(cli)

    assert document["mismatchedSales"] == 1
    assert "Lines do not add up to the total in 1 sale." in out
    assert "all is well." in out


def test_store_that_can_not_be_read(cli, shell):
    """
    It says so, and fails.
    """
    (shell.folder / "conexxus.db").write_text("This is no database, but long enough. " * 9)

    code, out, document = status(cli)

    assert (code, document["status"], document["lastSyncStatus"]) == (1, "unhealthy", None)
    assert "no SQLite database" in out
