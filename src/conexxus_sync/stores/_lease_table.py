"""
Leases: acquire, renew, release, and takeover from a process that is gone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from conexxus_sync.errors import LeaseLostError, RunInProgressError, StoreError
from conexxus_sync.model.leases import LEASE_LENGTH, Lease, LeaseKind, is_void
from conexxus_sync.runtime.processes import Processes, ProcessIdentity

from ._database import Database, Row, Session, text


# Leases that this process may have in a store, and that no run has: location,
# kind and run.  A run's id is its own, whichever store it is in.
_ownerless: set[tuple[str, str, str | None]] = set()

_SELECT = """
SELECT epoch, run_id, boot, namespace, pid, started, host, expires_at
FROM leases WHERE location = ? AND kind = ?
"""
_TAKE = """
INSERT INTO leases
    (location, kind, epoch, run_id, boot, namespace, pid, started, host, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (location, kind) DO UPDATE SET epoch = excluded.epoch, run_id = excluded.run_id,
    boot = excluded.boot, namespace = excluded.namespace, pid = excluded.pid,
    started = excluded.started, host = excluded.host, expires_at = excluded.expires_at
"""
_ALL = """
SELECT location, kind, epoch, run_id, boot, namespace, pid, started, host, expires_at FROM leases
"""
_EXTEND = "UPDATE leases SET expires_at = ? WHERE location = ? AND kind = ?"
_MOVED = "SELECT target, moved_at FROM store_moves"
_RELEASE = "UPDATE leases SET run_id = NULL WHERE location = ? AND kind = ? AND epoch = ?"


@attrs.frozen(kw_only=True)
class LeaseState:
    """
    The lease of one location and kind, as one query over all of them found it.

    Attributes:
        epoch: How many runs have held it.
        run_id: The run that holds it; None if it is free.
    """

    location_id: str
    kind: str
    epoch: int
    run_id: str | None


@attrs.frozen
class Leases:
    """
    Rows of `leases`; a row whose `run_id` is null is free.

    No row has to outlast the loss of power: no holder does, nor what it did
    under a lease that is lost with it.

    Attributes:
        abandoned: Given back while the database could not be written: location,
            kind and epoch.  Our process lives on, so nothing else would show it.
    """

    database: Database
    location: str
    processes: Processes
    abandoned: set[tuple[str, str, int]]

    def acquire(self, kind: LeaseKind, run_id: str, now: datetime) -> Lease:
        """
        Take the lease for *run_id*.

        Raises:
            RunInProgressError: Somebody holds it who is not provably gone.
            StoreError: The store was moved, or can't be used.
        """
        # The holder may be writing for seconds: who only has to hear that
        # does not wait for it.
        with self.database.read() as session:
            self._refuse_held(kind, self._row(session, kind), now)

        try:
            return self._take(kind, run_id, now)
        except RunInProgressError:
            raise
        except BaseException:
            # It may be stored without an owner: a signal within the commit.
            _ownerless.add((self.location, kind, run_id))
            raise

    def _take(self, kind: LeaseKind, run_id: str, now: datetime) -> Lease:
        with self.database.write(location=self.location, durable=False) as session:
            _refuse_moved(session)
            row = self._row(session, kind)
            self._refuse_held(kind, row, now)

            epoch = _epoch(row) + 1
            self._write(session, kind, epoch, run_id, now)

        self.abandoned.discard((self.location, kind, epoch - 1))
        if row is not None and row[1] is not None:
            _ownerless.discard((self.location, kind, row[1]))

        return Lease(
            location_id=self.location, kind=kind, epoch=epoch, run_id=run_id, renewed_at=now
        )

    def _write(
        self, session: Session, kind: LeaseKind, epoch: int, run_id: str | None, now: datetime
    ) -> None:
        me = self.processes.current()
        session.execute(
            _TAKE,
            (
                *(self.location, kind, epoch, run_id),
                *(me.boot, me.namespace, me.pid, me.started, me.host),
                text(now + LEASE_LENGTH),
            ),
        )

    def refuse_moved(self) -> None:
        """
        Raises:
            StoreError: No run can begin: the store was moved to another place.
        """
        with self.database.read() as session:
            _refuse_moved(session)

    def renew(self, lease: Lease, now: datetime) -> Lease:
        """
        Put off the end of *lease* if that is due; cheap if it is not.

        Raises:
            LeaseLostError: Another run took over.
        """
        if not lease.is_due(now):
            return lease

        with self.database.write(location=self.location, durable=False) as session:
            self.check(session, lease)
            return self.extend(session, lease, now)

    def extend(self, session: Session, lease: Lease, now: datetime) -> Lease:
        """
        Put off the end of *lease* if that is due, in a transaction under it.
        """
        if not lease.is_due(now):
            return lease

        session.execute(_EXTEND, (text(now + LEASE_LENGTH), lease.location_id, lease.kind))

        return attrs.evolve(lease, renewed_at=now)

    def pass_over(self, kind: LeaseKind, epoch: int, now: datetime) -> None:
        """
        Count a run that ended without taking the lease, so that the next one has
        another number.

        Args:
            epoch: How many runs there were before it; if there are more by now,
                or the lease is held, it was counted already.
        """
        with self.database.read() as session:
            if _epoch(self._row(session, kind)) != epoch:
                return

        with self.database.write(location=self.location, durable=False) as session:
            row = self._row(session, kind)
            is_free = row is None or self._holder(kind, row, now) is None
            if is_free and _epoch(row) == epoch:
                self._write(session, kind, epoch + 1, None, now)

    def release(self, lease: Lease) -> None:
        """
        Give the lease back; if it was lost, there is nothing to give.

        It is free even where that can't be written down, though at first only
        for who shares this store; after a signal, for this process.

        Raises:
            StoreError: It could not be written down.
        """
        try:
            self._give_back((lease.location_id, lease.kind, lease.epoch))
        except StoreError:
            raise
        except BaseException:
            _ownerless.add((lease.location_id, lease.kind, lease.run_id))
            raise

    def _give_back(self, key: tuple[str, str, int]) -> None:
        self.abandoned.add(key)

        with self.database.write(location=self.location, durable=False) as session:
            session.execute(_RELEASE, key)

        self.abandoned.discard(key)

    def holder(self, kind: LeaseKind, now: datetime) -> str | None:
        """
        Id of the run in progress.
        """
        with self.database.read() as session:
            row = self._row(session, kind)

        return None if row is None else self._holder(kind, row, now)

    def check(self, session: Session, lease: Lease) -> None:
        """
        Make sure, inside a writing transaction, that *lease* is still ours.

        Raises:
            LeaseLostError: It is not.
        """
        row = self._row(session, lease.kind)

        if row is None or row[:2] != (lease.epoch, lease.run_id):
            msg = (
                f"{lease.kind} run {lease.run_id} lost its lease to another run "
                "and wrote nothing more"
            )
            raise LeaseLostError(msg)

    def _row(self, session: Session, kind: str) -> "_Row | None":
        row = session.execute(_SELECT, (self.location, kind)).fetchone()

        return None if row is None else _read(row)

    def state(self, kind: str, row: Sequence[Any], now: datetime) -> LeaseState:
        """
        What *row* of all leases says at *now*.
        """
        run_id = self._holder(kind, _read(row), now)

        return LeaseState(location_id=self.location, kind=kind, epoch=row[0], run_id=run_id)

    def _refuse_held(self, kind: LeaseKind, row: "_Row | None", now: datetime) -> None:
        if row is not None and (holder := self._holder(kind, row, now)):
            raise RunInProgressError(holder, kind=kind, location_id=self.location)

    def _holder(self, kind: str, row: "_Row", now: datetime) -> str | None:
        epoch, run_id, holder, expires_at = row
        is_free = (
            run_id is None
            or is_void(expires_at, now)
            or (self.location, kind, epoch) in self.abandoned
            or (self.location, kind, run_id) in _ownerless
            or self.processes.is_gone(holder)
        )

        return None if is_free else run_id


def stored_leases(session: Session) -> list[Row]:
    """
    The leases of all locations: location and kind, then what `state` reads.
    """
    return session.execute(_ALL).fetchall()


def _read(row: Sequence[Any]) -> "_Row":
    epoch, run_id, boot, namespace, pid, started, host, expires_at = row
    holder = ProcessIdentity(boot=boot, namespace=namespace, pid=pid, started=started, host=host)

    return epoch, run_id, holder, datetime.fromisoformat(expires_at)


def _epoch(row: "_Row | None") -> int:
    return 0 if row is None else row[0]


def _refuse_moved(session: Session) -> None:
    for target, moved_at in session.execute(_MOVED).fetchall():
        msg = (
            f"the store was moved to {target} at {moved_at}, and nothing is pulled or pushed "
            "with this one: set CONEXXUS_STORE to that one"
        )
        raise StoreError(msg)


_Row = tuple[int, str | None, ProcessIdentity, datetime]
