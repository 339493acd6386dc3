"""
`conexxus fleet adopt`.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.config import day
from conexxus_sync.fleet import Fleet, FleetFile, StoreSettings
from conexxus_sync.model.formatting import counted
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.sales._adoption import Adoption
from conexxus_sync.sales._status import is_fresh
from conexxus_sync.stores import open_store
from conexxus_sync.stores._store_copy import copy_store, locations_of
from conexxus_sync.views.run_document import Document

from ._console import asked, progress, write_error, write_json, write_lines
from ._exit_codes import ExitCode, gravest
from ._fleet_commands import FILE, fleet_file, opened_fleet
from ._outcomes import code_of_error
from ._session import Session


# The others are only counted.
SHOWN = 20


def fleet_adopt(
    file: str = FILE,
    *,
    copy_from: str | None = None,
    through: str | None = None,
    group: str | None = None,
    plan: bool = False,
    yes: bool = False,
    session: Session,
) -> ExitCode:
    """
    Take over stores that something else served until now. Stop that first.

    A store that ran `conexxus run` has its own state: `--copy-from` copies that into the
    fleet's, compares it row by row, and no run begins in the old one any more.
    Where another program sent the sales, `--through` takes what the host has up
    to that date for delivered, sends nothing, and later sales are pushed. Either
    is needed before the first `fleet run` of these stores: else their sales are
    pushed again, or held back.

    ```
    conexxus fleet adopt --copy-from sqlite:////srv/0042/conexxus.db --plan
    conexxus fleet adopt --copy-from sqlite:////srv/0042/conexxus.db
    conexxus fleet adopt --through 2026-01-01 --group north --plan
    conexxus fleet adopt --through 2026-01-01 --location 0043
    ```

    Exit code 6 if a run of such a store is in progress; then, and after an
    interruption, give the same command again.

    Args:
        file: The fleet, in TOML; it has the stores already.
        copy_from: The store of the SDK in which they ran, as in CONEXXUS_STORE.
        through: The last business date that was delivered by another program.
        group: With --through: only the stores with this `group`.
        plan: Show what would be taken over; change nothing.
        yes: Do not ask at the terminal.
    """
    if (copy_from is None) == (through is None):
        raise ConfigurationError(["fleet adopt needs --copy-from URL or --through DATE, not both"])

    found = fleet_file(session, file)
    may_change = not plan and (yes or not sys.stdin.isatty())

    if copy_from is not None:
        return _copied(found, copy_from, session, plan=plan, may_change=may_change)

    stores = [it for it in found.stores if group is None or it.group == group]
    if not stores:
        raise ConfigurationError([f"no store in {file} that can start has group {group}"])

    return _delivered(found, stores, _day(through), session, plan=plan, may_change=may_change)


def _copied(
    found: FleetFile, url: str, session: Session, *, plan: bool, may_change: bool
) -> ExitCode:
    source, target = open_store(url), open_store(found.startable()[0].sync.store)
    names = locations_of(source)
    listed = {it.location_id for it in found.stores} | {it.name for it in found.wrong}

    if unlisted := [it for it in names if it not in listed]:
        msg = (
            f"{source} has the state of {_names(unlisted)}, which {found.path} has not: "
            "add it, with its own key and time zone"
        )
        raise ConfigurationError([msg])
    what = f"the state of {_names(names)} from {source} to {target}"
    if plan:
        return _planned(f"Would copy {what}.", names, session)
    if not may_change:
        _confirm(f"Copy {what}, and begin no run in the former any more?")

    with progress(f"Copying {source} …") as show:
        done = copy_store(
            source,
            target,
            now=SystemClock().now(),
            beside=True,
            step=lambda name: show(f"Copying {source}: {name} …"),
        )

    if session.json:
        document = {"store": str(source), "target": str(target), "locations": names}
        write_json({**document, "rows": done.rows, "wasThere": done.was_there})
    else:
        rows = counted(sum(done.rows.values()), "row")
        there = "was there already" if done.was_there else "is in the fleet's store now"
        write_lines(
            [
                f"The state of {_names(names)} {there}: {rows}, compared one by one.",
                f"The store {source} starts no run any more.",
            ]
        )

    return ExitCode.SUCCESS


def _delivered(
    found: FleetFile,
    stores: Sequence[StoreSettings],
    through: date,
    session: Session,
    *,
    plan: bool,
    may_change: bool,
) -> ExitCode:
    names = [it.location_id for it in stores]
    what = f"the sales of {counted(len(names), 'store')} up to {through} for delivered"

    with opened_fleet(found) as fleet:
        known = [it for it in names if not is_fresh(fleet.store.at(it))]
        also = f" Sales were pushed from here already: {_names(known)}." if known else ""
        if plan:
            return _planned(f"Would take {what}, and send nothing.{also}", names, session)
        if not may_change:
            _confirm(f"Take {what}, and send nothing?{also}")
        with progress(f"Adopting {counted(len(names), 'store')} …"):
            done = list(_adopted(fleet, names, through))

    adopted = {name: it for name, it in done if isinstance(it, Adoption)}
    if session.json:
        write_json([AdoptionDocument.of(it, location_id=name) for name, it in adopted.items()])
    else:
        write_lines(_lines(adopted))
    for name, it in done:
        if not isinstance(it, Adoption):
            write_error(f"{name}: {it}")

    return gravest(code_of_error(it) for _, it in done if not isinstance(it, Adoption))


def _adopted(
    fleet: Fleet, names: Sequence[str], through: date
) -> Iterator[tuple[str, Adoption | ConexxusError]]:
    """
    What was adopted of each store, or why nothing could be.
    """

    def adopt(name: str) -> Adoption | ConexxusError:
        try:
            sales = fleet.locations[name].engines.sales
            if sales is None:
                return ConfigurationError(["it has no order source: set `orders`"])
            return sales.adopt(through)
        except ConexxusError as exc:
            return exc

    with ThreadPoolExecutor(fleet.options.workers) as workers:
        yield from zip(names, workers.map(adopt, names), strict=True)


class AdoptionDocument(Document, frozen=True):
    """
    What was adopted of one store, for programs.
    """

    location_id: str
    first: date
    through: date
    transactions: int
    batches: int


def _lines(adopted: dict[str, Adoption]) -> Iterator[str]:
    sales = sum(it.transactions for it in adopted.values())
    yield (
        f"{counted(sales, 'sale')} of {counted(len(adopted), 'store')} taken for delivered, "
        "and nothing was sent."
    )

    for name, it in list(adopted.items())[:SHOWN]:
        waiting = f", with {counted(it.batches, 'waiting batch', 'waiting batches')}"
        yield (
            f"{name}: {counted(it.transactions, 'sale')} of {it.first} to {it.through}"
            f"{waiting if it.batches else ''}"
        )
    if len(adopted) > SHOWN:
        yield f"… and {len(adopted) - SHOWN:,} more: --json shows them."


def _planned(text: str, names: Sequence[str], session: Session) -> ExitCode:
    if session.json:
        write_json({"planned": True, "locations": names})
    else:
        write_lines([text])

    return ExitCode.SUCCESS


def _confirm(question: str) -> None:
    if not asked([question]):
        raise ConfigurationError(["fleet adopt was not confirmed: nothing was changed"])


def _day(text: str | None) -> date:
    try:
        return day(text or "")
    except ValueError as exc:
        raise ConfigurationError([f"--through {exc}"]) from exc


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""

    return f"{', '.join(names[:3])}{more}"
