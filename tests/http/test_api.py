import json
import subprocess
import threading
from contextlib import closing

import httpx
import pytest

from conexxus_client import ConfigurationError
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService, open_store
from conexxus_sync.http import Access, create_app
from conexxus_sync.http._server import address, serving


HEALTH_KEYS = [
    "status",
    "isHealthy",
    "lastSyncTime",
    "lastSyncStatus",
    "lastError",
    "apiConnection",
    "alerts",
    "sales",
    "state",
    "apiCheckedAt",
    "apiLatency",
]


def test_health_before_anything_happened(browser):
    """
    At first there is nothing to complain of, and nobody has called yet.
    """
    answer = browser.get("/health")

    health = answer.json()
    assert answer.status_code == 200
    assert list(health) == HEALTH_KEYS
    assert (health["status"], health["isHealthy"]) == ("healthy", True)
    assert (health["lastSyncTime"], health["apiConnection"]) == (None, None)


def test_health_after_a_failed_pull(browser, service, office):
    """
    A failure is told with status 200, unless the caller is strict.
    """
    office.faults("catalog: 401")
    service.sync_inventory()

    answer, strict = browser.get("/health"), browser.get("/health?strict=true")

    assert (answer.status_code, strict.status_code) == (200, 503)
    assert answer.json() == strict.json()
    assert (answer.json()["status"], answer.json()["apiConnection"]) == ("unhealthy", False)
    assert "authentication failed" in answer.json()["lastError"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/integrations/conexxus/nothing", 404),
        ("GET", "/integrations/conexxus/sync", 405),
        ("POST", "/health", 405),
    ],
)
def test_what_is_not_there_is_json_too(url, method, path, status):
    """
    A wrong path or method is answered like everything else.
    """
    answer = httpx.request(method, f"{url}{path}", trust_env=False)

    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert ("allow" in answer.headers) == (status == 405)


def test_connection(browser, office):
    """
    The back office is asked, and its answer is told in the documented words.
    """
    answer = browser.get("/test-connection").json()

    assert list(answer) == ["success", "message", "latency"]
    assert (answer["success"], answer["message"]) == (True, "Connection successful")
    assert isinstance(answer["latency"], int)
    assert office.requests["health"] == 1


def test_metrics(browser, service):
    """
    The latest run, and the last ten, of the kind that was asked for.
    """
    runs = [service.sync_inventory() for _ in range(11)]

    answer = browser.get("/metrics").json()

    assert list(answer) == ["latest", "history"]
    assert answer["latest"] == answer["history"][0]
    assert [run["id"] for run in answer["history"]] == [run.id for run in runs[:0:-1]]
    assert browser.get("/metrics?kind=sales").json() == {"latest": None, "history": []}
    assert browser.get("/metrics?kind=stock").status_code == 400


def test_sync_answers_at_once(service_before, office):
    """
    A trigger is answered while the pull waits for the back office; a second
    trigger gets the id of the run in progress.
    """
    asked, go_on = threading.Event(), threading.Event()

    def hold(_):
        asked.set()
        go_on.wait(30)

    with (
        SandboxServer(office, log=hold) as slow,
        closing(service_before(slow)) as held,
        serving(create_app(held), "127.0.0.1", 0) as url,
        httpx.Client(base_url=f"{url}/integrations/conexxus", trust_env=False) as browser,
    ):
        first = browser.post("/sync")
        assert asked.wait(30)
        second = browser.post("/sync")
        go_on.set()
        thread = next(t for t in threading.enumerate() if first.json()["runId"] in t.name)
        thread.join(30)
        latest = browser.get("/metrics").json()["latest"]

    assert (first.status_code, second.status_code) == (202, 202)
    assert list(first.json()) == ["message", "status", "runId"]
    assert (first.json()["message"], first.json()["status"]) == ("Sync triggered", "processing")
    assert second.json() == first.json() | {"message": "Sync already running"}
    assert (latest["id"], latest["status"]) == (first.json()["runId"], "success")


