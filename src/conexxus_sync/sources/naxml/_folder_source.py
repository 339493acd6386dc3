"""
`FolderSource`: a folder of ItemMaintenance files as the source of the catalogue.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import CatalogWindow, Item
from conexxus_sync.errors import SyncError
from conexxus_sync.model.catalogue import SourceFile
from conexxus_sync.model.formatting import counted
from conexxus_sync.protocols import CatalogReading, Clock
from conexxus_sync.stores import LocationStore, State

from ._fault import Fault, NaxmlError
from ._file_stream import FileStream
from ._folder_address import SCHEME, FolderAddress
from ._inbox import Inbox, digest_of


@attrs.frozen
class NothingNewer:
    """
    The stream of a folder in which all was applied.
    """

    not_modified: bool = True
    etag: str | None = None
    total: int | None = None
    page: int = 0
    digest: bytes = b""

    def windows(self) -> Iterator[CatalogWindow]:
        """
        None.
        """
        return iter(())


@attrs.frozen(kw_only=True)
class FolderSource:
    """
    Reads one file after the other, each once.

    The mirror says which files were applied, and what an item has that a file
    does not give: both are of the transaction that applied the last one.

    Attributes:
        timezone: The store's; None for the system's.
    """

    address: FolderAddress
    store: LocationStore
    clock: Clock
    timezone: ZoneInfo | None = None

    @property
    def scope(self) -> str:
        """
        Which catalogue it is.
        """
        return f"{SCHEME}{self.address.folder} {self.address.dialect.name}"

    @property
    def remembers(self) -> bool:
        return True

    def waiting(self, applied: Mapping[str, SourceFile]) -> list[str]:
        """
        The names of the files that are to be applied, in their order.

        Args:
            applied: The last file that was applied under each name.

        Raises:
            NaxmlError: The folder or a manifest can't be read, or a file is missing.
        """
        inbox = Inbox(folder=self.address.folder)

        return [it.name for it in inbox.pending(applied, self.clock.now())]

    def unread(self, name: str) -> SourceFile:
        """
        A file that waits, as it is now, whatever is in it.

        Raises:
            NaxmlError: It can't be read.
        """
        path = self.address.folder / name
        digest, found = digest_of(path), path.stat()

        return SourceFile(
            name=name,
            digest=digest,
            size=found.st_size,
            modified=found.st_mtime_ns,
            is_complete=False,
        )

    @contextmanager
    def open(self, *, etag: str | None, known: Mapping[bytes, int]) -> Iterator[CatalogReading]:
        """
        Begin to read the next file that was not applied.

        Raises:
            SyncError: There is no file, or it can't be used; nothing of it is applied.
        """
        del etag, known  # of another kind of source

        with self.store.read() as state:
            applied = state.source_files.applied()
            if names := self.waiting(applied):
                with self._explained(names):
                    try:
                        reading = self._reading(names, state)
                    except OSError as exc:
                        msg = f"it can't be read: {exc.strerror}"
                        raise NaxmlError(Fault.UNREADABLE, msg) from exc
                    yield reading
            elif applied:
                yield CatalogReading(stream=NothingNewer())
            else:
                msg = f"there is no complete file of items in {self.address.folder} yet"
                raise SyncError(msg)

    def _reading(self, names: list[str], state: State) -> CatalogReading:
        def known_item(sku: str) -> Item | None:
            found = state.mirror.item(sku)

            return None if found is None or found.missing_since is not None else found.item

        stream = FileStream(
            address=self.address,
            path=self.address.folder / names[0],
            location=self.address.store or self.store.location,
            today=self.clock.now().astimezone(self.timezone).date(),
            known_item=known_item,
        )

        file = stream.file(remaining=len(names) - 1)

        return CatalogReading(
            stream=stream, file=file, is_complete=file.is_complete, deleted=stream.deleted
        )

    @contextmanager
    def _explained(self, names: list[str]) -> Iterator[None]:
        """
        Which file can't be used, and what waits because of it.
        """
        later = counted(len(names) - 1, "later file")
        waits = f"; {later} {'waits' if len(names) == 2 else 'wait'} for it" if names[1:] else ""

        try:
            yield
        except NaxmlError as exc:
            error = exc.of_file(names[0], waits)
            # Perhaps the rest of it is still to come.
            raise (SyncError(str(error)) if exc.fault is Fault.TRUNCATED else error) from exc
