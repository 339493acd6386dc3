"""
`SharingDatabase`: which units of work of a thread share a connection.
"""

import re
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import attrs

from conexxus_sync.errors import StoreError

from ._database import Session


_TEMPORARY = re.compile(r"CREATE TEMP (TABLE|VIEW) (\w+)")


class SharedSession(Session, Protocol):
    """
    What a database needs of its sessions, besides what the tables need.
    """

    @property
    def is_usable(self) -> bool:
        """
        Is it open, in this process?

        Ctrl-C at a bad moment closes a connection that a thread still shares.
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


class BaseSession:
    """
    What the sessions of all databases do alike.

    Attributes:
        temporary: Whether a temporary name is of a TABLE or a VIEW.
        calls: Made after the commit.
    """

    temporary: dict[str, str]
    calls: list[Callable[[], None]]

    if TYPE_CHECKING:
        execute: Any
        in_transaction: Any
        drop_temporary: Any
        end_streams: Any
        _streams: Any

    def create_temporary(self, *statements: str) -> None:
        if self._streams:
            self.end_streams()

        for statement in statements:
            if found := _TEMPORARY.search(statement):
                kind, name = found.groups()
                if name in self.temporary:
                    self.drop_temporary(self.temporary[name], name)
                self.temporary[name] = kind
            self.execute(statement)

    def after_commit(self, call: Callable[[], None]) -> None:
        assert self.in_transaction
        self.calls.append(call)

    def make_calls(self) -> None:
        """
        Make the calls of a transaction that is committed, each of them.
        """
        calls, self.calls = self.calls, []

        with ExitStack() as all_of_them:
            for call in reversed(calls):
                all_of_them.callback(call)


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

    _here: _PerThread = attrs.field(factory=_PerThread, init=False)

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

    @abstractmethod
    def timeout(self, *, is_short: bool) -> int:
        """
        For how many seconds another writer is waited for.
        """

    @property
    def current_timeout(self) -> int:
        """
        For how many seconds this thread waits for another writer.
        """
        return self.timeout(is_short=self._here.has_short_timeout)

    @contextmanager
    def read(self, *, apart: bool = False) -> Iterator[S]:
        try:
            session: S | None = self._here.session
            if session is not None and session.is_usable and not apart:
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
        before, self._here.has_short_timeout = self._here.has_short_timeout, True
        shared: S | None = self._here.session

        try:
            if shared is not None and shared.is_usable:
                shared.set_timeout(self.current_timeout)
            yield
        finally:
            self._here.has_short_timeout = before
            if not before and shared is not None and shared.is_usable:
                shared.set_timeout(self.current_timeout)

    @contextmanager
    def _kept_open(self, *, apart: bool = False) -> Iterator[S]:
        before = self._here.session

        with self.read(apart=apart) as session:
            self._here.session = session
            try:
                yield session
            finally:
                self._here.session = before
