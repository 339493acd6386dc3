"""
The store of one command: where it is, and what a command does where there is none.
"""

import logging
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.stores import LocationStore, open_store, scheme_of

from ._session import Session


_log = logging.getLogger(__name__)


def store_path(config: SyncConfig) -> Path:
    """
    The absolute path of the store, whether it is there or not.

    Raises:
        ConfigurationError: It is no file.
    """
    if scheme_of(config.store) == "postgresql":
        msg = (
            f"the store {store_name(config)} is no file: pg_dump and pg_restore copy it "
            "(see docs/how-to/use-postgresql.md)"
        )
        raise ConfigurationError([msg])

    return Path(config.store.partition("sqlite:///")[2]).absolute()


def store_name(config: SyncConfig) -> str:
    """
    The store's URL, without a password.
    """
    if scheme_of(config.store) != "postgresql":
        return config.store

    return str(open_store(config.store))


def missing_store(config: SyncConfig) -> str | None:
    """
    Where there should be a store, and is none: an absolute path, or a schema.
    """
    store = open_store(config.store)

    try:
        there = store.database.exists()
    except (ConexxusError, OSError):
        # To open it says better what is wrong.
        there = True

    return None if there else str(store)


def opened(session: Session) -> tuple[SyncConfig, LocationStore]:
    """
    The settings and the store, for a command that only reads.

    Where there is no store, that is said, and the answer is about an empty
    one: none is created.
    """
    config = readable(session)

    return config, open_store(config.store).at(config.location_id)


def readable(session: Session) -> SyncConfig:
    """
    The settings; where there is no store, with an empty one for this command.
    """
    config = session.sync_config()
    path = missing_store(config)

    if path is None:
        return config

    _log.warning(
        "There is no store at %s, and none is created: set CONEXXUS_STORE to the one that your "
        "service uses",
        path,
    )
    folder = temporary_folder(session.cleanup, Path(path).parent)

    return attrs.evolve(config, store=f"sqlite:///{folder}/empty.db")


def temporary_folder(cleanup: ExitStack, other: Path | None = None) -> Path:
    """
    A folder that *cleanup* removes.

    Args:
        other: Where it may be instead, as a container may have no /tmp.

    Raises:
        ConfigurationError: There is none.
    """
    for parent in (None, other):
        with suppress(OSError):
            made = TemporaryDirectory(prefix="conexxus-", dir=parent)
            return Path(cleanup.enter_context(made))

    msg = "no folder for temporary files can be written to: set TMPDIR to one that can"
    raise ConfigurationError([msg])


def changeable(session: Session) -> tuple[SyncConfig, LocationStore]:
    """
    The settings and the store, for a command that changes what is in it.

    Raises:
        ConfigurationError: There is none, and it is not to be created.
    """
    config = session.sync_config()
    require_store(session, config)

    return config, open_store(config.store).at(config.location_id)


def require_store(session: Session, config: SyncConfig) -> None:
    """
    Raises:
        ConfigurationError: There is no store, and it is not to be created.
    """
    path = missing_store(config)

    if path is not None and not session.create_store:
        problem = (
            f"There is no store at {path}: set CONEXXUS_STORE to the one that your service uses, "
            "or say --create-store"
        )
        raise ConfigurationError([problem])

    note_new_store(config)


def note_new_store(config: SyncConfig) -> None:
    """
    Say so where a store is about to be made: perhaps another was meant.
    """
    path = missing_store(config)

    if path is not None:
        _log.warning("There was no store here; this is a new, empty store", extra={"store": path})
