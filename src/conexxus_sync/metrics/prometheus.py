"""
Metrics for Prometheus (extra `prometheus`), in a registry of their own.

```python
metrics = PrometheusMetrics()
service = ConexxusService.from_env(collectors=[metrics])
metrics.watch(service)
text, content_type = metrics.render()
```
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from conexxus_client import (
    AnswerError,
    AttemptDetails,
    AuthenticationError,
    CallDetails,
    CallStoppedError,
    ConexxusError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    HostNotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TlsError,
)
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.service import ConexxusService

from . import _families as families
from ._families import Family
from ._fleet_gauges import FleetFigures, FleetGauges
from ._gauges import Gauges


OTHER = "other"
ALL = "all"
CALLS = ("health", "catalogue", "sales", "summary")
CHANGES = ("created", "updated", "removed")

# From a pull that found nothing new to a million items on a slow line.
RUN_BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
ATTEMPT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# The first that fits an error; the more special come first.
_OUTCOMES: dict[type[ConexxusError], str] = {
    HostNotFoundError: "host_not_found",
    ConnectError: "refused",
    TlsError: "tls",
    RequestTimeoutError: "timeout",
    DeadlineExceededError: "timeout",
    CallStoppedError: "stopped",
    ConnectionLostError: "lost",
    AuthenticationError: "denied",
    PermissionDeniedError: "denied",
    RateLimitError: "rate_limited",
    ServerError: "server_error",
    StatusError: "client_error",
    AnswerError: "bad_answer",
}
OUTCOMES = tuple(dict.fromkeys(["success", *_OUTCOMES.values(), OTHER]))


class PrometheusMetrics:
    """
    Counts runs and requests of services or of a fleet, and reads the rest when asked.

    It is a collector of the service, and `watch` makes it a hook of the
    service's client.  Counters begin with this process; gauges are read from
    the store and are true whichever process did the work.  Every label has a
    small, fixed set of values: no SKU, no URL, no text of an error.

    Attributes:
        registry: Where the metrics are; never the global one.

    Args:
        service: As for `watch`, if there is one already.
        registry: To add the metrics to, instead of one of their own.
        clock: For which runs are at work, if not the system's.
        most_locations: How many values the label `location` has; further
            locations are counted as `other`, and with 0 all are counted as
            `all`.  Without it, each has its own.
    """

    def __init__(
        self,
        service: ConexxusService | None = None,
        *,
        registry: CollectorRegistry | None = None,
        clock: Clock | None = None,
        most_locations: int | None = None,
    ) -> None:
        self.registry: CollectorRegistry = registry or CollectorRegistry()
        self._clock = clock or SystemClock()
        self._most_locations = most_locations
        self._locations: dict[str, None] = {}
        self._gauges: _ScrapeCollector | None = None
        self._runs = self._counter(families.RUNS)
        self._processed = self._counter(families.PROCESSED)
        self._succeeded = self._counter(families.SUCCEEDED)
        self._failed = self._counter(families.FAILED)
        self._changes = self._counter(families.CHANGES)
        self._batches = self._counter(families.BATCHES_SENT)
        self._attempts = self._counter(families.ATTEMPTS)
        self._retries = self._counter(families.RETRIES)
        self._run_duration = self._histogram(families.RUN_DURATION, RUN_BUCKETS)
        self._attempt_duration = self._histogram(families.ATTEMPT_DURATION, ATTEMPT_BUCKETS)
        # Only on Linux has it something to say.
        ProcessCollector(namespace="conexxus", registry=self.registry)

        if service is not None:
            self.watch(service)

    def watch(self, service: ConexxusService) -> None:
        """
        Count the requests of *service*, and read its state at each scrape.

        Its runs are counted if it was made with this among its `collectors`.
        There may be several services, of one location each; of those without
        a label of their own, the state is not read.

        Raises:
            ValueError: There is a service of this location already.
        """
        location = service.config.location_id
        if self._gauges is not None and location in self._gauges.services:
            msg = f"these metrics are those of {location} already"
            raise ValueError(msg)

        label = self._label(location)
        self._begin_at_zero(label)

        if service.client is not None:
            service.client.add_hook(self.hook(location))
        if self._gauges is None:
            self._gauges = _ScrapeCollector()
            self.registry.register(self._gauges)
        if label == location:
            self._gauges.services[location] = Gauges(service, self._clock)

    def watch_fleet(self, read: Callable[[], FleetFigures | None]) -> None:
        """
        Read the figures of a whole fleet at each scrape.

        Its runs are counted if it was made with this among its `collectors`,
        and its requests with `hook`.

        Args:
            read: Makes them; None if they can't be read.
        """
        self.registry.register(FleetGauges(read))

    def hook(self, location: str) -> Callable[[AttemptDetails | CallDetails], None]:
        """
        A hook of a client that counts its requests as those of *location*.
        """
        return partial(self._count, location)

    def render(self) -> tuple[bytes, str]:
        """
        All metrics as text, and its content type; never raises.
        """
        return generate_latest(_WithoutCreated(self.registry)), CONTENT_TYPE_LATEST

    def run_started(self, run: SyncRun) -> None:
        """
        Nothing to count yet: what is at work is read from the store.
        """

    def run_finished(self, run: SyncRun) -> None:
        """
        Count *run*, unless it only planned or replayed one item.
        """
        if run.planned or run.replayed:
            return

        location = self._label(run.location_id)
        where = {"location": location, "kind": _bounded(run.kind, RunKind)}
        self._runs.labels(**where, status=_bounded(run.status, RunStatus)).inc()
        self._processed.labels(**where).inc(run.items_processed)
        self._succeeded.labels(**where).inc(run.items_succeeded)
        self._failed.labels(**where).inc(run.items_failed)

        if run.duration is not None:
            self._run_duration.labels(**where).observe(run.duration.total_seconds())
        if run.batches:
            self._batches.labels(location=location).inc(run.batches)
        if run.kind is RunKind.INVENTORY and run.status is not RunStatus.FAILED:
            for change in CHANGES:
                self._changes.labels(location=location, change=change).inc(getattr(run, change))

    def __call__(self, details: AttemptDetails | CallDetails) -> None:
        """
        Count a request of the service that was watched first.
        """
        self._count(next(iter(self._locations), ""), details)

    def _count(self, location: str, details: AttemptDetails | CallDetails) -> None:
        # Calls are the sum of theirs.
        if isinstance(details, CallDetails):
            return

        where = {"location": self._label(location), "call": _bounded(details.call, CALLS)}
        self._attempts.labels(**where, outcome=outcome_of(details.error)).inc()
        self._attempt_duration.labels(**where).observe(details.duration)

        if details.number > 1:
            self._retries.labels(**where).inc()

    def _label(self, location: str) -> str:
        most = self._most_locations
        if most == 0:
            return ALL
        # Of runs that end at a moment, one more may get a label.
        if location not in self._locations and (most is None or len(self._locations) < most):
            self._locations[location] = None

        return location if location in self._locations else OTHER

    def _counter(self, family: Family) -> Counter:
        labels = ("location", *family.labels)
        return Counter(family.name, family.help, labels, registry=self.registry)

    def _histogram(self, family: Family, buckets: tuple[float, ...]) -> Histogram:
        labels = ("location", *family.labels)
        return Histogram(family.name, family.help, labels, registry=self.registry, buckets=buckets)

    def _begin_at_zero(self, location: str) -> None:
        """
        A rate needs a value before the first event.
        """
        for kind in RunKind:
            for counter in (self._processed, self._succeeded, self._failed, self._run_duration):
                counter.labels(location, kind)
            for status in RunStatus:
                self._runs.labels(location, kind, status)

        for call in CALLS:
            self._retries.labels(location, call)
            self._attempt_duration.labels(location, call)
            for outcome in OUTCOMES:
                self._attempts.labels(location, call, outcome)

        for change in CHANGES:
            self._changes.labels(location, change)

        self._batches.labels(location)


def outcome_of(error: ConexxusError | None) -> str:
    """
    How a request ended, in one of a few words.
    """
    if error is None:
        return "success"

    return next((word for cls, word in _OUTCOMES.items() if isinstance(error, cls)), OTHER)


class _ScrapeCollector(Collector):
    """
    The gauges of all services, as one of the registry's collectors.

    Attributes:
        services: By location.
    """

    def __init__(self) -> None:
        self.services: dict[str, Gauges] = {}

    def collect(self) -> Iterator[Metric]:
        """
        Read all of them.
        """
        found: dict[str, GaugeMetricFamily] = {}

        for location, gauges in list(self.services.items()):
            for family, labels, value in gauges.samples():
                if family.name not in found:
                    found[family.name] = GaugeMetricFamily(
                        family.name, family.help, labels=("location", *family.labels)
                    )
                found[family.name].add_metric((location, *labels), value)

        yield from found.values()


class _WithoutCreated(Collector):
    """
    A registry without the moments at which its counters were made, which
    would double the number of lines.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """
        What the registry has, without them.
        """
        for metric in self._registry.collect():
            metric.samples = [it for it in metric.samples if not it.name.endswith("_created")]
            yield metric


def _bounded(value: str | None, allowed: Iterable[str]) -> str:
    return str(value) if value in tuple(allowed) else OTHER
