"""
Facts about the commands that settle sales by hand and tell what became of
them.
"""

import json

import pytest


def push(shell, *options):
    return shell.run("push", "--orders", "sales.ndjson", "--date", "2026-01-02", *options)


@pytest.fixture
def parked(shell, office):
    """
    The key of a batch that the back office and we disagree about.
    """
    office.faults('sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")')
    assert push(shell).returncode == 5
    (batch,) = shell.json("outbox", "list")

    return batch["key"]


def test_nothing_waits(shell):
    """
    Where everything is settled, the outbox says so.
    """
    done = shell.run("outbox", "list")

    assert (done.returncode, done.stdout) == (0, "Nothing waits: every batch is settled.\n")
    assert shell.json("outbox", "list", "--all") == []


def test_shown(shell, parked):
    """
    A batch is listed and shown with what it is, what was answered, and what
    to do; its key may be shortened.
    """
    listed = shell.run("outbox", "list").stdout
    shown = shell.run("outbox", "show", parked[:17]).stdout
    (batch,) = shell.json("outbox", "list")

    assert parked[:17] in listed
    assert "unknown, parked" in listed
    assert "accepted 7 of 2" in shown
    assert "t1, t2" in shown
    assert (batch["state"], batch["total"], batch["attempts"]) == ("unknown", "7.30", 1)
    assert shell.json("outbox", "show", parked)["transactionIds"] == ["t1", "t2"]


def test_resolved(shell, office, parked):
    """
    What the back office says it has is marked; the rest goes anew.
    """
    assert shell.run("outbox", "resolve", parked).returncode == 2

    resolved = shell.run("outbox", "resolve", parked, "--not-delivered")
    assert (resolved.returncode, "new batch" in resolved.stdout) == (0, True)
    assert push(shell).returncode == 0

    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]
    again = shell.run("outbox", "resolve", parked, "--delivered")
    assert (again.returncode, "its fate is known" in again.stderr) == (2, True)


def test_resent(shell, office, parked):
    """
    The same bytes go under the same key with the next push.
    """
    assert shell.run("outbox", "resend", parked).returncode == 0
    assert push(shell).returncode == 0

    assert [push.key for push in office.ledger.pushes] == [parked]


def test_unknown_key(shell):
    """
    A key that there is not is a wrong use of the command.
    """
    done = shell.run("outbox", "resend", "nobody")

    assert (done.returncode, "no batch has the key nobody" in done.stderr) == (2, True)


def test_why_a_sale(shell, parked):
    """
    Of a sale it is told in which batch it was, under which key, how often it
    was sent, what was answered, and what comes next.
    """
    told = shell.run("why", "t1").stdout

    assert parked in told
    assert "sent 1 time" in told
    assert "accepted 7 of 2" in told
    assert f"conexxus outbox resolve {parked}" in told
    (batch,) = shell.json("why", "t1")["transaction"]["batches"]
    assert (batch["key"], batch["sentAs"]) == (parked, "t1")


def test_why_an_item(shell):
    """
    Of an item it is told how it came into its present state.
    """
    shell.run("pull")

    assert "SKU001" in shell.run("why", "SKU001").stdout
    assert shell.json("why", "SKU001")["transaction"] is None


def test_why_nobody(shell):
    """
    What nobody knows is no success.
    """
    done = shell.run("why", "nobody")

    assert (done.returncode, "neither a sale nor an item" in done.stderr) == (1, True)


def test_adopted(shell, office):
    """
    What was delivered by something else is marked, and nothing is sent.
    """
    done = shell.run("push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-02")

    assert (done.returncode, office.requests["sales"]) == (0, 0)
    assert done.stdout.startswith("2 sales of 2025-12-26 to 2026-01-02 taken for delivered")
    assert "taken for delivered by something else" in shell.run("why", "t1").stdout
    closed = shell.run("push", "--orders", "sales.ndjson", "--date", "2025-12-25")
    assert (closed.returncode, "closed to push" in closed.stderr) == (2, True)
    assert [run["total"] for run in json.loads(push_all(shell).stdout)] == ["-3.10"]


def push_all(shell):
    return shell.run("push", "--orders", "sales.ndjson", "--json")


def test_one_way_to_choose_dates(shell):
    """
    The options that choose dates exclude each other.
    """
    done = shell.run(
        "push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-02", "--date", "2026-01-02"
    )

    assert (done.returncode, "can't go together" in done.stderr) == (2, True)
