"""
Watching the client at work.
"""

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from conexxus_client import ApiProfile, AttemptDetails, CallDetails, ServerError
from conexxus_client.instrumentation.otel import OpenTelemetryHook


def test_attempts_and_calls(connect, office, server):
    """
    A hook is told of each attempt, and then of the call.
    """
    office.faults("503")
    seen = []

    connect(server.url, hooks=[seen.append]).health()

    first, second, call = seen
    assert [type(details) for details in seen] == [AttemptDetails, AttemptDetails, CallDetails]
    assert (first.number, first.status, type(first.error)) == (1, 503, ServerError)
    assert (second.number, second.status, second.error) == (2, 200, None)
    assert (call.attempts, call.status, call.error) == (2, 200, None)
    assert {details.call for details in seen} == {"health"}
    assert {details.url for details in seen} == {f"{server.url}/api/v1/health"}
    assert first.duration + second.duration <= call.duration


def test_catalogue(connect, office, server):
    """
    Each page is a call; no query string is told.
    """
    office.page_size = 2
    seen = []

    connect(
        server.url, hooks=[seen.append], profile=ApiProfile(catalog_query={"store": "7"})
    ).fetch_items()

    assert [type(d).__name__ for d in seen] == ["AttemptDetails", "CallDetails"] * 3
    assert {details.url for details in seen} == {f"{server.url}/api/v1/inventory/items"}


def test_details_are_frozen(connect, server):
    """
    What a hook is told can't be changed.
    """
    seen = []

    connect(server.url, hooks=[seen.append]).health()

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        seen[0].status = 500


def test_hook_that_raises(connect, server, caplog):
    """
    A hook that raises breaks nothing, is logged, and keeps nobody else from
    being told.
    """
    seen = []

    def broken(details):
        raise RuntimeError("hook trouble")

    assert connect(server.url, hooks=[broken, seen.append]).health().ok is True

    assert len(seen) == 2
    assert "A hook of the client raised" in caplog.text


@pytest.fixture
def telemetry():
    """
    An OpenTelemetry that keeps what it is given.
    """
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    hook = OpenTelemetryHook(tracing, MeterProvider([reader]))

    return hook, spans, reader


def test_spans(connect, office, server, telemetry):
    """
    Each attempt is a client span with the conventions' names.
    """
    hook, spans, _ = telemetry
    office.faults("503")

    connect(server.url, hooks=[hook]).health()

    failed, good = spans.get_finished_spans()
    assert {span.name for span in (failed, good)} == {"GET"}
    assert {span.kind.name for span in (failed, good)} == {"CLIENT"}
    assert dict(failed.attributes) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        "url.full": f"{server.url}/api/v1/health",
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert failed.status.status_code.name == "ERROR"
    assert good.attributes["http.request.resend_count"] == 1
    assert "error.type" not in good.attributes
    assert failed.start_time <= failed.end_time <= good.end_time


def test_measurements(connect, office, server, telemetry):
    """
    Each attempt is measured in seconds, under labels of few values.
    """
    hook, _, reader = telemetry
    office.faults("503, reset")
    client = connect(server.url, hooks=[hook])

    for _ in range(3):
        client.fetch_items()

    (metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    points = metric.data.data_points
    assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
    assert sum(point.count for point in points) == 5
    assert {point.attributes.get("error.type") for point in points} == {
        None,
        "503",
        "ConnectionLostError",
    }
    assert all("url.full" not in point.attributes for point in points)
