"""
Advisory locks of writers, and the end of a writer whose client stopped.
"""

from contextlib import suppress
from hashlib import sha256

import attrs
import psycopg

from conexxus_sync.model.leases import LEASE_LENGTH
from conexxus_sync.stores._database import Session


# After which a writer that waits looks whether the holder works.
LONGEST_ROUND_S = 2

_ALL = "SELECT pg_advisory_xact_lock(?)"
_ONE = "SELECT pg_advisory_xact_lock_shared(?), pg_advisory_xact_lock(?)"

# The time-outs of the server do not end each of them: that of an idle transaction is
# off after a pipeline, which psycopg ends by a Flush, and that of a statement waits
# while the server reads rows of a COPY, or writes rows that are not read.
_END_STOPPED = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND database = datid AND datname = current_database()
    AND (CAST(classid AS BIGINT) << 32) | CAST(objid AS BIGINT) = ANY(CAST(? AS BIGINT[]))
    AND wait_event_type = 'Client' AND usename = current_user
    AND state_change < now() - make_interval(secs => ?)
"""


@attrs.frozen
class WriterLocks:
    """
    The locks that a writing transaction takes.

    Attributes:
        statement: That takes them.
        numbers: Its parameters.
    """

    statement: str
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, schema: str, location: str | None) -> "WriterLocks":
        """
        Those of a writer of *location*, or of all.
        """
        store = lock_number(schema, "store")

        if location is None:
            return cls(_ALL, (store,))

        return cls(_ONE, (store, lock_number(schema, f"location {location}")))

    def take(self, session: Session, begin: str, timeout: int) -> None:
        """
        Take them in the transaction that *begin* begins, within *timeout* seconds.

        A holder whose client has sent nothing for as long as a lease lasts, and so
        has renewed none, is ended.

        Raises:
            psycopg.errors.LockNotAvailable: Another one holds them.
        """
        *earlier, last = range(timeout, 0, -LONGEST_ROUND_S)

        for _ in earlier:
            with suppress(psycopg.errors.LockNotAvailable):
                self._wait(session, begin, LONGEST_ROUND_S)
                return

        self._wait(session, begin, last)

    def _wait(self, session: Session, begin: str, timeout: int) -> None:
        try:
            session.execute(f"{begin}; SET LOCAL lock_timeout = '{timeout}s'")
            session.execute(self.statement, self.numbers)
        except psycopg.errors.LockNotAvailable:
            session.execute("ROLLBACK")
            stopped_for = LEASE_LENGTH.total_seconds()
            session.execute(_END_STOPPED, (list(self.numbers), stopped_for))
            raise


def lock_number(schema: str, name: str) -> int:
    """
    The number of an advisory lock: all of the server share 64 bits.
    """
    digest = sha256(f"conexxus {schema} {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
