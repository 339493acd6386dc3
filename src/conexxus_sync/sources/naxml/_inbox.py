"""
The files of a folder, in the order in which they apply.
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import attrs

from conexxus_sync.model.catalogue import SourceFile

from ._fault import Fault, NaxmlError
from ._values import OTHER_BLOCKS
from ._xml import Element, XmlStream, name_of


# A file without a manifest may still be written.
SETTLES_AFTER = timedelta(seconds=10)

_LIST, _FILE = "FileList", "File"
# As seen: `MNF<moment>.xml` of Passport, `SEM330<moment>.xml` of Radiant.
_is_manifest = re.compile(r"(?:MNF|SEM)\d*\.xml", re.IGNORECASE).fullmatch
# Departments, item lists, promotions and taxes say nothing of one item.
_OTHERS = "|".join(detail[:3] for detail in OTHER_BLOCKS.values())
_is_other = re.compile(rf"(?:{_OTHERS})\d*\.xml", re.IGNORECASE).fullmatch


@attrs.frozen(kw_only=True)
class Inbox:
    """
    A folder to which another program writes; nothing in it is ever changed.

    Where it has manifests, the files that these list apply, in their order; else
    all files of items by name, once they are older than `SETTLES_AFTER`.
    """

    folder: Path

    def pending(self, applied: Mapping[str, SourceFile], now: datetime) -> list[Path]:
        """
        What is to be applied, in this order.

        Args:
            applied: The last file that was applied under each name.

        Raises:
            NaxmlError: The folder or a manifest can't be read, or a file is missing.
        """
        try:
            return self._pending(applied, now)
        except OSError as exc:
            msg = f"{exc.filename or self.folder} can't be read: {exc.strerror}"
            raise NaxmlError(Fault.UNREADABLE, msg) from exc

    def _pending(self, applied: Mapping[str, SourceFile], now: datetime) -> list[Path]:
        names = self._names()
        manifests = [name for name in names if _is_manifest(name)]

        if manifests:
            listed = self._listed(manifests)
            self._refuse_missing(listed, names, applied)
            paths = [self.folder / name for name in listed if name in names]
        else:
            paths = self._settled(names, now)

        return [path for path in paths if is_new(path, applied.get(path.name))]

    def _names(self) -> list[str]:
        """
        Those of XML files; one that is written has another name, as a rule.
        """
        with os.scandir(self.folder) as entries:
            return sorted(it.name for it in entries if _is_candidate(it))

    def _listed(self, manifests: list[str]) -> list[str]:
        return list(
            dict.fromkeys(
                name
                for manifest in manifests
                for name in read_manifest(self.folder / manifest)
                if not _is_other(name)
            )
        )

    def _refuse_missing(
        self, listed: list[str], names: list[str], applied: Mapping[str, SourceFile]
    ) -> None:
        missing = [it for it in listed if it not in names and it not in applied]

        if missing:
            msg = f"a manifest lists {missing[0]}, which is not in {self.folder}"
            raise NaxmlError(Fault.UNREADABLE, msg)

    def _settled(self, names: list[str], now: datetime) -> list[Path]:
        """
        Up to the first one that is too young: what comes after it waits.
        """
        found = []

        for name in names:
            path = self.folder / name
            if _is_other(name):
                continue
            if now.timestamp() - path.stat().st_mtime < SETTLES_AFTER.total_seconds():
                break
            found.append(path)

        return found


def _is_candidate(entry: "os.DirEntry[str]") -> bool:
    name = entry.name.lower()

    return name.endswith(".xml") and not name.startswith(".") and entry.is_file()


def read_manifest(path: Path) -> list[str]:
    """
    The names that a manifest lists.

    Raises:
        NaxmlError: It can't be read, or lists something else than files beside it.
    """
    with XmlStream.open(path) as stream:
        if stream.root.name != _LIST:
            msg = f"its root is {stream.root.name[:60]}, that of a manifest is {_LIST}"
            raise NaxmlError(Fault.NO_MAINTENANCE, msg)
        return [_file_name(it) for _, it in stream.elements([_FILE]) if name_of(it) == _FILE]


def _file_name(element: Element) -> str:
    """
    A name that leads out of the folder is none.
    """
    name = (element.text or "").strip()

    if not name or name != Path(name).name or "\\" in name or name.startswith("."):
        msg = f"it lists {name[:60]!r}, which is no file beside it"
        raise NaxmlError(Fault.UNREADABLE, msg, line=int(element.sourceline))

    return name


def is_new(path: Path, applied: SourceFile | None) -> bool:
    """
    Has the file not been applied as it is?
    """
    if applied is None:
        return True

    found = path.stat()
    if (found.st_size, found.st_mtime_ns) == (applied.size, applied.modified):
        return False

    return digest_of(path) != applied.digest


def digest_of(path: Path) -> bytes:
    """
    SHA-256 over the bytes of a file.

    Raises:
        NaxmlError: It can't be read.
    """
    digest = sha256()

    try:
        with path.open("rb") as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
    except OSError as exc:
        msg = f"it can't be read: {exc.strerror}"
        raise NaxmlError(Fault.UNREADABLE, msg) from exc

    return digest.digest()
