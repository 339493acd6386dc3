"""
`conexxus doctor`: checks of settings, back office, store, time zone and clock.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from conexxus_client import ClientConfig, ConexxusError, ConfigurationError
from conexxus_sync.config import NO_TIMEZONE, SyncConfig, is_utc, system_zone
from conexxus_sync.errors import StoreError
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import RunKind
from conexxus_sync.model.text_folding import table
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.sales._clock_check import believable_last_run, find_clock_problem
from conexxus_sync.service._host_objects import catalog_storage, order_source
from conexxus_sync.stores import open_store
from conexxus_sync.stores._unreadable_rows import UnreadableRows
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
from conexxus_sync.views.run_document import Document

from ._check_result import CheckResult, Level, failure, misconfigured
from ._console import progress, screen_width, write_json, write_lines
from ._exit_codes import ExitCode, gravest
from ._folder_check import folder_check
from ._run_text import moment
from ._session import Session
from ._store_file import missing_store, store_name
from ._webhook_check import tested_webhook, webhook_of
from ._wiring import logged_client, profile_check


# So many of the latest batches show what the sales have.
BATCHES_READ = 5


def doctor(*, webhook: bool = False, session: Session) -> ExitCode:
    """
    Check settings, back office, store, time zone, location, clock and webhook.

    What CONEXXUS_CATALOG and CONEXXUS_ORDERS name is loaded. Each line says
    ok, warning or problem, and what to do. Exit code 0: no problem; 1:
    something does not work; 2: a setting is missing or wrong.

    ```
    conexxus doctor
    conexxus doctor --webhook
    conexxus doctor --json | jq '.[] | select(.level != "ok")'
    ```

    Args:
        webhook: Send a test notice to CONEXXUS_ALERT_WEBHOOK, and say
            whether it was taken.
    """
    with progress("Checking …"):
        findings = list(examine(session, webhook=webhook))

    if session.json:
        write_json([*map(Finding.of, findings)])
    else:
        rows = [(f.level, f.check, f.message) for f in findings]
        write_lines(table(("", "", ""), rows, width=screen_width())[1:])
        if helps := [finding.help for finding in findings if finding.level is Level.PROBLEM]:
            write_lines(["", "Help:", *(f"  {it}" for it in helps)])

    return gravest(finding.code for finding in findings)


class Finding(Document, frozen=True):
    """
    The outcome of one check.
    """

    check: str
    level: Level
    message: str
    help: str | None = None


def examine(session: Session, *, webhook: bool = False) -> Iterator[CheckResult]:
    """
    Every check; one that can't be made because of another is left out.

    Args:
        webhook: Whether the webhook gets a test notice.
    """
    client: ClientConfig | None = None

    try:
        client, sync = _configs(session)
    except ConfigurationError as exc:
        for problem in exc.problems:
            yield misconfigured("settings", problem)
    else:
        if client is not None:
            yield _settings(client)
            yield _back_office(client, session)

    try:
        sync = session.sync_config()
    except ConfigurationError:
        return

    yield from _timezone(sync)
    yield from _location(sync)
    yield from _host_object("catalogue storage", sync.catalog, catalog_storage, session)
    # Without a zone, sales have no date.
    if sync.timezone is not None:
        yield from _host_object("order source", sync.orders, order_source, session)
    if sync.catalog_source is not None:
        yield folder_check(sync, session)
    if sync.shadow is not None:
        yield folder_check(sync, session, "CONEXXUS_SHADOW")
    yield from _store_and_clock(sync)
    yield from _profile(sync, session)
    yield from _tips(sync)
    yield tested_webhook(sync, client) if webhook else webhook_of(sync)


def _configs(session: Session) -> tuple[ClientConfig | None, SyncConfig]:
    """
    Both halves of the configuration; that of the client only where it is needed.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    if session.client_config() is None and not session.missing_settings():
        return None, session.sync_config()

    return session.configs()


def _settings(config: ClientConfig) -> CheckResult:
    """
    Where calls go, and what changes their way.
    """
    said = f"{config.api_url}; the API key is set, not shown"
    if config.ca_file is not None:
        said += f"; CONEXXUS_CA_FILE is {config.ca_file}"
    if config.proxy is not None:
        said += "; CONEXXUS_PROXY is set"

    return CheckResult(check="settings", message=said)


def _back_office(config: ClientConfig, session: Session) -> CheckResult:
    try:
        profile = session.api_profile()
    except ConfigurationError as exc:
        return misconfigured("profile", str(exc))

    with logged_client(config, profile) as client:
        check = client.test_connection()

    if not check.success:
        return failure("back office", check.message, error_help=check.help)

    return CheckResult(check="back office", message=f"{check.message} ({check.latency_ms} ms)")


def _timezone(config: SyncConfig) -> Iterator[CheckResult]:
    if config.timezone is None:
        yield misconfigured("time zone", f"sales can't be pushed: {NO_TIMEZONE}")
        return

    now = SystemClock().now()
    said = f"{config.timezone.key}; it is {moment(now, config.timezone)} in the store"
    doubt = _timezone_doubt(config.timezone, now) or _doubt_of_sales(config)

    if doubt is None:
        yield CheckResult(check="time zone", message=said)
    else:
        yield CheckResult(check="time zone", level=Level.WARNING, message=f"{said}, {doubt}")


def _timezone_doubt(zone: ZoneInfo, now: datetime) -> str | None:
    """
    Why *zone* is perhaps not that of the store.
    """
    system = system_zone()

    if (
        system is not None
        and now.astimezone(system).utcoffset() != now.astimezone(zone).utcoffset()
    ):
        return (
            f"but this machine is set to {system.key}, where it is {moment(now, system)}. If that "
            "is the store's time, correct CONEXXUS_TIMEZONE"
        )
    if is_utc(zone):
        return "and business dates end by UTC: set CONEXXUS_TIMEZONE to the store's own zone"

    return None


