"""
`conexxus run`: the scheduler, with or without the shim.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from conexxus_sync.model.runs import RunKind
from conexxus_sync.notifications import notify_once
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.service import ConexxusService
from conexxus_sync.views.run_document import run_document

from ._console import needing, write_error, write_json, write_lines
from ._exit_codes import ExitCode, gravest
from ._outcomes import code_of_run
from ._run_text import run_lines
from ._service_wiring import service_of
from ._session import Session
from ._signals import StopEvent, service_exit_code, stop_gracefully
from ._wiring import log_attempts


if TYPE_CHECKING:
    from conexxus_sync.metrics.prometheus import PrometheusMetrics

logger = logging.getLogger(__name__)


def run(
    *,
    serve: str | None = None,
    once: bool = False,
    session: Session,
) -> int:
    """
    Keep catalogue and sales in step until you stop it.

    The catalogue is fetched every hour, or as CONEXXUS_SYNC_EVERY says; each
    business date is pushed at its time. Whatever stops it, nothing is lost.

    ```
    conexxus run --orders my_shop.conexxus:orders --catalog my_shop.conexxus:products
    conexxus run --once --orders sales.ndjson
    conexxus run --serve 127.0.0.1:3000 --orders sales.ndjson
    ```

    Args:
        serve: Also answer HTTP there, as HOST:PORT; another host than this
            machine needs CONEXXUS_SHIM_TOKEN.
        once: Do what is due now, then end.
    """
    stop = StopEvent()

    with stop_gracefully(stop) as received, ExitStack() as stack:
        metrics = prometheus_metrics() if serve else None
        service = stack.enter_context(service_of(session, collectors=[metrics] if metrics else []))

        if service.client is not None:
            log_attempts(service.client)

        if serve:
            url = stack.enter_context(_shim(service, serve, session, metrics))
            logger.info("Conexxus shim listens", extra={"url": url})

        if once:
            stack.callback(notify_once, service, SystemClock())
            return _once(service, session)

        service.run_forever(stop)

    return service_exit_code(received[0])


def _once(service: ConexxusService, session: Session) -> ExitCode:
    before = _holders(service)
    runs = service.run_due(SystemClock().now())
    done = {run.kind for run in runs}
    # The service skips what runs elsewhere; the exit code says so.
    busy = {**_holders(service), **before}
    busy = {kind: run_id for kind, run_id in busy.items() if kind not in done}

    if session.json:
        write_json([run_document(run) for run in runs])
    else:
        write_lines(line for run in runs for line in run_lines(run))

    for kind, run_id in busy.items():
        write_error(f"{kind} run {run_id} is already in progress")

    return gravest([*map(code_of_run, runs), *(ExitCode.BUSY for _ in busy)])


def _holders(service: ConexxusService) -> dict[RunKind, str]:
    """
    The runs in progress.
    """
    if service.missing:
        return {}

    leases, now = service.store.leases, SystemClock().now()
    kinds = RunKind if service.sales is not None else (RunKind.INVENTORY,)
    found = {kind: leases.holder(kind.value, now) for kind in kinds}

    return {kind: run_id for kind, run_id in found.items() if run_id is not None}


def prometheus_metrics(*, most_locations: int | None = None) -> "PrometheusMetrics | None":
    """
    What `/metrics` answers, if its library is there.
    """
    try:
        from conexxus_sync.metrics.prometheus import PrometheusMetrics
    except ModuleNotFoundError as exc:
        if exc.name != "prometheus_client":
            raise
        logger.info("There is no /metrics: it needs conexxus-sdk[prometheus]")
        return None

    return PrometheusMetrics(most_locations=most_locations)


@contextmanager
def _shim(
    service: ConexxusService,
    serve: str,
    session: Session,
    metrics: "PrometheusMetrics | None" = None,
) -> Iterator[str]:
    with needing("http"):
        from conexxus_sync.http import Access, create_app, page_routes
        from conexxus_sync.http._server import address, serving

    host, port = address(serve)
    config = session.sync_config()
    access = Access.on(host, token=config.shim_token, hosts=config.shim_hosts)
    scrape = None

    if metrics is not None:
        metrics.watch(service)
        scrape = metrics.render

    page = page_routes(service, access=access)
    app = create_app(service, access=access, metrics=scrape, routes=page)

    with serving(app, host, port) as url:
        yield url
