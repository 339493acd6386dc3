"""
Watching the client at work.
"""

import logging

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from conexxus_client import (
    ApiProfile,
    AttemptDetails,
    AuthenticationError,
    CallDetails,
    ServerError,
)
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


class RaisingHandler(logging.Handler):
    """
    A handler of logs that breaks the rule, and raises.
    """

    def emit(self, record):
        raise OSError("the disk of the logs is full")


@pytest.fixture
def full_disk():
    """
    Whoever logs anything gets an error.
    """
    handler = RaisingHandler()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


@pytest.mark.fault(
    "K10", "A handler of logs raises as a call fails", "the call ends with its own error"
)
def test_log_that_raises(connect, office, server, full_disk):
    """
    What a handler of logs raises is not what the caller gets.
    """
    office.faults("401")

    with pytest.raises(AuthenticationError):
        connect(server.url).health()


@pytest.mark.fault(
    "K10", "A handler of logs raises as a retry is logged", "no retry; the call's own error"
)
def test_log_that_raises_at_a_retry(connect, office, server, full_disk):
    """
    Neither is it where stamina logs that a call is tried again: then it isn't.
    """
    office.faults("503")
    seen = []

    with pytest.raises(ServerError) as caught:
        connect(server.url, hooks=[seen.append]).health()

    assert [record.status for record in caught.value.attempts] == [503]
    assert [type(details) for details in seen] == [AttemptDetails, CallDetails]
    assert seen[-1].error is caught.value


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
