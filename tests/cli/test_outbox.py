"""
Facts about the commands that settle sales by hand and tell what became of
them.
"""

import json

import pytest


def push(console, *options):
    return console.run("push", "--orders", "sales.ndjson", "--date", "2026-01-02", *options)


@pytest.fixture
def parked(console, office):
    """
    The key of a batch that the back office and we disagree about.
    """
    office.faults('sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")')
    assert push(console).returncode == 5
    (batch,) = console.json("outbox", "list")

    return batch["key"]


def test_nothing_waits(console):
    """
    Where everything is settled, the outbox says so.
    """
    done = console.run("outbox", "list")

    assert (done.returncode, done.stdout) == (0, "Nothing waits: every batch is settled.\n")
    assert console.json("outbox", "list", "--all") == []


def test_shown(console, parked):
    """
    A batch is listed and shown with what it is, what was answered, and what
    to do; its key may be shortened.
    """
    listed = console.run("outbox", "list").stdout
    shown = console.run("outbox", "show", parked[:17]).stdout
    (batch,) = console.json("outbox", "list")

    assert parked[:17] in listed
    assert "unknown, parked" in listed
    assert "accepted 7 of 2" in shown
    assert "t1, t2" in shown
    assert (batch["state"], batch["total"], batch["attempts"]) == ("unknown", "7.30", 1)
    assert console.json("outbox", "show", parked)["transactionIds"] == ["t1", "t2"]


def test_resolved(console, office, parked):
    """
    What the back office says it has is marked; the rest goes anew.
    """
    assert console.run("outbox", "resolve", parked).returncode == 2

    resolved = console.run("outbox", "resolve", parked, "--not-delivered")
    assert (resolved.returncode, "new batch" in resolved.stdout) == (0, True)
    assert push(console).returncode == 0

    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]
    again = console.run("outbox", "resolve", parked, "--delivered")
    assert (again.returncode, "its fate is known" in again.stderr) == (2, True)


def test_resent(console, office, parked):
    """
    The same bytes go under the same key with the next push.
    """
    assert console.run("outbox", "resend", parked).returncode == 0
    assert push(console).returncode == 0

    assert [push.key for push in office.ledger.pushes] == [parked]


def test_unknown_key(console):
    """
    A key that there is not is a wrong use of the command.
    """
    done = console.run("outbox", "resend", "nobody")

    assert (done.returncode, "no batch has the key nobody" in done.stderr) == (2, True)


def test_why_a_sale(console, parked):
    """
    Of a sale it is told in which batch it was, under which key, how often it
    was sent, what was answered, and what comes next.
    """
    told = console.run("why", "t1").stdout

    assert parked in told
    assert "sent 1 time" in told
    assert "accepted 7 of 2" in told
    assert f"conexxus outbox show {parked[:17]}" in told
    (batch,) = console.json("why", "t1")["transaction"]["batches"]
    assert (batch["key"], batch["sentAs"]) == (parked, "t1")


def test_why_an_item(console):
    """
    Of an item it is told how it came into its present state.
    """
    console.run("pull")

    assert "SKU001" in console.run("why", "SKU001").stdout
    assert console.json("why", "SKU001")["transaction"] is None


def test_why_nobody(console):
    """
    What nobody knows is no success.
    """
    done = console.run("why", "nobody")

    assert (done.returncode, "neither a sale nor an item" in done.stderr) == (1, True)


def test_adopted(console, office):
    """
    What was delivered by something else is marked, and nothing is sent.
    """
    done = console.run("push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-02")

    assert (done.returncode, office.requests["sales"]) == (0, 0)
    assert done.stdout.startswith("2 sales of 2025-12-26 to 2026-01-02 taken for delivered")
    assert "taken for delivered by something else" in console.run("why", "t1").stdout
    closed = console.run("push", "--orders", "sales.ndjson", "--date", "2025-12-25")
    assert (closed.returncode, "closed to push" in closed.stderr) == (2, True)
    assert [run["total"] for run in json.loads(push_all(console).stdout)] == ["-3.10"]


def push_all(console):
    return console.run("push", "--orders", "sales.ndjson", "--json")


def test_one_way_to_choose_dates(console):
    """
    The options that choose dates exclude each other.
    """
    done = console.run(
        "push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-02", "--date", "2026-01-02"
    )

    assert (done.returncode, "can't go together" in done.stderr) == (2, True)
