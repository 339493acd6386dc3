"""
A catalogue for some stores first, and then for the others.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.model.catalogue import Plan
from conexxus_sync.model.runs import SyncRun

from ._fleet import Fleet
from ._location import Location


@attrs.frozen(kw_only=True)
class StorePull:
    """
    What became of the pull of one store.

    Attributes:
        run: As it was recorded; None if it could not begin.
        problem: Why it could not, in a sentence.
    """

    location_id: str
    run: SyncRun | None = None
    problem: str | None = None


def pull_stores(
    fleet: Fleet,
    locations: Iterable[str],
    *,
    plan: bool = False,
    force: bool = False,
    accept: Plan | None = None,
) -> list[StorePull]:
    """
    Pull the catalogues of these stores now, due or not; as many at a time as the
    fleet has workers, within the rate of each credential.

    Args:
        plan: Only say what would change.
        force: Pass all guards, this once.
        accept: From `catalogue_of`: apply the catalogue if it is this one, whatever the
            guards say.
    """
    pull = partial(_pull, fleet, plan=plan, force=force, accept=accept)

    with ThreadPoolExecutor(fleet.options.workers) as workers:
        return list(workers.map(pull, [fleet.locations[it] for it in locations]))


def catalogue_of(fleet: Fleet, run_id: str) -> Plan:
    """
    The catalogue that a run of any store applied last, or showed and did not apply.

    Raises:
        ConfigurationError: There is no such run, or its store has another one by now.
        StoreError: The store can't be used.
    """
    for location_id in fleet.locations:
        with fleet.store.at(location_id).read() as state:
            found = state.plans.get(run_id)
            checkpoint = state.mirror.checkpoint()
        if found is not None:
            return attrs.evolve(found, scope=None)
        if checkpoint is not None and checkpoint.run.id == run_id:
            return Plan(run_id=run_id, scope=None, digest=checkpoint.digest)

    msg = (
        f"no store of this fleet has a catalogue of run {run_id[:60]}: name a planned or refused "
        "pull, or the last one that applied something"
    )
    raise ConfigurationError([msg])


def _pull(
    fleet: Fleet, location: Location, *, plan: bool, force: bool, accept: Plan | None
) -> StorePull:
    name = location.settings.location_id

    offices = fleet.offices
    while not offices.may_begin(location.settings):
        threading.Event().wait(offices.wait_s(location.settings))

    try:
        return StorePull(
            location_id=name, run=location.pull_now(plan=plan, force=force, accept=accept)
        )
    except ConexxusError as exc:
        return StorePull(location_id=name, problem=str(exc))
