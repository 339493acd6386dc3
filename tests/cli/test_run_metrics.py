"""
`conexxus run --serve` is watched by Prometheus.
"""

import json

import httpx

from .test_app import probe


def test_metrics_of_a_running_service(shell, office):
    """
    `run --serve` answers HTTP beside the schedule, until it is stopped; `/metrics`
    has the runs and requests of the process that serves it.
    """
    with shell.start("run", "--serve", "127.0.0.1:0") as process:
        events = map(json.loads, process.stderr)
        url = next(event["url"] for event in events if "url" in event)
        next(event for event in events if event["event"].endswith("sync completed"))
        answer = httpx.get(f"{url}/metrics", trust_env=False)
        health = httpx.get(f"{url}/integrations/conexxus/health", trust_env=False).json()
        sync = httpx.post(f"{url}/integrations/conexxus/sync", trust_env=False)
        process.terminate()
        process.communicate(timeout=10)

    assert (health["status"], health["lastSyncStatus"]) == ("healthy", "success")
    assert sync.status_code == 202
    assert process.returncode == 0
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert 'conexxus_catalogue_items{location="loc-001"} 30.0' in lines
    assert (
        'conexxus_api_attempts_total{call="catalogue",location="loc-001",outcome="success"} 1.0'
        in lines
    )
    assert 'conexxus_runs_total{kind="inventory",location="loc-001",status="success"} 1.0' in lines


def test_without_the_library(shell):
    """
    Without the extra `prometheus` the service runs all the same.
    """
    command = ("run", "--once", "--serve", "127.0.0.1:0")
    done = probe(shell, command, before="sys.modules['prometheus_client'] = None")

    assert done.returncode == 0
    assert "conexxus-sdk[prometheus]" in done.stderr
