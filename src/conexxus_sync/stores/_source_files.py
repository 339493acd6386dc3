"""
Table of the files that were applied as a catalogue, or as changes of one.
"""

from datetime import datetime

import attrs

from conexxus_sync.model.catalogue import SourceFile

from ._database import Repository, text


_APPLIED = "SELECT name, digest, size, modified, complete FROM source_files WHERE location = ?"
_REMEMBER = """
INSERT INTO source_files
    (location, name, digest, size, modified, complete, run_id, applied_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (location, name) DO UPDATE SET digest = excluded.digest, size = excluded.size,
    modified = excluded.modified, run_id = excluded.run_id, applied_at = excluded.applied_at,
    complete = CASE WHEN excluded.complete <> 0 THEN 1 ELSE source_files.complete END
"""


@attrs.frozen
class SourceFiles(Repository):
    """
    Rows of `source_files`, which are kept for good: a file may lie in its
    folder for as long.
    """

    def applied(self) -> dict[str, SourceFile]:
        """
        The last file that was applied under each name; complete if one of
        this name was.
        """
        rows = self.session.execute(_APPLIED, (self.location,)).fetchall()

        return {
            name: SourceFile(
                name=name,
                digest=bytes(digest),
                size=size,
                modified=int(modified),
                is_complete=bool(complete),
            )
            for name, digest, size, modified, complete in rows
        }

    def remember(self, file: SourceFile, run_id: str, now: datetime) -> None:
        """
        *file* is applied, in the transaction that does so.
        """
        seen = (file.name, file.digest, file.size, str(file.modified), int(file.is_complete))
        self.session.execute(_REMEMBER, (self.location, *seen, run_id, text(now)))
