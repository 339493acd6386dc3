"""
Each exit code, by a real case against a real back office.
"""

import json
from datetime import UTC, datetime

import pytest

from conexxus_sync.stores import open_store


RUN_KEYS = [
    "id",
    "kind",
    "locationId",
    "status",
    "startTime",
    "endTime",
    "duration",
    "itemsProcessed",
    "itemsSucceeded",
    "itemsFailed",
    "created",
    "updated",
    "unchanged",
    "removed",
    "notModified",
    "planned",
    "errors",
]
PUSH = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")


def test_0_success(shell):
    """
    A pull writes one JSON document, which is a run with the documented keys.
    """
    done = shell.run("pull", "--json")

    run = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(run) == RUN_KEYS
    assert (run["status"], run["kind"], run["created"], run["errors"]) == (
        "success",
        "inventory",
        30,
        [],
    )


@pytest.mark.parametrize("fault", ["401", "reset", "truncate"])
def test_1_failed(shell, office, fault):
    """
    A back office that says no, or breaks off, fails the pull.
    """
    office.faults(f"catalog: {fault}")

    done = shell.run("pull", "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "failed"
    assert json.loads(done.stdout)["lastError"].startswith("Conexxus API")


def test_2_not_configured(bare_shell):
    """
    Nothing is configured: all of it is said at once, on stderr.
    """
    done = bare_shell.run("pull", "--timezone", "Mars")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "conexxus: CONEXXUS_API_URL is not configured",
        "          CONEXXUS_API_KEY is not configured",
        "          --timezone must be an IANA time zone like America/New_York, got 'Mars'",
        "          Help: how-to/troubleshoot.md#configurationerror",
    ]


@pytest.mark.parametrize("command", [("pull",), ("push", "--orders", "sales.ndjson")])
def test_2_for_programs(bare_shell, command):
    """
    With `--json`, stdout is a document that names each problem.
    """
    done = bare_shell.run(*command, "--json", "--location", "x\t")

    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["error"]
    assert "CONEXXUS_API_URL is not configured" in document["problems"]
    assert "--location must be a printable text" in " ".join(document["problems"])


@pytest.mark.parametrize(
    "command", [("status",), ("run", "--once"), ("runs",), ("items",), ("doctor",)]
)
def test_2_names_the_option(bare_shell, command):
    """
    A wrong option is blamed on the option, not on the variable it replaces,
    also where nothing is configured.
    """
    done = bare_shell.run(*command, "--timezone", "Mars/X")

    assert done.returncode == 2
    assert "--timezone must be an IANA time zone" in done.stdout + done.stderr
    assert "CONEXXUS_TIMEZONE" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("pull", "--fast", "--json"), ("--json", "pul")])
def test_2_wrong_use_for_programs(cli, arguments):
    """
    What is mistyped is a document, too.
    """
    code, out, _ = cli(*arguments)

    document = json.loads(out)
    assert (code, document["problems"]) == (2, [document["error"]])


@pytest.mark.parametrize(
    "arguments",
    [
        ("pul",),
        ("pull", "--fast"),
        ("pull", "extra"),
        ("runs", "--limit", "many"),
        ("runs", "--limit", "0"),
        ("runs", "--kind", "stock"),
        ("pull", "--store", "mysql://x"),
        ("pull", "--accept", "20260102T000000000Z-00000000"),
        ("pull", "--catalog", "no_such_module:factory"),
        ("push",),
        ("push", "--orders", "missing.ndjson"),
        ("push", "--orders", "sales.ndjson", "--date", "yesterday"),
        ("items", "--changed-since", "no-such-run"),
        ("items", "--csv", "--json"),
        ("run", "--once", "--serve", "0.0.0.0:0"),
        ("run", "--once", "--serve", "nowhere"),
        ("sandbox", "--items", "3", "--catalog", "x.ndjson"),
        ("sandbox", "--catalog", "missing.ndjson"),
        ("sandbox", "--faults", "gremlins"),
        ("sandbox", "--port", "99999"),
    ],
)
def test_2_wrong_use(cli, arguments):
    """
    What can't be done is never ignored: one clear sentence, and nothing on
    stdout.
    """
    code, out, err = cli(*arguments)

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(("conexxus: ", "          "))
    assert "Traceback" not in err


def test_3_partial(shell, office):
    """
    A bad item and a null do not stop the others; they are named.
    """
    office.catalog = [*office.catalog, b'{"sku":"BAD","name":"Bad","price":"ask"}', b"null"]

    done = shell.run("pull", "--json")

    run = json.loads(done.stdout)
    assert done.returncode == 3
    assert (run["status"], run["itemsProcessed"], run["itemsSucceeded"]) == ("partial", 32, 30)
    assert run["errors"] == [
        {
            "item": "BAD",
            "error": "Item has invalid price",
            "detail": "not a plain number: 'ask'",
        },
        {"item": None, "error": "Item is not an object"},
    ]


def test_4_refused(shell, office):
    """
    A catalogue that lost everything is refused, until somebody insists.
    """
    shell.run("pull")
    office.catalog = office.catalog[:3]

    refused = shell.run("pull", "--json")
    insisted = shell.run("pull", "--json", "--force")

    assert refused.returncode == 4
    assert json.loads(refused.stdout)["refused"]
    assert insisted.returncode == 0
    assert json.loads(insisted.stdout)["removed"] == 27


def test_5_unknown(shell, office):
    """
    An answer that got lost leaves the delivery unknown; the next push settles
    it, and the books have each sale once.
    """
    office.faults("sales: after_commit(reset)")

    lost = shell.run(*PUSH)
    settled = shell.run(*PUSH)

    assert (lost.returncode, settled.returncode) == (5, 0)
    assert office.effective_batches == [{"t1", "t2"}]


def test_6_busy(shell):
    """
    While another run holds the lease, a pull names it and does nothing.
    """
    store = open_store(shell.store).at("loc-001")
    lease = store.leases.acquire("inventory", "run-in-progress", datetime.now(UTC))

    busy = shell.run("pull", "--json")
    store.leases.release(lease)
    free = shell.run("pull", "--json")

    document = json.loads(busy.stdout)
    assert (busy.returncode, free.returncode) == (6, 0)
    assert document["runId"] == "run-in-progress"
    assert document["error"] in busy.stderr


@pytest.mark.parametrize("kind", ["inventory", "sales"])
def test_6_once(shell, kind):
    """
    What `run --once` has to leave to another run is told; the rest is done.
    """
    store = open_store(shell.store).at("loc-001")
    store.leases.acquire(kind, "run-in-progress", datetime.now(UTC))

    done = shell.run("run", "--once", "--json", "--orders", "sales.ndjson")

    assert done.returncode == 6
    assert [run["kind"] for run in json.loads(done.stdout)] == (
        ["inventory"] if kind == "sales" else []
    )
    assert f"{kind} run run-in-progress is already in progress" in done.stderr


def test_push_writes_an_array_of_runs(shell, office):
    """
    A push is an array of runs with an exact total each, oldest date first;
    when nothing is left, the array is empty.
    """
    first = shell.json("push", "--orders", "sales.ndjson", "--since", "2026-01-01")
    again = shell.json("push", "--orders", "sales.ndjson")

    assert [(run["businessDate"], run["total"], run["itemsSucceeded"]) for run in first] == [
        ("2026-01-02", "7.30", 2),
        ("2026-01-03", "-3.10", 1),
    ]
    assert list(first[0]) == [
        *RUN_KEYS[:3],
        "businessDate",
        *RUN_KEYS[3:],
        "batches",
        "total",
        "note",
    ]
    assert again == []
    assert not office.ledger.doubled()
