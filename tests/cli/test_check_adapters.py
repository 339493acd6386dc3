"""
`conexxus check-adapters` on adapters of a host.
"""

import json
import sys
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.cli._adapters_command import _last_date
from conexxus_sync.testing import ListOrders, OrderSourceContract, sale


MODULE = """
from conexxus_sync.testing import MemoryCatalog


class Strict(MemoryCatalog):
    def apply(self, changes):
        if changes.sequence == self.last_applied(changes.location_id):
            raise ValueError("already applied")
        super().apply(changes)


class Unshown(MemoryCatalog):
    prices = property()


class Here:
    def apply_in(self, connection, changes):
        pass


class Shop:
    async def apply(self, changes):
        print([item.sku async for item in changes.created])
"""


@pytest.fixture(autouse=True)
def shop(shell, monkeypatch):
    """
    A module beside the user.
    """
    (shell.folder / "shop_of_adapters.py").write_text(MODULE)
    monkeypatch.syspath_prepend(shell.folder)
    yield
    sys.modules.pop("shop_of_adapters", None)


def test_storage_that_keeps_all(cli):
    """
    What is kept is said, and that a rule is left out.
    """
    code, out, err = cli(
        "check-adapters", "--catalog", "conexxus_sync.testing:MemoryCatalog", "--yes"
    )

    assert (code, err) == (0, "")
    assert "✓ twice is once: The same changes again, as after a crash, make no difference\n" in out
    assert "- many items in little memory: left out: with --many, it writes 10,000 items\n" in out
    assert "17 kept, 1 not offered" in out


def test_broken_storage(cli):
    """
    What is wrong is said with how to mend it; no other rule is broken.
    """
    code, out, _ = cli("check-adapters", "--catalog", "shop_of_adapters:Strict", "--yes")

    assert code == 1
    assert (
        "✗ twice is once: apply with a sequence that was applied before raised ValueError: "
        "already applied. To mend it, write by upsert, and do not refuse a sequence that was "
        "applied.\n"
    ) in out
    assert "16 kept, 1 broken, 1 not offered" in out


def test_storage_that_shows_nothing(cli):
    """
    Without a method `prices`, what must be visible is not examined.
    """
    code, out, _ = cli("check-adapters", "--catalog", "shop_of_adapters:Unshown", "--yes")

    assert code == 0
    assert "- all or nothing: define prices(): the price of each item that the host offers" in out
    assert "✓ errors are raised" in out


def test_question(cli, monkeypatch, capsys):
    """
    Nothing is written before a yes.
    """
    monkeypatch.setattr("sys.stdin.readline", lambda: "no\n")

    code, out, err = cli("check-adapters", "--catalog", "shop_of_adapters:Shop")

    assert (code, out) == (2, "Nothing was written.\n")
    assert "shop_of_adapters:Shop will write items whose SKUs begin with CX" in err
    assert "use a copy of your database" in err


def test_orders(cli):
    """
    Orders are read, without a question; programs get the rules.
    """
    code, out, _ = cli(
        *("check-adapters", "--orders", "sales.ndjson", "--date", "2026-01-02", "--json")
    )
    (document,) = json.loads(out)
    outcomes = {it["rule"]: it["outcome"] for it in document["rules"]}

    assert code == 0
    assert document["adapter"] == "orders of 2026-01-02"
    assert outcomes["asked date"] == "kept"
    assert set(outcomes.values()) == {"kept"}


def test_date_with_sales():
    """
    Without a date, it is the last one that is over and has two sales.
    """
    rules = OrderSourceContract()
    rules.timezone = ZoneInfo("Europe/Berlin")
    source = ListOrders([])
    day = _last_date(source, rules) - timedelta(3)
    source.add(sale("t1"), sale("t2"), business_date=day)

    assert _last_date(source, rules) == day


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "name what to check: --catalog module:factory, --orders module:factory, or both"),
        (("--catalog", "shop_of_adapters:Here"), "a storage with `apply_in` alone writes into"),
    ],
)
def test_nothing_to_check(cli, options, said):
    """
    What can't be checked is a matter of usage.
    """
    code, _, err = cli("check-adapters", *options)

    assert code == 2
    assert said in err
