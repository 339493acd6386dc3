"""
Facts about a push that is told to end while nobody answers.
"""

import signal
import threading

import pytest

from conexxus_client.testing import SandboxServer


@pytest.mark.fault(
    "K02",
    "SIGTERM or SIGINT, and a push gets no answer",
    "it ends; the next one settles it: one sale",
)
@pytest.mark.parametrize(
    ("fault", "signum"),
    [
        ("hang", signal.SIGTERM),
        ("after_commit(hang)", signal.SIGINT),
        pytest.param("hang", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("after_commit(hang)", signal.SIGTERM, marks=pytest.mark.long),
    ],
)
def test_signal_ends_a_push(shell, office, signum, fault):
    """
    A signal ends a push whose answer does not come; the lease is free at
    once, and the next push settles it under the same key: one sale.
    """
    asked = threading.Event()
    push = ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")
    office.faults(f"sales: {fault}")

    with SandboxServer(office, log=lambda _: asked.set()) as server:
        shell.environ["CONEXXUS_API_URL"] = server.url
        with shell.start(*push, "--log-format", "text") as process:
            assert asked.wait(30)
            process.send_signal(signum)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 128 + signum
        assert "Traceback" not in err
        (batch,) = shell.json("outbox", "list")

        assert shell.run(*push).returncode == 0

    assert batch["state"] in ("sending", "unknown")
    assert [push.key for push in office.ledger.pushes] == [batch["key"]]
    assert (office.ledger.doubled(), office.requests["sales"]) == ([], 2)
