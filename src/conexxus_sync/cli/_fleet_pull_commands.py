"""
`conexxus fleet pull` and `conexxus fleet accept`: some stores first, then the others.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta

from conexxus_client import ConfigurationError
from conexxus_sync.fleet import CatalogueHold, StorePull, catalogue_of, pull_stores
from conexxus_sync.fleet._catalogue_hold import LONGEST as LONGEST_HOLD
from conexxus_sync.fleet._catalogue_hold import end_hold
from conexxus_sync.fleet._fleet_options import interval
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.views.run_document import run_document

from ._console import asked, progress, write_error, write_json, write_lines
from ._exit_codes import ExitCode, gravest
from ._fleet_commands import FILE, fleet_file, opened_fleet, run_lines_of_fleet
from ._outcomes import code_of_run
from ._session import Session


# The others are only counted.
SHOWN = 20


def fleet_pull(
    file: str = FILE,
    *,
    group: str | None = None,
    plan: bool = False,
    force: bool = False,
    hold: str | None = None,
    session: Session,
) -> ExitCode:
    """
    Pull the catalogue of some stores now, due or not.

    A mass change of prices is refused by the guards of every store. Let a group
    have it first, look at those stores, and then accept it for the others. A change
    that no guard refuses reaches the others with their next pull, unless `--hold`
    makes their pulls wait.

    ```
    conexxus fleet pull --group canary --plan
    conexxus fleet pull --group canary --force --hold 4h
    conexxus fleet pull --location 0042
    ```

    Args:
        file: The fleet, in TOML.
        group: The stores with this `group`.
        plan: Show what would change; change nothing.
        force: Pass all guards once, after you have looked.
        hold: With --group: the other stores keep their catalogue until `fleet accept`,
            or for so long, like 4h; at most 168h. 0s ends it.
    """
    length = _length(hold, group)
    found = fleet_file(session, file)
    names = [it.location_id for it in found.stores if group is None or it.group == group]

    if group is None and "LOCATION_ID" not in session.given:
        raise ConfigurationError(["fleet pull needs --group or --location: which stores?"])
    if not names:
        raise ConfigurationError([f"no store in {file} that can start has group {group}"])

    with progress(f"Pulling {counted(len(names), 'store')} …"), opened_fleet(found) as fleet:
        # First: the others may pull at any moment.
        if length is not None and group is not None and not plan:
            CatalogueHold(group=group, until=fleet.now() + length).save(fleet.own)
        pulls = pull_stores(fleet, names, plan=plan, force=force)

    return _written(pulls, file, session)


def fleet_accept(plan: str, file: str = FILE, *, yes: bool = False, session: Session) -> ExitCode:
    """
    Give all stores the catalogue that a run of one of them showed or applied.

    Each store pulls, and applies what comes, whatever its guards say, if it is
    the same catalogue; else it is refused there, and nothing is changed. If none
    refuses it, a hold of `fleet pull --hold` ends. PLAN is the id of a run of any
    store, as `fleet pull` shows it.

    ```
    conexxus fleet accept 20260102T233000123Z-9f3a1c7d --yes
    ```

    Args:
        plan: The id of the run.
        file: The fleet, in TOML.
        yes: Do not ask at the terminal.
    """
    found = fleet_file(session, file)
    names = [it.location_id for it in found.stores]

    with opened_fleet(found) as fleet:
        catalogue = catalogue_of(fleet, plan)
        question = f"Apply the catalogue of {plan} to {counted(len(names), 'store')}?"
        if not yes and sys.stdin.isatty() and not asked([question]):
            raise ConfigurationError(["fleet accept was not confirmed: nothing was changed"])
        with progress(f"Pulling {counted(len(names), 'store')} …"):
            pulls = pull_stores(fleet, names, accept=catalogue)
        if not any(it.run is not None and it.run.refused for it in pulls):
            end_hold(fleet.own)

    return _written(pulls, file, session)


def _length(hold: str | None, group: str | None) -> timedelta | None:
    """
    How long the others wait, if they do.
    """
    if hold is None:
        return None
    if group is None:
        raise ConfigurationError(["--hold needs --group: which stores go on?"])

    try:
        length = timedelta() if hold in ("0", "0s") else interval(hold)
    except ValueError as exc:
        msg = f"--hold must be a time like 30m or 4h, got {hold[:20]!r}"
        raise ConfigurationError([msg]) from exc

    if length > LONGEST_HOLD:
        raise ConfigurationError([f"--hold must be at most 168h, got {hold[:20]!r}"])

    return length


def _written(pulls: Sequence[StorePull], file: str, session: Session) -> ExitCode:
    runs = [it.run for it in pulls if it.run is not None]

    if session.json:
        write_json([run_document(run) for run in runs])
    else:
        write_lines(_lines(pulls, file))
    for it in pulls:
        if it.problem is not None:
            write_error(f"{it.location_id}: {it.problem}")

    failed = (ExitCode.FAILED for it in pulls if it.problem is not None)

    return gravest([*map(code_of_run, runs), *failed])


def _lines(pulls: Sequence[StorePull], file: str) -> Iterator[str]:
    runs = [it.run for it in pulls if it.run is not None]
    refused = sum(run.refused is not None for run in runs)
    failed = sum(run.status is RunStatus.FAILED for run in runs) - refused
    yield (
        f"{counted(len(pulls), 'store')}: {len(runs) - refused - failed:,} pulled, "
        f"{refused:,} refused, {len(pulls) - len(runs) + failed:,} failed"
    )

    # What somebody has to look at comes first.
    ordered = sorted(runs, key=lambda run: run.status is not RunStatus.FAILED)
    for run in ordered[:SHOWN]:
        yield ""
        yield f"Run {run.id}"
        yield from run_lines_of_fleet(run, file)
    if len(runs) > SHOWN:
        yield f"… and {len(runs) - SHOWN:,} more: --json shows them."