def test_disabled(config):
    """
    Without configuration the shim is up, and says what is missing.
    """
    service = ConexxusService(
        store=open_store(config.store),
        config=config,
        missing=["CONEXXUS_API_KEY is not configured"],
    )

    with serving(create_app(service), "127.0.0.1", 0) as url:
        health = httpx.get(f"{url}/integrations/conexxus/health", trust_env=False)
        sync = httpx.post(f"{url}/integrations/conexxus/sync", trust_env=False)

    assert (health.status_code, health.json()["status"]) == (200, "disabled")
    assert sync.status_code == 409
    assert sync.json() == {
        "message": "Sync skipped: CONEXXUS_API_KEY is not configured",
        "status": "disabled",
        "runId": None,
    }


def test_plain_curl(url, office):
    """
    The documented commands work as they are typed.
    """
    base = f"{url.replace('127.0.0.1', 'localhost')}/integrations/conexxus"

    def curl(*arguments):
        command = ["curl", "-sS", "--noproxy", "*", *arguments]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    assert curl(f"{base}/test-connection")["success"] is True
    assert curl("-X", "POST", f"{base}/sync")["message"] == "Sync triggered"
    assert curl(f"{base}/health")["isHealthy"] is True
    assert "history" in curl(f"{base}/metrics")


def test_application_has_a_health_of_its_own(url):
    """
    `/health` speaks of the process, not of the integration.
    """
    assert httpx.get(f"{url}/health", trust_env=False).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Host": "evil.example"}, 403),
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_strangers_are_refused(browser, office, method, headers, status):
    """
    DNS rebinding and other sites' requests are refused before anything
    happens.
    """
    path = "/sync" if method == "POST" else "/health"

    answer = browser.request(method, path, headers=headers)

    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert office.requests["catalog"] == 0


def test_token_is_needed_when_set(service):
    """
    With a token, a caller without it gets 401 and is told how to ask.
    """
    access = Access.on("127.0.0.1", token="s3cret")

    with serving(create_app(service, access=access), "127.0.0.1", 0) as url:
        health = f"{url}/integrations/conexxus/health"
        without = httpx.get(health, trust_env=False)
        bearing = httpx.get(health, headers={"Authorization": "Bearer s3cret"}, trust_env=False)

    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
    assert bearing.status_code == 200


def test_internal_errors_are_generic(service, monkeypatch, caplog):
    """
    The caller gets an incident to ask for; what happened is in the log.
    """

    def broken():
        raise RuntimeError("secret detail")

    monkeypatch.setattr(service, "health", broken)

    with serving(create_app(service), "127.0.0.1", 0) as url:
        answer = httpx.get(f"{url}/integrations/conexxus/health", trust_env=False)

    (record,) = [
        record for record in caplog.records if record.name.startswith("conexxus_sync.http")
    ]
    assert answer.status_code == 500
    assert answer.json() == {"error": f"Internal error, incident {record.incident}."}


@pytest.mark.parametrize("text", ["", "3000", ":3000", "localhost:", "localhost:http", "h:65536"])
def test_address_must_be_host_and_port(text):
    """
    Anything else is a configuration error that shows what was given.
    """
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        address(text)


def test_address_in_use(url):
    """
    A port that somebody has is a configuration error, not a traceback.
    """
    host, port = address(url.removeprefix("http://"))

    with pytest.raises(ConfigurationError, match="can't be listened on"), serving(None, host, port):
        pass


def test_prometheus(service):
    """
    `/metrics` is what the host renders, with its media type.
    """
    app = create_app(service, metrics=lambda: (b"conexxus_up 1\n", "text/plain; version=1.0.0"))

    with serving(app, "127.0.0.1", 0) as url:
        answer = httpx.get(f"{url}/metrics", trust_env=False)

    assert answer.content == b"conexxus_up 1\n"
    assert answer.headers["content-type"] == "text/plain; version=1.0.0"
