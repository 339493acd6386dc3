"""
`conexxus fleet run` and `conexxus fleet status`; and the fleet of one command.
"""

import logging
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date as Date  # noqa: N812  # as the command line names it
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING

import attrs

from conexxus_client import ConfigurationError
from conexxus_client.instrumentation import Hook
from conexxus_client.settings import CONFIG
from conexxus_sync.collectors import InMemoryCollector
from conexxus_sync.fleet import (
    CatalogueHold,
    Fleet,
    FleetFile,
    StoreSettings,
    StoreState,
    StoreStatus,
    fleet_alerts,
    read_fleet_file,
)
from conexxus_sync.fleet import fleet_status as read_status
from conexxus_sync.fleet._fleet_status import for_fleet, held_line
from conexxus_sync.model.formatting import counted, sentence
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.text_folding import table
from conexxus_sync.protocols import MetricsCollector
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store
from conexxus_sync.views.run_document import Document, run_document

from ._console import screen_width, write_error, write_json, write_lines
from ._exit_codes import ExitCode, gravest
from ._fleet_serving import fleet_served
from ._outcomes import code_of_run
from ._run_command import prometheus_metrics
from ._run_text import run_lines
from ._session import Session
from ._signals import StopEvent, service_exit_code, stop_gracefully
from ._store_file import missing_store, note_new_store
from ._wiring import attempt_logger, log_watcher


if TYPE_CHECKING:
    from conexxus_sync.metrics.prometheus import PrometheusMetrics

FILE = "fleet.toml"

# The worst; a chain has thousands.
SHOWN = 20

_log = logging.getLogger(__name__)


def fleet_run(
    file: str = FILE, *, serve: str | None = None, once: bool = False, session: Session
) -> int:
    """
    Keep catalogue and sales of many stores in step until you stop it.

    FILE lists the stores. One process serves all of them; several may run the
    same file on one PostgreSQL. Pulls are spread over the interval, and pushes
    over the 20 minutes after each store's own time. A store whose settings are
    wrong is logged, and the others start. Options and the environment hold for
    all stores that do not say otherwise; `--location` picks one.

    ```
    conexxus fleet run fleet.toml
    conexxus fleet run fleet.toml --serve 127.0.0.1:3000
    conexxus fleet run fleet.toml --once
    conexxus fleet run fleet.toml --once --location 0042
    ```

    Exit code 0 if you stopped it. With `--once` that of the gravest run, and 2
    if a store's settings are wrong.

    Args:
        file: The fleet, in TOML.
        serve: Also answer HTTP there, as HOST:PORT: `/fleet` and the pages of the
            stores; another host than this machine needs CONEXXUS_SHIM_TOKEN.
        once: Do what is due now, then end.
    """
    found = fleet_file(session, file)
    # What this process is asked to do, it does itself.
    executor = "local" if once or "LOCATION_ID" in session.given else found.options.executor
    # By itself, it keeps the last hundred.
    collector = InMemoryCollector(started=deque(maxlen=0), finished=deque())
    stop = StopEvent()
    metrics = prometheus_metrics(most_locations=found.options.metric_locations) if serve else None

    with (
        stop_gracefully(stop) as received,
        opened_fleet(found, [collector] if once else [], metrics, executor=executor) as fleet,
        ExitStack() as stack,
    ):
        if serve:
            url = stack.enter_context(fleet_served(fleet, found, serve, metrics))
            _log.info("Conexxus shim listens", extra={"url": url})
        if once:
            fleet.run_once()
            fleet.notices.send_once()
            return _write_once(found, file, collector, session)

        counts = {"stores": len(fleet.locations), "wrong": len(found.wrong)}
        _log.info("Conexxus fleet starts", extra=counts)
        fleet.run_forever(stop)

    return service_exit_code(received[0])


def fleet_status(file: str = FILE, *, everything: bool = False, session: Session) -> ExitCode:
    """
    Say how many stores are in which state, and which are the worst.

    What many stores have in common, like a back office that is down, is said
    once. Then come wrong settings, sales that are late, batches that need a
    decision, failing runs, and stores that were never pulled; the oldest
    undelivered business date first. It asks only the SDK's own state. Exit code 1
    if that can't be read.

    ```
    conexxus fleet status fleet.toml
    conexxus fleet status fleet.toml --everything
    conexxus fleet status fleet.toml --json | jq '.stores[] | select(.state == "late")'
    ```

    Args:
        file: The fleet, in TOML.
        everything: Show every store, not only the worst twenty.
    """
    found = fleet_file(session, file)
    config = found.startable()[0].sync
    if (path := missing_store(config)) is not None:
        problem = f"There is no store at {path}: `conexxus fleet run {file}` creates it"
        raise ConfigurationError([problem])

    store = open_store(config.store)
    hold = CatalogueHold.of(store.at(found.options.name))
    statuses = [
        attrs.evolve(
            it,
            reason=it.reason and with_file(it.reason, file),
            error=it.error and with_file(it.error, file),
        )
        for it in read_status(store, found.stores, found.wrong, SystemClock().now(), hold)
    ]

    if session.json:
        counts = Counter(it.state for it in statuses)
        stores = [StoreDocument.of(it) for it in statuses]
        alerts = [FleetAlertDocument.of(it) for it in fleet_alerts(statuses)]
        counted_states = {it: counts[it] for it in StoreState}
        write_json({"counts": counted_states, "alerts": alerts, "stores": stores})
    else:
        write_lines(_status_lines(statuses, everything=everything))

    return ExitCode.SUCCESS


