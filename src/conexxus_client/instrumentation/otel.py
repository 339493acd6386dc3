"""
OpenTelemetry: a span and a measurement for each attempt (extra `otel`).

Names and attributes are those of the stable semantic conventions for HTTP
client spans and metrics: https://opentelemetry.io/docs/specs/semconv/http/
"""

import time
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from conexxus_client._version import __version__

from . import AttemptDetails, CallDetails


SCOPE = "conexxus_client"
DURATION = "http.client.request.duration"

# As the conventions advise, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class OpenTelemetryHook:
    """
    Records what the client does; pass it among the client's `hooks`.

    Every value that becomes a label of the metric comes from a small set:
    method, host, port, status, class of error.

    Args:
        tracer_provider: Instead of the global one.
        meter_provider: Instead of the global one.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider)
        self._duration = metrics.get_meter(SCOPE, __version__, meter_provider).create_histogram(
            DURATION,
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    def __call__(self, details: AttemptDetails | CallDetails) -> None:
        """
        Record an attempt; calls are the sum of theirs.
        """
        if isinstance(details, CallDetails):
            return

        attributes = _attributes(details)
        self._duration.record(details.duration, attributes)
        self._record_span(details, attributes)

    def _record_span(self, details: AttemptDetails, attributes: dict[str, Any]) -> None:
        # The span is made afterwards, so its start and end are given.
        end = time.time_ns()
        span = self._tracer.start_span(
            details.method,
            kind=SpanKind.CLIENT,
            attributes={**attributes, "url.full": details.url},
            start_time=end - round(details.duration * 1e9),
        )

        if details.number > 1:
            span.set_attribute("http.request.resend_count", details.number - 1)
        if details.error is not None:
            span.set_status(Status(StatusCode.ERROR, str(details.error)))

        span.end(end)


def _attributes(details: AttemptDetails) -> dict[str, Any]:
    parts = urlsplit(details.url)
    attributes: dict[str, Any] = {
        "http.request.method": details.method,
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }

    if details.status is not None:
        attributes["http.response.status_code"] = details.status
    if details.error is not None:
        # The conventions want the status where there is one, else the class.
        failed = details.status is not None and details.status >= 400  # RFC 9110
        attributes["error.type"] = str(details.status) if failed else type(details.error).__name__

    return attributes
