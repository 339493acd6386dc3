"""
What the back office said of a refusal reaches everybody who has to act.
"""

import json

import pytest

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.http._page._view import PageView


SAID = "subscription ended on 1 January"
REFUSAL = json.dumps(json.dumps({"errors": [{"detail": SAID}]}))
FIRST = {
    401: "Conexxus API authentication failed. Check API key.",
    403: "Conexxus API access forbidden. Check permissions.",
    404: "Conexxus API endpoint not found: /api/v1/inventory/items",
    429: "Conexxus API rate limit exceeded. Try again later.",
    503: "Conexxus API server error (503). Try again later.",
}


@pytest.mark.case(
    "B3",
    "The back office refuses a pull with a reason",
    "run, log, `pull`, `status` and `doctor` have it, after the documented sentence",
)
@pytest.mark.parametrize("status", FIRST)
def test_ways_of_a_reason(cli, office, status):
    """
    Each of them says the same.
    """
    office.faults(f"status({status}, body={REFUSAL})*forever")

    code, out, log = cli("pull", "--json")
    runs = cli("runs", "--json")[1]
    shown = {command: cli(command)[1] for command in ("pull", "status", "doctor")}

    whole = f"{FIRST[status].rstrip('.')}. The answer said: {SAID}"
    assert code == 1
    assert json.loads(out)["lastError"] == json.loads(runs)[0]["lastError"] == whole
    assert json.loads(out)["errors"][0]["error"] == whole
    assert whole in log
    assert {name: SAID in " ".join(text.split()) for name, text in shown.items()} == dict.fromkeys(
        shown, True
    )


@pytest.mark.case("B3", "So is a push", "batch, run, `outbox show` and log have the reason")
def test_ways_of_a_refused_push(cli, office):
    """
    A batch that waits says why, in the words of the back office.
    """
    office.faults(f"sales: status(403, body={REFUSAL})*forever")

    _, out, log = cli("push", "--orders", "sales.ndjson", "--date", "2026-01-02", "--json")

    run = json.loads(out)[0]
    assert f"{FIRST[403]} The answer said: {SAID}" in run["lastError"]
    assert SAID in log
    assert SAID in cli("outbox", "list", "--json")[1]


def test_alerts_and_page(server, office, tmp_path):
    """
    Alerts, and with them notices and page, say it; so does a connection test.
    """
    office.faults(f"status(401, body={REFUSAL})*forever")
    config = SyncConfig(location_id="loc-001", store=f"sqlite:///{tmp_path}/conexxus.db")
    client = ClientConfig(api_url=server.url, api_key=server.api_key, retries=0)

    with (
        ConexxusClient(client) as api,
        ConexxusService(api, store=open_store(config.store), config=config) as service,
    ):
        service.sync_inventory()
        alerts = [alert.message for alert in service.health().alerts]
        page = str(PageView.of(service.overview()))
        check = service.test_connection()

    assert any(SAID in message for message in alerts)
    assert SAID in page
    assert check.message == f"{FIRST[401]} The answer said: {SAID}"
