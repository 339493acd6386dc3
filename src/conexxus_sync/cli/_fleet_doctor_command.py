"""
`conexxus fleet doctor`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from conexxus_client import ConexxusClient, ConexxusError
from conexxus_sync.fleet import FleetFile, StoreSettings
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.text_folding import table
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.service._host_objects import catalog_storage, order_source
from conexxus_sync.stores import open_store

from ._check_result import CheckResult, Level, failure, misconfigured
from ._console import progress, screen_width, write_json, write_lines
from ._doctor_command import Finding
from ._exit_codes import ExitCode, gravest
from ._fleet_commands import FILE, fleet_file
from ._session import Session
from ._store_file import missing_store, store_name


def fleet_doctor(file: str = FILE, *, session: Session) -> ExitCode:
    """
    Check every store of a fleet: settings, host, back office, and the SDK's own state.

    What is wrong in FILE is named with its line and its key. Each credential is
    tried once, whichever stores have it. No key is shown. Exit code 0: no
    problem; 1: something does not work; 2: a setting is missing or wrong.

    ```
    conexxus fleet doctor fleet.toml
    conexxus fleet doctor fleet.toml --location 0042
    conexxus fleet doctor fleet.toml --json | jq '.[] | select(.level != "ok")'
    ```

    Args:
        file: The fleet, in TOML.
    """
    found = fleet_file(session, file)

    with progress("Checking …"):
        findings = list(_examine(found))

    if session.json:
        write_json([*map(Finding.of, findings)])
    else:
        rows = [(it.level, it.check, it.message) for it in findings]
        write_lines(table(("", "", ""), rows, width=screen_width())[1:])

    return gravest(finding.code for finding in findings)


def _examine(found: FleetFile) -> Iterator[CheckResult]:
    for it in found.wrong:
        for problem in it.problems:
            yield misconfigured("settings", f"store {it.name}: {problem}")
    if found.stores:
        stores = counted(len(found.stores), "store")
        yield CheckResult(check="settings", message=f"{stores} can start")
        yield _state(found)
        yield from _hosts(found)
        yield from _back_offices(found)


def _state(found: FleetFile) -> CheckResult:
    """
    Can the SDK's own state be read?
    """
    config = found.stores[0].sync
    if (path := missing_store(config)) is not None:
        message = f"there is none yet at {path}: `conexxus fleet run` creates it"
        return CheckResult(check="store", level=Level.WARNING, message=message)

    try:
        open_store(config.store).lease_states(SystemClock().now())
    except ConexxusError as exc:
        return failure("store", str(exc), error_help=exc.help)

    return CheckResult(check="store", message=f"{store_name(config)} can be read")


def _hosts(found: FleetFile) -> Iterator[CheckResult]:
    """
    What the settings name is loaded, once for all stores that name the same.
    """
    for check, name, make in (
        ("order source", "orders", order_source),
        ("catalogue storage", "catalog", catalog_storage),
    ):
        for reference in dict.fromkeys(getattr(it.sync, name) for it in found.stores):
            if reference is None:
                continue
            having = [it for it in found.stores if getattr(it.sync, name) == reference]
            message = f"{reference} can be used, for {counted(len(having), 'store')}"
            try:
                make(having[0].sync)
                yield CheckResult(check=check, message=message)
            except ConexxusError as exc:
                yield misconfigured(check, f"{_names(having)}: {exc}")


def _back_offices(found: FleetFile) -> Iterator[CheckResult]:
    """
    Each credential at its back office; what is wrong with several is said once.
    """
    by_key = dict[tuple[str, str], list[StoreSettings]]()
    for it in found.stores:
        by_key.setdefault((it.client.api_url, it.credential), []).append(it)

    groups = list(by_key.values())
    with ThreadPoolExecutor(found.options.workers) as workers:
        answers = list(workers.map(lambda having: _connection(having[0]), groups))

    causes = dict[tuple[str, str], list[list[StoreSettings]]]()
    for having, problem in zip(groups, answers, strict=True):
        causes.setdefault((having[0].client.api_url, problem), []).append(having)

    for (url, problem), having_all in causes.items():
        stores = [it for having in having_all for it in having]
        if not problem:
            message = f"{url} answers, for {counted(len(stores), 'store')}"
            yield CheckResult(check="back office", message=message)
        else:
            keys = ", ".join(having[0].credential for having in having_all[:3])
            message = f"{url}, for {_names(stores)} (key: {keys}): {problem}"
            yield failure("back office", message)


def _connection(store: StoreSettings) -> str:
    """
    What is wrong with the connection; empty if nothing is.
    """
    with closing(ConexxusClient(store.client, profile=store.profile)) as client:
        check = client.test_connection()

    return "" if check.success else check.message


def _names(stores: list[StoreSettings]) -> str:
    first = ", ".join(it.location_id for it in stores[:3])

    return f"{counted(len(stores), 'store')}: {first}{' …' if len(stores) > 3 else ''}"  # as above
