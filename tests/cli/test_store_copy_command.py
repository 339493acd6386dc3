"""
Facts about `conexxus store copy` in a shell: pull and push go on with the copy.
"""

import json

import pytest
from databases import other_database, url_of


PUSH = ("push", "--orders", "sales.ndjson", "--date")


@pytest.fixture
def target(tmp_path):
    """
    The URL of a PostgreSQL.
    """
    with other_database():
        return url_of(tmp_path / "to")


def test_next_push_sends_nothing(shell, cli, office, target):
    """
    Neither after the copy nor after the copy back.
    """
    assert cli("pull")[0] == 0
    assert cli(*PUSH, "2026-01-02")[0] == 0
    sent = [sale.id for sale in office.ledger.sales("loc-001")]
    back = f"sqlite:///{shell.folder}/back.db"

    for source, url in ((shell.store, target), (target, back)):
        code, out, _ = cli("store", "copy", source, url)
        assert (code, "compared one by one" in out) == (0, True)
        assert cli(*PUSH, "2026-01-02", "--store", url)[0] == 0
        assert [sale.id for sale in office.ledger.sales("loc-001")] == sent

    code, _, err = cli(*PUSH, "2026-01-03")
    assert (code, "the store was moved to postgresql://" in err) == (1, True)
    assert "the store was moved to postgresql://" in cli("doctor")[1]
    assert cli(*PUSH, "2026-01-03", "--store", back)[0] == 0
    assert len(office.ledger.sales("loc-001")) == 3


def test_json(shell, cli, target):
    """
    One document, with the rows of each table; the second copy finds the first.
    """
    assert cli("pull")[0] == 0

    codes, documents = [], []
    for _ in range(2):
        code, out, _ = cli("store", "copy", shell.store, target, "--json")
        codes.append(code)
        documents.append(json.loads(out))

    assert codes == [0, 0]
    assert [it["wasThere"] for it in documents] == [False, True]
    assert documents[0]["rows"] == documents[1]["rows"]
    assert documents[0]["rows"]["items"] == 30
    assert documents[0]["store"] == f"{shell.folder}/conexxus.db"
    assert documents[0]["target"].startswith("postgresql://")


def test_no_password_is_shown(shell, cli):
    """
    Not of a target that can't be reached either.
    """
    url = "postgresql://pos:sesame@127.0.0.1:1/shop"

    code, out, err = cli("store", "copy", shell.store, url)

    assert (code, "127.0.0.1:1/shop" in err, "sesame" in out + err) == (1, True, False)
