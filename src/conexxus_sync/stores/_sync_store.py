"""
Units of work: `SyncStore`, `LocationStore`, and which of a thread share a connection.
"""

import os
import threading
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.model.leases import Lease
from conexxus_sync.runtime.processes import LinuxProcesses, Processes

from ._database import Database, Session
from ._lease_table import Leases, LeaseState, stored_leases
from ._state import State


if TYPE_CHECKING:
    from ._freeze_numbers import FreezeRecord
    from ._location_summaries import LocationSummary


@attrs.frozen
class LocationStore:
    """
    The state of one location.

    Attributes:
        leases: Which run may write.
    """

    database: Database
    location: str
    freeze_file: "FreezeRecord"
    leases: Leases

    @property
    def boot(self) -> str:
        """
        Which boot of this computer it is; empty if that is unknown.
        """
        return self.leases.processes.current().boot

    @contextmanager
    def read(self) -> Iterator[State]:
        """
        A unit of work that only reads; each statement sees the last commit.

        Raises:
            StoreError: The database can't be opened or read.
        """
        with self.database.read() as session:
            yield self._state(session)

    @contextmanager
    def write(self, lease: Lease | None = None) -> Iterator[State]:
        """
        One transaction: all of it, or nothing.

        Args:
            lease: Must still be ours; checked under the write lock.

        Raises:
            LeaseLostError: Another run took over; nothing was written.
            StoreError: The database can't be opened, read or written.
        """
        with self.database.write(location=self.location) as session:
            if lease is not None:
                self.leases.check(session, lease)
            yield self._state(session)

    @contextmanager
    def snapshot(self) -> Iterator[State]:
        """
        A unit of work in which all reads see one state, also those that are
        nested in it.

        Nothing may be written meanwhile, and a store that another process
        has to itself is not waited for.

        Raises:
            StoreError: The database can't be opened or read.
        """
        with self.database.snapshot() as session:
            yield self._state(session)

    def keep_open(self) -> AbstractContextManager[None]:
        """
        Let all units of work of this thread share one connection.

        To open one costs more than most questions, and when the last one is
        closed, SQLite empties its log.

        Raises:
            StoreError: The database can't be opened.
        """
        return self.database.keep_open()

    def short_timeout(self) -> AbstractContextManager[None]:
        """
        Let this thread wait no longer than a second for other processes.

        Where one of them has the store to itself, `StoreError` is raised soon,
        and nothing was changed.
        """
        return self.database.short_timeout()

    def _state(self, session: Session) -> State:
        # Units of work that share a connection share what was made for it.
        state = session.states.get(self.location)
        if state is None:
            state = session.states[self.location] = State(session, self.location, self.freeze_file)

        return state


class SyncStore:
    """
    Everything that the SDK remembers, of any number of locations.
    """

    def __init__(
        self, database: Database, freeze_file: "FreezeRecord", *, processes: Processes | None = None
    ) -> None:
        self.database: Database = database
        self.freeze_file: FreezeRecord = freeze_file
        self._processes = processes or LinuxProcesses()
        self._abandoned = set[tuple[str, str, int]]()

    def at(self, location_id: str) -> LocationStore:
        """
        The state of the location *location_id*, which need not exist yet.
        """
        leases = Leases(self.database, location_id, self._processes, self._abandoned)

        return LocationStore(self.database, location_id, self.freeze_file, leases)

    def lease_states(self, now: datetime) -> list[LeaseState]:
        """
        Which runs of all locations are at work, and how many there were: one query.

        Every run, and everything that an operator settles, takes a lease: what is
        due of a location is what it was for as long as its leases are.

        Raises:
            StoreError: The store can't be used.
        """
        with self.database.read() as session:
            found = stored_leases(session)

        return [
            LeaseState(location_id=location, kind=kind, epoch=row[0], run_id=None)
            if row[1] is None
            else self.at(location).leases.state(kind, row, now)
            for location, kind, *row in found
        ]

    def location_summaries(self) -> "dict[str, LocationSummary]":
        """
        How each location is that ever ran, by four queries.

        Raises:
            StoreError: The store can't be used.
        """
        from ._location_summaries import location_summaries  # only a fleet asks

        with self.database.snapshot() as session:
            return location_summaries(session)

    def close(self) -> None:
        """
        Give back connections that are idle; what is in use goes on.
        """
        self.database.close()


