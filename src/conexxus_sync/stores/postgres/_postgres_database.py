"""
`PostgresDatabase`: units of work and errors of one schema of a PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import attrs
import psycopg

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._sync_store import SharingDatabase

from ._address import PostgresAddress
from ._connections import Connections
from ._postgres_session import PostgresSession
from ._schema import is_migrated, migrate
from ._writer_locks import WriterLocks, lock_number


BUSY_TIMEOUT_S = 10
HASTY_TIMEOUT_S = 1


@attrs.define(eq=False)
class PostgresDatabase(SharingDatabase[PostgresSession]):
    """
    The schema that *address* names; see `Database`.
    """

    address: PostgresAddress
    connections: Connections = attrs.field(init=False)
    _is_migrated: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.connections = Connections.of(self.address)

    @property
    def name(self) -> str:
        return self.address.name

    def transaction(
        self, session: PostgresSession, *, location: str | None, durable: bool
    ) -> AbstractContextManager[None]:
        locks = WriterLocks.of(self.address.schema, location)

        return session.transaction(locks, durable=durable)

    @property
    def timeout(self) -> int:
        return HASTY_TIMEOUT_S if self.here.has_short_timeout else BUSY_TIMEOUT_S

    def exists(self) -> bool:
        try:
            with self.opened(migrated=False) as session:
                return is_migrated(session.connection, self.address.schema)
        except psycopg.Error as exc:
            raise self.explained(exc) from exc

    def close(self) -> None:
        """
        Close the connections that are idle.
        """
        self.connections.close()

    @contextmanager
    def opened(self, *, migrated: bool = True) -> Iterator[PostgresSession]:
        pooled = self.connections.take()
        session = PostgresSession(pooled, self.address.schema, self.connections.open)
        is_clean = False

        try:
            session.set_timeout(self.timeout)
            if migrated and not self._is_migrated:
                lock = lock_number(self.address.schema, "migrations")
                migrate(pooled.raw, self.address.schema, lock=lock)
                self._is_migrated = True
            yield session
        finally:
            with suppress(psycopg.Error):
                is_clean = session.clean()
            self.connections.give_back(pooled, is_clean=is_clean)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.Error,)

    def explained(self, exc: psycopg.Error) -> Exception:
        state = exc.sqlstate or _state_of_refusal(str(exc))
        known = (text for code, text in _ADVICE.items() if state.startswith(code))
        advice = next(known, _UNREACHABLE if isinstance(exc, psycopg.OperationalError) else "")
        said = " ".join(str(exc).split()).rstrip(".")

        return StoreError(f"the store {self.name} failed: {said}. {advice}".rstrip())


def _state_of_refusal(said: str) -> str:
    """
    What refuses a connection says so in words only.
    """
    return next((state for words, state in _REFUSALS.items() if words in said), "")


_UNREACHABLE = "Check that it runs, that CONEXXUS_STORE names it, and the network between."

_REFUSALS = {
    "too many": "53300",
    "connection slots": "53300",
    "authentication failed": "28",
    "no pg_hba.conf entry": "28",
    "no password supplied": "28",
    "does not exist": "3D000",
    "starting up": "57P",
    "shutting down": "57P",
}

_ELSEWHERE = "If PgBouncer is between, set pool_mode = session; or the schema was dropped."

# By the prefix of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_ADVICE = {
    "25006": "It is a standby that only reads: add target_session_attrs=read-write.",
    "26": _ELSEWHERE,
    "28": "Check user and password in CONEXXUS_STORE.",
    "3D000": "Create the database, or name another in CONEXXUS_STORE.",
    "40": "Others wrote at the same time, and nothing was changed; it is tried again.",
    "42P01": _ELSEWHERE,
    "42501": "The role lacks a privilege: see docs/how-to/use-postgresql.md.",
    "53100": "Free space on its disk and run again; nothing was changed.",
    "53300": "It has no connection left: raise its max_connections, or lower connections=.",
    "55P03": "Another process holds it; try again, or stop that process.",
    "57014": "It took too long: raise statement_timeout= in CONEXXUS_STORE.",
    "57P": "It was stopped or is starting; it is tried again.",
}
