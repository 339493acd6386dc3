"""
Runs in OpenTelemetry.
"""

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from conexxus_sync.metrics.otel import OpenTelemetryCollector
from shops import items


class Telemetry:
    """
    A shop whose spans and measurements stay in memory.
    """

    def __init__(self, shop):
        self.shop = shop
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.collector = OpenTelemetryCollector(tracers, MeterProvider([self.reader]))
        shop.open(collectors=[self.collector], client=shop.client(retries=1))
        self.collector.watch(shop.service)

    def spans(self):
        """
        Those that ended, oldest first.
        """
        return self.exporter.get_finished_spans()

    def points(self, name):
        """
        The points of a metric, by the values of their labels.
        """
        return {
            tuple(value for _, value in sorted(point.attributes.items())): point
            for resource in self.reader.get_metrics_data().resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }


@pytest.fixture
def telemetry(shop):
    return Telemetry(shop)


def test_span_of_a_run(telemetry):
    """
    A pull is a span, and its requests, the repeated ones too, are below it.
    """
    telemetry.shop.office.faults("catalog: 503")

    run = telemetry.shop.service.sync_inventory()

    *requests, span = telemetry.spans()
    assert span.name == "conexxus inventory sync"
    assert span.attributes["conexxus.run.id"] == run.id
    assert span.attributes["conexxus.run.status"] == "success"
    assert span.attributes["conexxus.items.succeeded"] == 2
    assert span.status.status_code is StatusCode.UNSET
    assert [request.name for request in requests] == ["GET", "GET"]
    assert {request.parent.span_id for request in requests} == {span.context.span_id}
    assert {request.context.trace_id for request in requests} == {span.context.trace_id}


def test_run_that_failed(telemetry):
    """
    Its span is an error, and says why.
    """
    telemetry.shop.office.faults("catalog: 401")

    telemetry.shop.service.sync_inventory()

    span = telemetry.spans()[-1]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == (
        "Conexxus API authentication failed. Check API key. "
        "The answer said: A fault of the sandbox."
    )


def test_push_and_health(telemetry):
    """
    A push is a span of its own; whoever asks for health is in no run.
    """
    shop = telemetry.shop
    shop.orders.sell(shop.clock.now().date(), "t1")

    shop.service.push_sales(shop.clock.now().date())
    shop.service.test_connection()

    request, push, health = telemetry.spans()
    assert (push.name, push.attributes["conexxus.business_date"]) == (
        "conexxus sales push",
        "2026-01-02",
    )
    assert request.parent.span_id == push.context.span_id
    assert (health.name, health.parent) == ("GET", None)


def test_requests_leave_the_context_alone(telemetry):
    """
    After a run, whoever asks is in no span.
    """
    before = context.get_current()

    telemetry.shop.service.sync_inventory()

    assert context.get_current() == before
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_measurements(telemetry):
    """
    Runs are timed, and their items counted, under labels of few values.
    """
    telemetry.shop.office.catalog = items(3, bad=1)

    telemetry.shop.service.sync_inventory()
    telemetry.shop.service.sync_inventory(plan=True)

    (labels,) = telemetry.points("conexxus.run.duration")
    assert labels == ("loc-001", "inventory", "partial")
    counted = telemetry.points("conexxus.run.items")
    assert {labels: point.value for labels, point in counted.items()} == {
        ("succeeded", "loc-001", "inventory"): 3,
        ("failed", "loc-001", "inventory"): 1,
    }
    assert len(telemetry.points("http.client.request.duration")) == 1


def test_run_that_nobody_ended(telemetry):
    """
    A span whose run was broken off ends when the next one begins.
    """
    telemetry.collector.run_started(telemetry.shop.service.sync_inventory())

    telemetry.shop.service.sync_inventory()

    names = [span.name for span in telemetry.spans() if span.name.startswith("conexxus")]
    assert names == ["conexxus inventory sync"] * 3