class SharedSession(Session, Protocol):
    """
    What a database needs of its sessions, besides what the tables need.
    """

    @property
    def process(self) -> int:
        """
        That opened it: a child process must not use it.
        """

    @property
    def is_open(self) -> bool:
        """
        Was it not closed?
        """

    @property
    def in_transaction(self) -> bool:
        """
        Is a transaction open?
        """

    def set_timeout(self, seconds: int) -> None:
        """
        For how long another writer is waited for.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """
        A transaction in which all reads see one state, and nothing is written.
        """


S = TypeVar("S", bound=SharedSession)


class _PerThread(threading.local):
    """
    Attributes:
        has_short_timeout: Whether this thread waits for other writers only shortly.
        session: What its units of work share.
    """

    has_short_timeout: bool = False
    session: Any = None


@attrs.define(eq=False)
class SharingDatabase(Generic[S]):
    """
    What `Database` says of connections, for any database.

    A unit of work has a connection of its own, so a database may be shared by
    threads and survives a fork; what is nested in a transaction, a snapshot or
    `keep_open` shares the connection of that.
    """

    here: _PerThread = attrs.field(factory=_PerThread, init=False)

    @property
    @abstractmethod
    def name(self) -> str:
        """
        For messages.
        """

    @abstractmethod
    def opened(self) -> AbstractContextManager[S]:
        """
        A connection that is not in use, up to date.
        """

    @property
    @abstractmethod
    def errors(self) -> tuple[type[Exception], ...]:
        """
        What the database raises.
        """

    @abstractmethod
    def explained(self, exc: Any) -> Exception:
        """
        The `StoreError` for one of `errors`; *exc* itself if it is not of the store.
        """

    @abstractmethod
    def transaction(
        self, session: S, *, location: str | None, durable: bool
    ) -> AbstractContextManager[None]:
        """
        A transaction as `Database.write` describes it.
        """

    @property
    @abstractmethod
    def timeout(self) -> int:
        """
        For how many seconds this thread waits for another writer.
        """

    @contextmanager
    def read(self, *, apart: bool = False) -> Iterator[S]:
        try:
            if not apart and (session := self._shared()) is not None:
                yield session
                return

            with self.opened() as fresh:
                yield fresh
        except self.errors as exc:
            error = self.explained(exc)
            if error is exc:
                raise
            raise error from exc

    @contextmanager
    def keep_open(self) -> Iterator[None]:
        with self._kept_open(apart=True):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[S]:
        with self.short_timeout(), self._kept_open() as session:
            if session.in_transaction:
                yield session
                return

            with session.snapshot():
                yield session

    @contextmanager
    def write(self, *, location: str | None, durable: bool = True) -> Iterator[S]:
        with self._kept_open() as session:
            if session.in_transaction:
                msg = (
                    f"the store {self.name} is being read or written in this thread: "
                    "nothing was written. Write once that has ended, or in another thread."
                )
                raise StoreError(msg)

            with self.transaction(session, location=location, durable=durable):
                yield session

    @contextmanager
    def short_timeout(self) -> Iterator[None]:
        before, self.here.has_short_timeout = self.here.has_short_timeout, True

        try:
            if (shared := self._shared()) is not None:
                shared.set_timeout(self.timeout)
            yield
        finally:
            self.here.has_short_timeout = before
            if not before and (shared := self._shared()) is not None:
                shared.set_timeout(self.timeout)

    def _shared(self) -> S | None:
        """
        What the units of work of this thread share, if that can be used: Ctrl-C
        at a bad moment closes it, and a fork takes it along.
        """
        session: S | None = self.here.session
        is_usable = session is not None and session.is_open and session.process == os.getpid()

        return session if is_usable else None

    @contextmanager
    def _kept_open(self, *, apart: bool = False) -> Iterator[S]:
        before = self.here.session

        with self.read(apart=apart) as session:
            self.here.session = session
            try:
                yield session
            finally:
                self.here.session = before
