"""
Connections of one process to one database, opened when they are needed and used again.

psycopg's own pool connects in the background: each cause, a wrong password
among them, becomes the same time-out, and a fork loses its threads.
"""

import atexit
import os
import select
import threading
import time
from contextlib import suppress

import attrs
import psycopg

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._database import Row

from ._address import PostgresAddress


LONGEST_WAIT_S = 30
LONGEST_LIFE_S = 1_800


@attrs.define(eq=False)
class PooledConnection:
    """
    One connection, and what was set on it.

    Attributes:
        opened_at: By the monotonic clock.
        backend: The process at the server; a pooler has one of its own.
        settings: Schema, and for how long another writer is waited for.
    """

    raw: psycopg.Connection[Row]
    opened_at: float = attrs.field(factory=time.monotonic)
    backend: int = 0
    settings: tuple[str, int] | None = None

    @property
    def lock_timeout(self) -> int:
        """
        For how many seconds another writer is waited for.
        """
        return self.settings[1] if self.settings else 0

    def use(self, schema: str, timeout: int) -> None:
        """
        Look into *schema*, and wait for other writers for *timeout* seconds.
        """
        if self.settings != (schema, timeout):
            row = self.raw.execute(
                "SELECT pg_backend_pid(), set_config('search_path', quote_ident(%s), false),"
                " set_config('lock_timeout', %s, false)",
                (schema, f"{timeout}s"),
            ).fetchone()
            assert row is not None
            self.backend = row[0]
            self.settings = schema, timeout

    def reset(self) -> None:
        """
        Set all as it was, whatever a host has set on it.
        """
        # RESET ALL leaves out who we are.
        self.raw.execute("SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL")
        if self.settings is not None:
            schema, timeout = self.settings
            self.settings = None
            self.use(schema, timeout)

    @property
    def is_worn(self) -> bool:
        """
        Is it old, or did the server end it, or send something unasked?
        """
        if self.raw.closed or time.monotonic() - self.opened_at > LONGEST_LIFE_S:
            return True

        with suppress(OSError, ValueError):
            return bool(select.select([self.raw.fileno()], [], [], 0)[0])

        return True


@attrs.define(eq=False)
class Connections:
    """
    At most so many as the address says, for any number of threads and schemas.
    """

    address: PostgresAddress
    _process: int = attrs.field(factory=os.getpid, init=False)
    _free: threading.Semaphore = attrs.field(init=False)
    _idle: list[PooledConnection] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.renew()

    @classmethod
    def of(cls, address: PostgresAddress) -> "Connections":
        """
        Those of this process to the database of *address*.
        """
        return _all.setdefault(address.server, cls(address))

    def take(self) -> PooledConnection:
        """
        A connection that is not in use.

        Raises:
            StoreError: All are in use.
            psycopg.Error: None can be opened.
        """
        if not self._free.acquire(timeout=LONGEST_WAIT_S):
            msg = (
                f"all {self.address.connections} connections to the store {self.address.name} "
                f"were in use for {LONGEST_WAIT_S} s: say connections= in CONEXXUS_STORE"
            )
            raise StoreError(msg)

        try:
            return self._usable() or PooledConnection(self.open())
        except BaseException:
            self._free.release()
            raise

    def _usable(self) -> PooledConnection | None:
        while self._idle:
            with suppress(IndexError):
                found = self._idle.pop()
                if not found.is_worn:
                    return found
                found.raw.close()

        return None

    def open(self) -> psycopg.Connection[Row]:
        """
        A connection that is not among these.
        """
        return psycopg.connect(self.address.with_password(), autocommit=True)

    def give_back(self, connection: PooledConnection, *, is_clean: bool) -> None:
        """
        Use it again if it is as good as new, and close it if not.
        """
        if is_clean and self._process == os.getpid():
            self._idle.append(connection)
        else:
            connection.raw.close()
        self._free.release()

    def close(self) -> None:
        """
        Close those that are idle.
        """
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().raw.close()

    def renew(self) -> None:
        """
        In a child process: the connections are the parent's.
        """
        self._process = os.getpid()
        self._free = threading.Semaphore(self.address.connections)
        self._idle = []


_all: dict[object, Connections] = {}


def _renew_all() -> None:
    for each in _all.values():
        each.renew()


@atexit.register
def _close_all() -> None:
    for each in _all.values():
        each.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