def _doubt_of_sales(config: SyncConfig) -> str | None:
    """
    What the last push saw of the sales.
    """
    try:
        if missing_store(config) is not None:
            return None
        with open_store(config.store).at(config.location_id).read() as state:
            run = state.runs.latest(RunKind.SALES)
    except ConexxusError:
        return None  # of the checks that follow

    return None if run is None or run.zone_doubt is None else f"but {run.zone_doubt}"


def _location(config: SyncConfig) -> Iterator[CheckResult]:
    if config.location_id == "default":
        yield CheckResult(
            check="location",
            level=Level.WARNING,
            message="LOCATION_ID is not set: sales go out as location 'default'. "
            "Set it to the store's id in the back office",
        )
    else:
        yield CheckResult(check="location", message=config.location_id)


def _host_object(
    check: str, name: str | None, make: Callable[[SyncConfig], object], session: Session
) -> Iterator[CheckResult]:
    """
    Whether what a setting names of the host's can be made, and has its methods.
    """
    if name is None:
        return

    try:
        session.host_object(make)
    except ConfigurationError as exc:
        yield misconfigured(check, str(exc))
    else:
        yield CheckResult(check=check, message=f"{name} can be used")


def _store_and_clock(config: SyncConfig) -> Iterator[CheckResult]:
    path = missing_store(config)

    if path is not None:
        missing = _missing(path)
        yield missing
        if missing.level is Level.WARNING:
            yield from _temporary_file(config)
        yield _clock(SystemClock().now(), None)
        return

    try:
        store = open_store(config.store).at(config.location_id)
        with store.write() as state:
            state.try_write()
        store.leases.refuse_moved()
        with store.read() as state:
            now = SystemClock().now()
            runs = state.sales_dates.runs_around(now)
            unreadable = state.unreadable_rows()
    except ConfigurationError as exc:
        yield misconfigured("store", str(exc))
        return
    except ConexxusError as exc:
        yield failure("store", str(exc), error_help=exc.help)
        return

    yield _found(config)
    yield from _temporary_file(config)
    yield from map(_unreadable, unreadable)
    yield _clock(now, believable_last_run(runs, now))


def _profile(config: SyncConfig, session: Session) -> Iterator[CheckResult]:
    """
    Whether sales are pushed with the profile of the pushes so far.
    """
    check = profile_check(session, config)

    if check is None or missing_store(config) is not None:
        return

    try:
        with check.store.read() as state:
            problem = check.problem(state)
    except ConexxusError:
        return  # of the checks before

    if problem is not None:
        yield misconfigured("profile", problem)


def _tips(config: SyncConfig) -> Iterator[CheckResult]:
    """
    Whether a tip that comes after its sale was sent would only be reported.
    """
    if config.push_every is None or config.on_changed != "report" or missing_store(config):
        return

    try:
        with open_store(config.store).at(config.location_id).read() as state:
            given = any(b'"tip"' in body for body in state.outbox.latest_bodies(BATCHES_READ))
    except ConexxusError:
        return  # of the checks before

    if given:
        yield CheckResult(
            check="tips",
            level=Level.WARNING,
            message="sales have tips and are pushed during the day (CONEXXUS_PUSH_EVERY): a tip "
            "that is added later is only reported, and the back office keeps the sale without it. "
            "Set CONEXXUS_ON_CHANGED=resend, or CONEXXUS_PUSH_EVERY=off",
        )


def _missing(place: str) -> CheckResult:
    path = Path(place)

    if path.is_absolute() and not path.parent.is_dir():
        return failure("store", f"There is no store at {place}, and no such folder")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return failure(
            "store",
            f"There is no store at {place}, and this process may not write to that folder: "
            "set CONEXXUS_STORE to a path in one that it may write to",
        )

    return CheckResult(
        check="store",
        level=Level.WARNING,
        message=f"There is no store at {place}: `conexxus run` and `conexxus pull` create one",
    )


def _found(config: SyncConfig) -> CheckResult:
    """
    It is there; but a relative path leads elsewhere from another folder.
    """
    said = f"{store_name(config)} can be written"
    scheme, _, name = config.store.partition(":///")

    if scheme != "sqlite" or Path(name).is_absolute():
        return CheckResult(check="store", message=said)

    return CheckResult(
        check="store",
        level=Level.WARNING,
        message=f"{said}, but its path is relative: in another folder it is another store. "
        f"Set CONEXXUS_STORE=sqlite:///{Path(name).absolute()}",
    )


def _temporary_file(config: SyncConfig) -> Iterator[CheckResult]:
    """
    A small catalogue needs none, a large one does.
    """
    database = open_store(config.store).database

    if not isinstance(database, SqliteDatabase):
        return

    try:
        database.try_temporary_file()
    except StoreError as exc:
        yield failure("temporary files", str(exc))


def _unreadable(rows: UnreadableRows) -> CheckResult:
    return failure(
        "rows",
        f"{counted(rows.count, 'row')} of {rows.table} can't be read, like {rows.like}, and "
        "nothing else waits for it. If sales of a date are missing at the back office, run "
        "`conexxus push --orders ORDERS --date DATE`",
    )


def _clock(now: datetime, last_run: datetime | None) -> CheckResult:
    clock_problem = find_clock_problem(now, last_run=last_run)

    if clock_problem is not None:
        return failure("clock", str(clock_problem))

    return CheckResult(check="clock", message=f"{now:%Y-%m-%d %H:%M} UTC")
