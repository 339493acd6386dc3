"""
Whose the files of a store are, where this process may not use them.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path


def owner_advice(path: Path) -> str:
    """
    Which file of the store at *path* belongs to somebody else, and what to do;
    empty if that is not what is wrong.
    """
    if sys.platform == "win32":
        return ""

    for file, wanted in _files(path):
        try:
            owner = file.stat().st_uid
        except OSError:
            continue
        if owner != os.geteuid() and not os.access(file, wanted, effective_ids=_EFFECTIVE):
            given = file if file.is_dir() else f"{os.path.realpath(path)}*"
            return _advice(file, given, _name(owner), _name(os.geteuid()))

    return ""


_EFFECTIVE = os.access in os.supports_effective_ids


def _files(path: Path) -> Iterator[tuple[Path, int]]:
    """
    What has to be read and written, the folder first.
    """
    real = Path(os.path.realpath(path))

    yield real.parent, os.W_OK | os.X_OK
    for end in ("", "-wal", "-shm"):
        yield real.with_name(real.name + end), os.R_OK | os.W_OK


def _advice(file: Path, given: object, owner: str, user: str) -> str:
    return (
        f"{file} belongs to {owner}, and this process runs as {user}: run it as {owner}, or run "
        f"`chown {user} {given}` as root"
    )


def _name(uid: int) -> str:
    """
    The name of a user; the number of one that has none.
    """
    from pwd import getpwuid  # there is none on Windows

    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
