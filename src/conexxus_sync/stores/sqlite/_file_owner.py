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

    denied = [file for file, wanted in _files(path) if _is_denied(file, wanted)]

    return _advice(path, denied) if denied else ""


def _is_denied(file: Path, wanted: int) -> bool:
    try:
        is_ours = file.stat().st_uid == os.geteuid()
    except OSError:
        return False

    return not is_ours and not os.access(file, wanted, effective_ids=_EFFECTIVE)


_EFFECTIVE = os.access in os.supports_effective_ids


def _files(path: Path) -> Iterator[tuple[Path, int]]:
    """
    What has to be read and written, the folder first.
    """
    real = Path(os.path.realpath(path))

    yield real.parent, os.W_OK | os.X_OK
    for end in ("", "-wal", "-shm"):
        yield real.with_name(real.name + end), os.R_OK | os.W_OK


def _advice(path: Path, denied: list[Path]) -> str:
    uid = denied[0].stat().st_uid
    owner, user = _name(uid), _name(os.geteuid())
    # What root creates is denied to the service again.
    other = f"run it as {owner}, or " if uid else ""
    given = dict.fromkeys(str(it) if it.is_dir() else f"{os.path.realpath(path)}*" for it in denied)
    # A new store there would send again what this one has delivered.
    shared = (
        ". If other programs have files in that folder, move the store to another one instead"
        if denied[0].is_dir()
        else ""
    )

    return (
        f"{denied[0]} belongs to {owner}, and this process runs as {user}: {other}run "
        f"`chown {user} {' '.join(given)}` as root{shared}"
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
