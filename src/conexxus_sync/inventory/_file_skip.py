"""
Sets one file aside that stops the later ones.
"""

import attrs

from conexxus_sync.engines import EngineContext
from conexxus_sync.model.catalogue import SourceFile
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.runtime.run_logging import in_run


@attrs.frozen(kw_only=True)
class FileSkip:
    """
    Lets a file count as applied, and changes nothing of the catalogue.

    A file of the same name with other bytes counts again.
    """

    context: EngineContext

    def skip(self, file: SourceFile, reason: str | None = None) -> SyncRun:
        """
        Skip *file* for good.

        Returns:
            The run as it was recorded; it is no pull.

        Raises:
            RunInProgressError: A pull is in progress.
            StoreError: The store can't be used.
        """
        with self.context.leased("inventory") as lease, in_run(lease.run_id, lease.location_id):
            because = "" if reason is None else f": {reason}"
            run = SyncRun(
                id=lease.run_id,
                kind=RunKind.INVENTORY,
                location_id=lease.location_id,
                status=RunStatus.SUCCESS,
                start_time=lease.renewed_at,
                end_time=self.context.clock.now(),
                file=file.name,
                note=f"{file.name} was skipped, and nothing of it applied{because}",
                replayed=True,
            )
            with self.context.store.write(lease) as state:
                state.source_files.remember(file, run.id, run.start_time)
                state.runs.save(run)

        return run
