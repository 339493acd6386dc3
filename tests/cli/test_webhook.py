"""
The webhook, as the commands use it.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.notices.append(json.loads(body))
        self.server.arrived.set()
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def hook(shell):
    """
    A webhook that takes what it is given, unless its status is set.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.notices, server.status, server.arrived = [], 200, threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        shell.environ["CONEXXUS_ALERT_WEBHOOK"] = f"http://127.0.0.1:{server.server_port}/canary-1"
        yield server
        server.shutdown()


def webhook_of(done):
    (found,) = [f for f in json.loads(done.stdout) if f["check"] == "webhook"]
    return done.returncode, found["level"], found["message"]


def test_doctor_tries_it(shell, hook):
    """
    `doctor --webhook` sends one notice and says that it was taken.
    """
    code, level, message = webhook_of(shell.run("doctor", "--webhook", "--json"))

    assert (code, level, message) == (0, "ok", "it took the test notice: it answered 200")
    (notice,) = hook.notices
    assert notice["event"] == "test"
    assert notice["text"] == "loc-001: this is a test by `conexxus doctor`; nothing is wrong."


def test_doctor_says_why_it_fails(shell, hook):
    """
    What the webhook does not take is a problem, told without its address.
    """
    hook.status = 404

    done = shell.run("doctor", "--webhook", "--json")

    assert webhook_of(done) == (
        1,
        "problem",
        "it did not take the test notice: it answered 404",
    )
    assert "canary" not in done.stdout + done.stderr


def test_doctor_sends_nothing_unasked(shell, hook):
    """
    Without the option it only says that there is one.
    """
    code, level, message = webhook_of(shell.run("doctor", "--json"))

    assert (code, level) == (0, "ok")
    assert message == "set, not shown; to try it: conexxus doctor --webhook"
    assert hook.notices == []


def test_doctor_without_a_webhook(shell):
    """
    That nobody is told is no problem, unless it is to be tried.
    """
    code, level, message = webhook_of(shell.run("doctor", "--json"))
    tried = webhook_of(shell.run("doctor", "--webhook", "--json"))

    assert (code, level) == (0, "ok")
    assert message.startswith(
        "CONEXXUS_ALERT_WEBHOOK is not set: alerts and the daily report are sent nowhere"
    )
    assert tried == (2, "problem", "CONEXXUS_ALERT_WEBHOOK is not set")


def test_once(shell, hook, office):
    """
    `run --once` tells what it found, and `doctor` what was not taken yet.
    """
    office.faults("401*99")
    hook.status = 500

    done = shell.run("run", "--once", "--log-format", "json")
    code, level, message = webhook_of(shell.run("doctor", "--json"))

    told = {notice["alert"] for notice in hook.notices}
    assert told <= {"ConexxusApiDown", "ConexxusSyncFailed", "ConexxusHighErrorRate"}
    assert told
    assert "A notice was not taken, and is sent again" in done.stderr
    assert level == "warning"
    assert "not taken yet, the oldest since" in message
    assert code == 1  # the back office itself


def test_doctor_tells_what_was_given_up(shell, hook, office):
    """
    What the webhook refused for good is counted for a week, with the last
    reason and without the address.
    """
    office.faults("401*99")
    hook.status = 404

    done = shell.run("run", "--once", "--log-format", "json")
    doctor = shell.run("doctor", "--json")

    number = len(hook.notices)
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["given_up"] for line in logged if line["event"] == "A notice was given up"] == [
        *range(1, number + 1)
    ]
    _, level, message = webhook_of(doctor)
    assert level == "warning"
    assert re.fullmatch(
        rf"{number} notices? given up in the last 7 days, the last because it answered 404", message
    )
    assert "canary" not in doctor.stdout + doctor.stderr


def test_the_scheduler(shell, hook):
    """
    `run` tells by itself, even that its store can't be used, and stops when
    it is told to.
    """
    (shell.folder / "conexxus.db").write_bytes(b"no database at all" * 1000)

    with shell.start("run", "--log-format", "json") as process:
        arrived = hook.arrived.wait(30)
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert arrived
    assert process.returncode == 0
    assert [notice["alert"] for notice in hook.notices] == ["ConexxusStoreUnusable"]
    assert "canary" not in err
