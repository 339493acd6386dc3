"""
OpenTelemetry: a span and measurements of each run (extra `otel`).

```python
telemetry = OpenTelemetryCollector()
service = ConexxusService.from_env(collectors=[telemetry])
telemetry.watch(service)
```
"""

import threading

from opentelemetry import context, metrics, trace
from opentelemetry.trace import Span, Status, StatusCode

from conexxus_client import AttemptDetails, CallDetails, __version__
from conexxus_client.instrumentation.otel import OpenTelemetryHook
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.service import ConexxusService


SCOPE = "conexxus_sync"
NAMES = {RunKind.INVENTORY: "conexxus inventory sync", RunKind.SALES: "conexxus sales push"}

# The run in which the client makes such a call; its health is asked outside of any.
_OF_CALL = {"catalogue": RunKind.INVENTORY, "sales": RunKind.SALES}

# From a pull that found nothing new to a million items on a slow line, in seconds.
_BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class OpenTelemetryCollector:
    """
    Records what one service does.

    It is a collector of the service, and `watch` makes it a hook of the
    service's client: the requests of a run are then spans below the run's.
    It does what the client's own `OpenTelemetryHook` does, so that one is
    not needed beside it.

    What becomes a label of a measurement comes from a small set: location,
    kind, status, outcome.

    Args:
        tracer_provider: Instead of the global one.
        meter_provider: Instead of the global one.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        meter = metrics.get_meter(SCOPE, __version__, meter_provider)
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider)
        self._attempts = OpenTelemetryHook(tracer_provider, meter_provider)
        self._duration = meter.create_histogram(
            "conexxus.run.duration",
            unit="s",
            description="How long runs took.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._items = meter.create_counter(
            "conexxus.run.items",
            unit="{item}",
            description="Items that runs looked at; for sales, transactions.",
        )
        self._spans: dict[RunKind, Span] = {}
        self._lock = threading.Lock()

    def watch(self, service: ConexxusService) -> None:
        """
        Record the requests of *service*, too.
        """
        if service.client is not None:
            service.client.add_hook(self)

    def run_started(self, run: SyncRun) -> None:
        """
        Begin a span.
        """
        span = self._tracer.start_span(
            NAMES[run.kind],
            attributes={
                "conexxus.run.id": run.id,
                "conexxus.run.kind": run.kind.value,
                "conexxus.location.id": run.location_id,
                "conexxus.run.planned": run.planned,
            },
        )

        if run.business_date is not None:
            span.set_attribute("conexxus.business_date", run.business_date.isoformat())

        with self._lock:
            left, self._spans[run.kind] = self._spans.get(run.kind), span

        # Its run was broken off without an end.
        if left is not None:
            left.end()

    def run_finished(self, run: SyncRun) -> None:
        """
        End the span, and measure.
        """
        with self._lock:
            span = self._spans.pop(run.kind, None)

        if span is not None:
            _conclude(span, run)
        if not run.planned and not run.replayed:
            self._measure(run)

    def __call__(self, details: AttemptDetails | CallDetails) -> None:
        """
        Record a request, below the span of its run.
        """
        kind = _OF_CALL.get(details.call)

        with self._lock:
            span = None if kind is None else self._spans.get(kind)

        if span is None:
            self._attempts(details)
            return

        token = context.attach(trace.set_span_in_context(span))

        try:
            self._attempts(details)
        finally:
            context.detach(token)

    def _measure(self, run: SyncRun) -> None:
        labels = {"conexxus.location.id": run.location_id, "conexxus.run.kind": run.kind.value}

        if run.duration is not None and run.status is not None:
            self._duration.record(
                run.duration.total_seconds(), {**labels, "conexxus.run.status": run.status.value}
            )

        for outcome, count in (("succeeded", run.items_succeeded), ("failed", run.items_failed)):
            self._items.add(count, {**labels, "conexxus.item.outcome": outcome})


def _conclude(span: Span, run: SyncRun) -> None:
    if run.status is not None:
        span.set_attribute("conexxus.run.status", run.status.value)

    span.set_attributes(
        {
            "conexxus.items.processed": run.items_processed,
            "conexxus.items.succeeded": run.items_succeeded,
            "conexxus.items.failed": run.items_failed,
        }
    )

    if run.status is RunStatus.FAILED:
        span.set_status(Status(StatusCode.ERROR, run.last_error))

    span.end()
