"""
What the commands tell people is true.
"""

from datetime import UTC, datetime

import pytest

from conexxus_sync.cli import _run_text as words
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun


DAY = ("--date", "2026-01-02")
PUSH = ("push", "--orders", "sales.ndjson", *DAY)
GONE = "Transaction was delivered, but the host no longer has it"


def told(cli, *arguments):
    code, out, _ = cli(*arguments)
    return code, [line.strip() for line in out.splitlines()]


@pytest.fixture
def sales(shell):
    """
    Writes the file of sales anew, with lines of the first one.
    """
    path = shell.folder / "sales.ndjson"
    first, second, *_ = path.read_text().splitlines(keepends=True)

    return {
        "both": lambda: path.write_text(first + second),
        "first": lambda: path.write_text(first),
        "none": lambda: path.write_text(""),
        "first, changed": lambda: path.write_text(first.replace("4.20", "5.20") + second),
    }


def test_nothing_to_send(cli):
    """
    Only when every sale was delivered does it say so.
    """
    cli(*PUSH)

    assert told(cli, *PUSH) == (
        0,
        ["Nothing to send: the back office has every sale that is due."],
    )


def test_rejected_sales_are_set_aside(cli, office):
    """
    What the back office refused was sent; it is set aside, and the next
    command is named.
    """
    office.faults("sales: status(422)*forever")

    code, lines = told(cli, *PUSH)

    assert code == 1
    assert lines[0] == "Sales of 2 January 2026: nothing was accepted by the back office."
    assert lines[1] == "2 sales set aside:"
    assert [line.partition(":")[0] for line in lines[2:4]] == ["t1", "t2"]
    assert lines[4:] == ["To see them: conexxus quarantine list"]


def test_sales_set_aside_are_not_forgotten(cli, office):
    """
    A push with nothing new still says what waits in quarantine, on the date
    asked for.
    """
    office.faults("sales: status(422)*forever")
    cli(*PUSH)

    code, lines = told(cli, *PUSH)
    _, other_day = told(cli, *PUSH[:-1], "2026-01-05")

    assert code == 0
    assert lines == [
        "Nothing new to send.",
        "2 sales set aside. To see them: conexxus quarantine list",
    ]
    assert other_day == ["Nothing to send: the order source has no sale of 5 January 2026."]


def test_nothing_was_sent(cli, server):
    """
    Where the back office can't be reached, the sales wait for the next push.
    """
    with server.refusing():
        code, lines = told(cli, *PUSH)

    assert code == 1
    assert lines[0].startswith("Sales of 2 January 2026: not delivered: ")
    assert lines[1:] == ["Left for the next push: 2 sales."]


def test_unacknowledged_sales_are_not_called_delivered(cli, office):
    """
    A lost answer is told; the sales are not said to be there, nor lost.
    """
    office.faults("sales: after_commit(reset)")

    code, lines = told(cli, *PUSH)

    assert code == 5
    assert "it is unknown yet whether the sales arrived" in lines[0]
    assert "is unknown; the same bytes are sent again" in lines[1]


def test_every_discrepancy_is_told(cli, sales):
    """
    Delivered sales that are gone at the till are told, each of them, and
    none is said to be accepted.
    """
    cli(*PUSH)
    sales["none"]()

    code, lines = told(cli, *PUSH)

    assert code == 3
    assert lines == [
        "Sales of 2 January 2026: nothing new to send.",
        "2 delivered sales changed or gone at the till since:",
        f"t1: {GONE}",
        f"t2: {GONE}",
    ]


def test_changed_sale_beside_one_that_is_set_aside(cli, sales, office):
    """
    What differs and what is set aside are told apart.
    """
    sales["first"]()
    cli(*PUSH)
    sales["first, changed"]()
    office.faults("sales: status(422)*forever")

    _, lines = told(cli, *PUSH)

    assert "1 sale set aside:" in lines
    assert "1 delivered sale changed or gone at the till since:" in lines


def test_discrepancy_is_not_forgotten(cli, sales):
    """
    A push with nothing new still says that delivered sales differ.
    """
    cli(*PUSH)
    sales["none"]()
    cli(*PUSH)

    code, lines = told(cli, *PUSH)

    assert code == 0
    assert lines[0] == "Nothing new to send."
    assert lines[1].startswith("2 delivered sales changed or gone at the till since.")


def test_host_that_fails_has_not_stopped_the_mirror(cli, shell):
    """
    Where the host's storage raises, the mirror is new and says so; the next
    pull hands the changes over.
    """
    (shell.folder / "my_failing_storage.py").write_text(
        "class Storage:\n    def apply(self, changes):\n        raise RuntimeError('no disk')\n"
    )

    code, lines = told(cli, "pull", "--catalog", "my_failing_storage:Storage")
    _, again = told(cli, "pull", "--catalog", "my_failing_storage:Storage")

    assert code == 1
    assert lines[0].startswith("Catalogue of loc-001: 30 items received")
    assert "The SDK's own copy is up to date, but the host's catalogue storage failed" in lines[2]
    assert lines[3] == "The changes are kept: the next pull hands them over first."
    assert again[0].endswith("nothing has changed in the back office since the last pull.")
    assert again[1] == lines[2]


def test_plan_names_the_command_that_applies_it(cli):
    """
    The command at the end of a plan, typed as it stands, applies the plan.
    """
    _, lines = told(cli, "pull", "--plan")
    (command,) = [line for line in lines if line.startswith("To apply exactly this: ")]

    code, applied = told(cli, *command.split("conexxus ")[1].split())

    assert code == 0
    assert applied[1] == "30 new, 0 changed, 0 as before, 0 gone."


@pytest.mark.parametrize("options", [(), ("--plan",)], ids=["pull", "plan"])
def test_refused_catalogue_can_be_accepted(cli, office, options):
    """
    A catalogue that a guard refuses names the command that applies exactly
    it, for who has looked; and that command does.
    """
    cli("pull")
    office.catalog = office.catalog[:3]

    code, lines = told(cli, "pull", *options)
    (command,) = [line for line in lines if "If you have looked" in line]
    accepted, _ = told(cli, *command.rpartition("conexxus ")[2].split())

    assert (code, accepted) == (4, 0)


def test_refused_items_are_not_set_aside(cli, office):
    """
    Of a refused catalogue nothing is in force, and nothing in quarantine.
    """
    cli("pull")
    office.catalog = [b"null"]

    _, lines = told(cli, "pull")

    assert "1 item can't be used:" in lines
    assert not [line for line in lines if "quarantine" in line or "in force" in line]


def test_long_id():
    """
    An id of any length takes one line, and says how long it is.
    """
    run = SyncRun(
        id="x",
        kind=RunKind.INVENTORY,
        location_id="loc-001",
        start_time=datetime(2026, 1, 2, tzinfo=UTC),
        end_time=datetime(2026, 1, 2, tzinfo=UTC),
        status=RunStatus.PARTIAL,
        items_failed=1,
        errors=[RunIssue(item="x" * 3_000, error="Item has invalid price")],
    )

    (line,) = (line for line in words.run_lines(run) if "xxx" in line)

    assert line.strip() == f"{'x' * 80}… (3,000 characters): Item has invalid price"
