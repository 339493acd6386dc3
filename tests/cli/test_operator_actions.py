"""
Facts about the commands that settle many batches and sales at once, or for good.
"""

import json

import pytest


DISPUTE = 'sales: 200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 7}}")'


def push(console, *options):
    return console.run("push", "--orders", "sales.ndjson", "--date", "2026-01-02", *options)


@pytest.fixture
def parked(console, office):
    office.faults(DISPUTE)
    assert push(console).returncode == 5


@pytest.mark.case(
    "C12",
    "An operator settles all batches, and asks for the counts first",
    "--dry-run changes nothing, and the counts come first",
)
def test_resolve_all(console, office, parked):
    """
    The command counts, settles, and leaves a record that why shows.
    """
    options = ("outbox", "resolve", "--all", "--not-delivered")
    dry = console.run(*options, "--dry-run")
    assert len(console.json(*options, "--dry-run")) == 1
    done = console.run(*options, "--reason", "down for maintenance")
    none = console.run(*options)

    assert dry.stdout.splitlines()[0] == "1 batch of unknown fate: 2 sales, 7.30"
    assert dry.stdout.splitlines()[-1] == "Nothing was changed."
    assert done.stdout.splitlines()[-1] == "2 sales go in a new batch with the next push."
    assert none.stdout == "0 batches of unknown fate: 0 sales, 0.00\n"
    assert push(console).returncode == 0
    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]
    why = console.run("why", "t1").stdout
    assert "resolved as not delivered by an operator" in why
    assert "down for maintenance" in why
    assert (
        console.json("why", "t1")["transaction"]["actions"][0]["reason"] == "down for maintenance"
    )


@pytest.mark.case(
    "C12",
    "An operator sends all batches of a date again",
    "they go with the next push",
)
def test_resend_of_a_date(console, office, parked):
    """
    What is recognised goes again; a date without batches has none.
    """
    other = console.run("outbox", "resend", "--date", "2026-01-01")
    done = console.run("outbox", "resend", "--date", "2026-01-02")

    assert other.stdout.startswith("0 batches")
    assert done.stdout.splitlines()[-1] == "1 batch with the next push, as they are."
    assert push(console).returncode == 0
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
def test_wrong_use(console, arguments, said):
    """
    What is missing or too much is named, and nothing is changed.
    """
    done = console.run(*arguments)

    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.case(
    "C19",
    "An operator dismisses a refused sale, with a reason",
    "list and status are clear of it, why shows it, and replay takes it back",
)
def test_dismissed(console, office):
    """
    The alert ends, and the record stays.
    """
    office.reject = {"t1": "No such SKU"}
    push(console)

    done = console.run("quarantine", "dismiss", "t1", "--reason", "a test sale")

    assert done.stdout == "t1 of 2026-01-02 is dismissed: not sent.\n"
    assert console.json("quarantine", "list") == []
    assert console.json("status")["quarantinedSales"] == 0
    assert "a test sale" in console.run("why", "t1").stdout
    assert console.run("quarantine", "dismiss", "t1").returncode == 2
    office.reject = ()
    assert console.run("quarantine", "replay", "t1").returncode == 0
    push(console)
    assert [sale.id for sale in office.ledger.sales()] == ["t2", "t1"]


@pytest.mark.case(
    "C9",
    "An operator lets out all that was set aside",
    "one command does it, and names the push that follows",
)
def test_replay_all(console, office):
    """
    All sales of all dates go with the next push.
    """
    office.reject = {"t1", "t2"}
    push(console)
    office.reject = ()

    done = console.run("quarantine", "replay", "--all")
    again = console.run("quarantine", "replay", "--date", "2026-01-02")

    assert done.stdout.splitlines() == [
        "2 sales with the next push:",
        "  conexxus push --orders ORDERS --date 2026-01-02",
    ]
    assert again.stdout == "No sale is set aside.\n"
    push(console)
    assert [sale.id for sale in office.ledger.sales()] == ["t1", "t2"]


@pytest.mark.case(
    "C19",
    "An operator accepts that a delivered sale was changed at the till",
    "status counts it no more",
)
def test_accepted_discrepancy(console):
    """
    A difference that is known alerts no more.
    """
    push(console)
    orders = console.folder / "sales.ndjson"
    first, *rest = orders.read_text().splitlines(keepends=True)
    changed = {**json.loads(first), "total": 5}
    orders.write_text(json.dumps(changed) + "\n" + "".join(rest))
    push(console)
    assert console.json("status")["discrepancies"] == 1
    assert "something set aside" in console.run("status").stdout

    done = console.run("outbox", "accept-discrepancy", "t1", "--reason", "corrected there, too")

    assert done.stdout == "t1 of 2026-01-02 is accepted as the till has it.\n"
    assert console.json("status")["discrepancies"] == 0
    assert "something set aside" not in console.run("status").stdout
    assert "corrected there, too" in console.run("why", "t1").stdout
