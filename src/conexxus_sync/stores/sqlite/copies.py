"""
Copies of a store: back up, restore, check.

None of them brings a store up to date: a copy is what it was made of.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.errors import StoreError
from conexxus_sync.stores._freeze_file import FreezeFile

from . import freeze_file
from ._error_advice import explained
from ._migrations import Identity, identity_of, latest_version
from ._sqlite_database import HASTY_TIMEOUT_S
from ._wal_generation import WalGeneration


Progress = Callable[[int, int], None]

_PAGES_AT_ONCE = 512

_COUNTS = """
SELECT location, sum(items), sum(sales), sum(batches) FROM (
    SELECT location, 1 AS items, 0 AS sales, 0 AS batches FROM items
    UNION ALL SELECT location, 0, 1, 0 FROM delivered
    UNION ALL SELECT location, 0, 0, 1 FROM batches
) GROUP BY location ORDER BY location
"""
_WITH_SALES = """
SELECT location FROM sales_floors UNION SELECT location FROM batches
UNION SELECT location FROM delivered
"""
_FREEZES = "SELECT location, number FROM sales_freezes"


@attrs.frozen(kw_only=True)
class LocationCounts:
    """
    What a store holds of one location.

    Attributes:
        items: Of the catalogue, missing ones included.
        sales: Delivered, and remembered.
        batches: Of sales, in any state.
    """

    location_id: str
    items: int
    sales: int
    batches: int


@attrs.frozen(kw_only=True)
class StoreCheck:
    """
    What a look at each page of a store found.

    Attributes:
        schema_version: None if it can't be read.
        problems: One sentence each; none if the store is sound.
        locations: Empty if they can't be counted.
    """

    path: Path
    schema_version: int | None = None
    application_id: int | None = None
    problems: tuple[str, ...] = ()
    locations: tuple[LocationCounts, ...] = ()


def check(path: Path, *, progress: Progress = lambda done, total: None) -> StoreCheck:
    """
    Check the store at *path*: its pages, its references, and whose file it is.

    Args:
        progress: Is called once in a while, with zeros.
    """
    try:
        with _opened(path) as connection:
            # A signal is handled between two calls.
            connection.set_progress_handler(lambda: progress(0, 0), 200_000)
            return _checked(path, connection)
    except (StoreError, sqlite3.Error) as exc:
        text = explained(path, exc) if isinstance(exc, sqlite3.Error) else str(exc)
        return StoreCheck(path=path, problems=(text,))


def back_up(
    path: Path,
    target: Path,
    *,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> None:
    """
    Copy the store at *path*, as it is at this moment, to the new file *target*.

    Other processes may write to the store meanwhile.

    Args:
        overwrite: Whether there may be a file *target*, which is replaced.
        progress: Is called with the pages that were copied, and with all.

    Raises:
        ConfigurationError: There is a file, or it is the store itself.
        StoreError: The copy can't be made; the target is as it was.
    """
    _refuse_same_file(path, target)
    _refuse_present(target, overwrite=overwrite)

    with _translated(path), _opened(path) as source, _draft(source, target, progress) as draft:
        _remove_logs(target)
        _replace(draft, target)


def restore(
    backup: Path,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> tuple[str, ...]:
    """
    Put a copy of *backup* in the place of the store at *path*.

    What was sent since the backup is not known: pushes of its locations wait
    until an operator says what the back office has.

    Args:
        overwrite: Whether there may be a store, which is replaced.
        progress: Is called with the pages that were copied, and with all.

    Returns:
        The locations whose pushes wait.

    Raises:
        ConfigurationError: There is a store, or the backup is the store itself.
        StoreError: Another process uses the store, or the backup is damaged;
            the store is as it was.
    """
    # A link stays a link.
    path = Path(os.path.realpath(path))
    _refuse_same_file(path, backup)
    _refuse_present(path, overwrite=overwrite)
    _refuse_stranger(path)
    if problems := check(backup).problems:
        msg = f"{backup} is not restored: {problems[0]}"
        raise StoreError(msg)

    with _translated(path), _opened(backup) as source, _draft(source, path, progress) as draft:
        numbers = _freeze_numbers(source)
        _forget_move(draft)
        with _alone(path):
            _hold_pushes(FreezeFile(freeze_file(path)), numbers)
            _remove_logs(path)
            _replace(draft, path)

    return tuple(numbers)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """
    A connection that reads one state of the file, and changes nothing.
    """
    if not path.exists():
        msg = f"there is no file {path}"
        raise StoreError(msg)

    WalGeneration(path).check()

    with closing(_connected(path)) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)

    try:
        # The state of this first look is the one that is read to the end.
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as exc:
        connection.close()
        if exc.sqlite_errorname not in ("SQLITE_CANTOPEN", "SQLITE_READONLY_DIRECTORY"):
            raise
        # In a folder that can't be written to, no other process writes either.
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    except BaseException:
        connection.close()
        raise

    return connection


def _checked(path: Path, connection: sqlite3.Connection) -> StoreCheck:
    identity = identity_of(connection)
    found = StoreCheck(
        path=path, schema_version=identity.version, application_id=identity.application_id
    )
    problems = [*_identity_problems(identity), *_damages(connection)]

    if not problems:
        rows = connection.execute(_COUNTS).fetchall()
        names = ("location_id", "items", "sales", "batches")
        counts = (LocationCounts(**dict(zip(names, row, strict=True))) for row in rows)
        return attrs.evolve(found, locations=tuple(counts))

    return attrs.evolve(found, problems=tuple(problems))


def _identity_problems(identity: Identity) -> Iterator[str]:
    known = latest_version()

    if identity.problem is not None:
        yield f"it {identity.problem}"
    elif identity.version > known:
        yield (
            f"it has schema version {identity.version}, this conexxus-sdk reads {known}: "
            "upgrade conexxus-sdk"
        )


def _damages(connection: sqlite3.Connection) -> Iterator[str]:
    for (text,) in connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield f"it is damaged: {text}"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} refers to a missing row of {parent}"


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


@contextmanager
def _draft(source: sqlite3.Connection, target: Path, progress: Progress) -> Iterator[Path]:
    """
    A copy of *source* beside *target*, for its owner alone; deleted at the end
    if it is still there.
    """
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    try:
        with closing(sqlite3.connect(draft)) as copy:
            source.backup(
                copy,
                pages=_PAGES_AT_ONCE,
                progress=lambda status, left, total: progress(total - left, total),
            )
        yield draft
    finally:
        draft.unlink(missing_ok=True)
        _remove_logs(draft)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """
    While no other process has the store open.

    Raises:
        StoreError: One has.
    """
    if not path.exists():
        yield
        return

    try:
        WalGeneration(path).check()
    except StoreError:
        # It is of another file, and is not written into this one.
        _remove_logs(path)

    with closing(sqlite3.connect(path, timeout=HASTY_TIMEOUT_S, isolation_level=None)) as old:
        try:
            # Neither succeeds while another connection is open.
            old.execute("PRAGMA journal_mode = DELETE").fetchone()
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as exc:
            if exc.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                msg = (
                    f"another process uses the store {path}: nothing was changed. "
                    "Stop it, then run again."
                )
                raise StoreError(msg) from exc
            # It is damaged, perhaps the reason for all this.
        yield


def _freeze_numbers(source: sqlite3.Connection) -> dict[str, int]:
    """
    How often sales were frozen, of each location that has any.
    """
    if _value(source, "user_version") < 2:  # a store without sales
        return {}

    found = {location: 0 for (location,) in source.execute(_WITH_SALES)}
    with suppress(sqlite3.OperationalError):
        # A store of an earlier version counts nothing.
        found |= dict(source.execute(_FREEZES).fetchall())

    return dict(sorted(found.items()))


def _hold_pushes(file: FreezeFile, numbers: dict[str, int]) -> None:
    """
    Let the file count more than the restored store will.
    """
    for location, number in numbers.items():
        file.write(location, number + 1)

    known = file.numbers()
    if any(known.get(location, 0) <= number for location, number in numbers.items()):
        msg = f"{file.path} can't be written, by which a restored store is noticed"
        raise StoreError(msg)


def _forget_move(draft: Path) -> None:
    """
    Let a store be used again that was moved: pushes of its locations wait.
    """
    # A store of an earlier version records no moves.
    with closing(sqlite3.connect(draft)) as copy, copy, suppress(sqlite3.OperationalError):
        copy.execute("DELETE FROM store_moves")


def _refuse_same_file(path: Path, copy: Path) -> None:
    with suppress(OSError):
        if path.samefile(copy):
            raise ConfigurationError([f"{copy} is the store itself: name another file"])


def _refuse_present(target: Path, *, overwrite: bool) -> None:
    present = next((file for file in (target, *_logs(target)) if file.exists()), None)

    if present is not None and not overwrite:
        problem = f"there is a file {present}: name another one, or say --overwrite"
        raise ConfigurationError([problem])


def _refuse_stranger(path: Path) -> None:
    """
    Refuse to replace another program's database; a damaged store may be.
    """
    if not path.exists():
        return

    with suppress(sqlite3.Error, StoreError), _opened(path) as present:
        identity = identity_of(present)
        if identity.problem is not None and not identity.is_new:
            raise ConfigurationError([f"{path} {identity.problem}: it is not replaced"])


def _remove_logs(path: Path) -> None:
    for file in _logs(path):
        file.unlink(missing_ok=True)


def _logs(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", "-journal")]


def _replace(draft: Path, target: Path) -> None:
    """
    Rename, so that it outlasts the loss of power.
    """
    draft.replace(target)

    with suppress(OSError):
        folder = os.open(target.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise StoreError(explained(path, exc)) from exc
    except OSError as exc:
        msg = f"{exc.filename or path} can't be written: {exc.strerror}"
        raise StoreError(msg) from exc