def fleet_file(session: Session, file: str) -> FleetFile:
    """
    What *file* says; options of the command go before the environment.

    Raises:
        ConfigurationError: The file can't be read, or has no such location.
    """
    given = {name: text for name, text in session.given.items() if name != CONFIG}
    found = read_fleet_file(file, {**session.environ, **given})
    location = session.given.get("LOCATION_ID")

    if location is None:
        return found

    stores = tuple(it for it in found.stores if it.location_id == location)
    wrong = tuple(it for it in found.wrong if it.name == location)
    if not stores and not wrong:
        raise ConfigurationError([f"there is no store with --location {location} in {file}"])

    return attrs.evolve(found, stores=stores, wrong=wrong)


@contextmanager
def opened_fleet(
    found: FleetFile,
    collectors: Iterable[MetricsCollector] = (),
    metrics: "PrometheusMetrics | None" = None,
    *,
    executor: str = "local",
) -> Iterator[Fleet]:
    """
    The fleet of one command.

    Args:
        executor: That of the file where the command does what is due, for whichever
            process.

    Raises:
        ConfigurationError: No store in the file can start.
    """
    stores = found.startable()
    note_new_store(stores[0].sync)
    hook = attempt_logger()
    counters = [] if metrics is None else [metrics]

    def hooks(store: StoreSettings) -> list[Hook]:
        return [hook, *(it.hook(store.location_id) for it in counters)]

    with Fleet(
        stores,
        options=attrs.evolve(found.options, executor=executor),
        wrong=found.wrong,
        collectors=[*collectors, *counters, *log_watcher().collectors],
        hooks=hooks,
    ) as fleet:
        yield fleet


def run_lines_of_fleet(run: SyncRun, file: str) -> list[str]:
    """
    As `run_lines`, with the commands of the fleet in *file*.
    """
    return [with_file(for_fleet(line, run.location_id), file) for line in run_lines(run)]


def with_file(text: str, file: str) -> str:
    """
    *text*, whose commands of a fleet have *file* in the place of FILE.
    """
    return re.sub(r"(conexxus fleet [^`]*?)\bFILE\b", lambda it: it[1] + quote(file), text)


def _write_once(
    found: FleetFile, file: str, collector: InMemoryCollector, session: Session
) -> ExitCode:
    runs = sorted(collector.finished, key=lambda run: (run.location_id, run.start_time))

    if session.json:
        write_json([run_document(run) for run in runs])
    else:
        write_lines(line for run in runs for line in run_lines_of_fleet(run, file))

    for it in found.wrong:
        write_error(*it.problems)

    return gravest([*map(code_of_run, runs), *(ExitCode.USAGE for _ in found.wrong)])


class StoreDocument(Document, frozen=True):
    """
    One store of a fleet, for programs.
    """

    location_id: str
    state: StoreState
    reason: str | None
    group: str | None
    last_pull: datetime | None
    oldest_undelivered: Date | None
    parked: int
    running: tuple[str, ...]
    back_office: str | None
    credential: str | None
    error: str | None
    held_until: datetime | None


class FleetAlertDocument(Document, frozen=True):
    """
    What several stores have in common, for programs.
    """

    name: str
    severity: str
    message: str
    locations: tuple[str, ...]


def _status_lines(statuses: list[StoreStatus], *, everything: bool) -> Iterator[str]:
    counts = Counter(it.state for it in statuses)
    yield f"{counted(len(statuses), 'store')}: " + ", ".join(
        f"{counts[state]:,} {state}" for state in StoreState if counts[state]
    )

    for alert in fleet_alerts(statuses):
        first, rest = alert.message[0], alert.message[1:]
        yield f"{alert.severity:<9} {first.upper()}{sentence(rest)}"

    if held := held_line(statuses):
        yield held

    bad = [it for it in statuses if everything or it.state is not StoreState.GOOD]
    shown = bad if everything else bad[:SHOWN]
    if shown:
        yield ""
        rows = [
            (
                it.location_id,
                it.state,
                "" if it.oldest_undelivered is None else f"{it.oldest_undelivered}",
                it.reason or "",
            )
            for it in shown
        ]
        yield from table(("store", "state", "undelivered", "why"), rows, width=screen_width())
    if len(bad) > len(shown):
        yield f"… and {len(bad) - len(shown):,} more: --everything shows them."
