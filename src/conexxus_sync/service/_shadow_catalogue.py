"""
Shadow mode: the catalogue of the files beside that of the back office.
"""

from datetime import datetime
from itertools import islice

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.engines import EngineContext
from conexxus_sync.inventory import InventorySync
from conexxus_sync.model.guards import Guards
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.model.shadow import SHADOW_MARK, ShadowDifference, ShadowLook
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import State, SyncStore
from conexxus_sync.stores._shadow_looks import KEPT_EXAMPLES

from ._host_objects import folder_source


VARIABLE = "CONEXXUS_SHADOW"

_log = safe_logger(__name__)


@attrs.frozen(kw_only=True)
class ShadowCatalogue:
    """
    Applies the files to a mirror of their own, and compares it with the location's.

    Attributes:
        context: Of the location that pulls from the back office.
        files: The engine that applies the files.
    """

    context: EngineContext
    files: InventorySync

    @classmethod
    def of(cls, context: EngineContext, store: SyncStore) -> "ShadowCatalogue | None":
        """
        What the settings name; None where they name none.

        Raises:
            ConfigurationError: It can't be used, and why.
        """
        address = context.config.shadow

        if address is None:
            return None
        if context.config.catalog_source is not None:
            msg = f"{VARIABLE} goes with a catalogue of the back office, not with files alone"
            raise ConfigurationError([msg])

        # Nothing depends on this mirror: no file of it is refused.
        beside = EngineContext(
            store=store.at(f"{context.config.location_id}{SHADOW_MARK}"),
            config=attrs.evolve(
                context.config, guards=Guards(max_gone=1.0, max_repriced=1.0, max_invalid=1.0)
            ),
            clock=context.clock,
            is_stopping=context.is_stopping,
        )
        source = folder_source(address, beside, VARIABLE)
        source = attrs.evolve(
            source,
            address=attrs.evolve(
                source.address, store=source.address.store or context.config.location_id
            ),
        )

        return cls(context=context, files=InventorySync(client=None, context=beside, source=source))

    def look(self, run: SyncRun) -> None:
        """
        Apply the files that wait, compare, and keep what was found; nothing that
        goes wrong is the pull's matter.

        Args:
            run: The pull that has just ended; one that failed says nothing.
        """
        if run.planned or run.status is RunStatus.FAILED:
            return

        try:
            applied = self.files.pull()
            found = self._found(run, applied)
            with self.context.store.write() as state:
                state.shadow_looks.record(found)
        except ConexxusError as exc:
            _log.warning("Conexxus shadow files could not be compared: %s", exc)
            return

        if not found.agrees:
            _log.warning("Conexxus shadow files: %s", found)

    def _found(self, run: SyncRun, applied: SyncRun) -> ShadowLook:
        now = self.context.clock.now()

        # A file that has nothing good was read, and so was what came before it.
        is_read = bool(applied.items_processed) or applied.not_modified
        if applied.refused or (applied.status is RunStatus.FAILED and not is_read):
            return ShadowLook(at=now, problem=applied.last_error)

        with self.context.store.read() as state, self.files.context.store.read() as beside:
            last = state.shadow_looks.latest()
            if last is not None and last.problem is None and _is_quiet(state, run, applied):
                return attrs.evolve(last, at=now)

            return compared(state, beside, now=now)


def _is_quiet(state: State, run: SyncRun, applied: SyncRun) -> bool:
    """
    Has nothing changed since the last look?
    """
    if not applied.not_modified or run.created or run.updated or run.removed:
        return False

    return not any(it.replayed for it in state.runs.history(RunKind.INVENTORY, 2))


def compared(state: State, beside: State, *, now: datetime) -> ShadowLook:
    """
    What the mirror of the files and that of the back office differ in.

    Args:
        beside: Has the mirror of the files.
    """
    from conexxus_sync.sources.naxml import Comparison, ItemRecords, TableAction

    files = beside.source_files.applied().values()
    is_complete = any(it.is_complete for it in files)
    records = ItemRecords(
        items=(entry.item for entry in beside.mirror.items()),
        mode=TableAction.INITIALIZE if is_complete else TableAction.UPDATE,
    )
    found = Comparison.of(records, (entry.item for entry in state.mirror.items()))
    unusable = [
        ShadowDifference(kind="unusable", sku=it.key, in_file=it.detail)
        for it in beside.mirror.quarantined()
    ]
    differences = (
        ShadowDifference(
            kind=str(it.kind),
            sku=it.file_sku or it.catalogue_sku or "",
            name=it.name,
            in_file=None if it.in_file is None else str(it.in_file),
            in_catalogue=None if it.in_catalogue is None else str(it.in_catalogue),
        )
        for it in found.differences
    )

    return ShadowLook(
        at=now,
        differences=len(found.differences) + len(unusable),
        examples=(*islice(differences, KEPT_EXAMPLES), *unusable)[:KEPT_EXAMPLES],
    )
