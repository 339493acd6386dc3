"""
Facts about the commands that settle many batches and sales at once, or for good.
"""

import json

import pytest


DISPUTE = 'sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")'


def push(shell, *options):
    return shell.run("push", "--orders", "sales.ndjson", "--date", "2026-01-02", *options)


@pytest.fixture
def parked(shell, office):
    office.faults(DISPUTE)
    assert push(shell).returncode == 5


@pytest.mark.case(
    "C12",
    "An operator settles all batches, and asks for the counts first",
    "--dry-run changes nothing, and the counts come first",
)
def test_resolve_all(shell, office, parked):
    """
    The command counts, settles, and leaves a record that why shows.
    """
    options = ("outbox", "resolve", "--all", "--not-delivered")
    dry = shell.run(*options, "--dry-run")
    assert len(shell.json(*options, "--dry-run")) == 1
    done = shell.run(*options, "--reason", "down for maintenance")
    none = shell.run(*options)

    assert dry.stdout.splitlines()[0] == "1 batch of unknown fate: 2 sales, 7.30"
    assert dry.stdout.splitlines()[-1] == "Nothing was changed."
    assert done.stdout.splitlines()[-1] == "2 sales go in a new batch with the next push."
    assert none.stdout == "0 batches of unknown fate: 0 sales, 0\n"
    assert push(shell).returncode == 0
    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]
    why = shell.run("why", "t1").stdout
    assert "resolved as not delivered by an operator" in why
    assert "down for maintenance" in why
    assert shell.json("why", "t1")["transaction"]["actions"][0]["reason"] == "down for maintenance"


@pytest.mark.case(
    "C12",
    "An operator sends all batches of a date again",
    "they go with the next push",
)
def test_resend_of_a_date(shell, office, parked):
    """
    What is recognised goes again; a date without batches has none.
    """
    other = shell.run("outbox", "resend", "--date", "2026-01-01")
    done = shell.run("outbox", "resend", "--date", "2026-01-02")

    assert other.stdout.startswith("0 batches")
    assert done.stdout.splitlines()[-1] == "1 batch with the next push, as they are."
    assert push(shell).returncode == 0
    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("outbox", "resolve", "--delivered"), "the KEY of a batch, --all, or --date"),
        (("outbox", "resolve", "abc", "--all", "--delivered"), "needs one of these"),
        (("outbox", "resolve", "--all", "--date", "2026-01-02"), "needs one of these"),
        (("outbox", "resolve", "--all"), "--delivered or --not-delivered"),
        (("outbox", "resend", "--date", "soon"), "--date must be a date"),
        (("outbox", "resend", "abc", "--dry-run"), "--dry-run goes with --all or --date"),
        (("outbox", "accept-discrepancy", "nobody"), "no delivered sale nobody was changed"),
        (("quarantine", "replay"), "an id, --all, or --date DATE"),
        (("quarantine", "replay", "--all", "--item", "x"), "--item goes with the SKU"),
        (("quarantine", "dismiss", "nobody"), "no sale is in quarantine under nobody"),
    ],
)
def test_wrong_use(shell, arguments, said):
    """
    What is missing or too much is named, and nothing is changed.
    """
    done = shell.run(*arguments)

    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.case(
    "C19",
    "An operator dismisses a refused sale, with a reason",
    "list and status are clear of it, why shows it, and replay takes it back",
)
def test_dismissed(shell, office):
    """
    The alert ends, and the record stays.
    """
    office.reject = {"t1": "No such SKU"}
    push(shell)

    done = shell.run("quarantine", "dismiss", "t1", "--reason", "a test sale")

    assert done.stdout == "t1 of 2026-01-02 is dismissed: not sent.\n"
    assert shell.json("quarantine", "list") == []
    assert shell.json("status")["quarantinedSales"] == 0
    assert "a test sale" in shell.run("why", "t1").stdout
    assert shell.run("quarantine", "dismiss", "t1").returncode == 2
    office.reject = ()
    assert shell.run("quarantine", "replay", "t1").returncode == 0
    push(shell)
    assert [sale.id for sale in office.ledger.sales()] == ["t2", "t1"]


@pytest.mark.case(
    "C9",
    "An operator lets out all that was set aside",
    "one command does it, and names the push that follows",
)
def test_replay_all(shell, office):
    """
    All sales of all dates go with the next push.
    """
    office.reject = {"t1", "t2"}
    push(shell)
    office.reject = ()

    done = shell.run("quarantine", "replay", "--all")
    again = shell.run("quarantine", "replay", "--date", "2026-01-02")

    assert done.stdout.splitlines() == [
        "2 sales with the next push:",
        "  conexxus push --orders ORDERS --date 2026-01-02",
    ]
    assert again.stdout == "No sale is set aside.\n"
    push(shell)
    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]


@pytest.mark.case(
    "C19",
    "An operator accepts that a delivered sale was changed at the till",
    "status counts it no more",
)
def test_accepted_discrepancy(shell):
    """
    A difference that is known alerts no more.
    """
    push(shell)
    orders = shell.folder / "sales.ndjson"
    first, *rest = orders.read_text().splitlines(keepends=True)
    changed = {**json.loads(first), "total": 5}
    orders.write_text(json.dumps(changed) + "\n" + "".join(rest))
    push(shell)
    assert shell.json("status")["discrepancies"] == 1

    done = shell.run("outbox", "accept-discrepancy", "t1", "--reason", "corrected there, too")

    assert done.stdout == "t1 of 2026-01-02 is accepted as the till tells it.\n"
    assert shell.json("status")["discrepancies"] == 0
    assert "corrected there, too" in shell.run("why", "t1").stdout
