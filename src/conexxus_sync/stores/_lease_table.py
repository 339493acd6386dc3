"""
Leases: acquire, renew, release, and takeover from a process that is gone.
"""

import sqlite3
from datetime import UTC, datetime

import attrs

from conexxus_sync.errors import LeaseLostError, RunInProgressError, StoreError
from conexxus_sync.model.leases import LEASE_LENGTH, Lease, LeaseKind, is_void
from conexxus_sync.runtime.processes import Processes, ProcessIdentity

from ._database import Database


# Leases that this process may have in a store, and that no run has: location,
# kind and run.  A run's id is its own, whichever store it is in.
_ownerless: set[tuple[str, str, str | None]] = set()


@attrs.define
class SqliteLeases:
    """
    Rows of `leases`; a row whose `run_id` is null is free.

    Attributes:
        abandoned: Given back while the database could not be written: location,
            kind and epoch.  Our process lives on, so nothing else would tell.
    """

    store: Database
    processes: Processes
    abandoned: set[tuple[str, str, int]] = attrs.field(init=False, factory=set)

    def acquire(self, location_id: str, kind: LeaseKind, run_id: str, now: datetime) -> Lease:
        """
        Take the lease for *run_id*.

        Raises:
            RunInProgressError: Somebody holds it who is not provably gone.
        """
        # The holder may be writing for seconds: who only has to hear that
        # does not wait for it.
        with self.store.reading() as connection:
            self._refuse_held(location_id, kind, _row(connection, location_id, kind), now)

        try:
            return self._take(location_id, kind, run_id, now)
        except RunInProgressError:
            raise
        except BaseException:
            # It may be stored, and nobody has it: a signal within the commit.
            _ownerless.add((location_id, kind, run_id))
            raise

    def _take(self, location_id: str, kind: LeaseKind, run_id: str, now: datetime) -> Lease:
        with self.store.writing() as connection:
            row = _row(connection, location_id, kind)
            self._refuse_held(location_id, kind, row, now)

            epoch = 1 if row is None else row[0] + 1
            me = self.processes.current()
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(location_id, kind, epoch, run_id),
                    *(me.boot, me.namespace, me.pid, me.started, me.host),
                    _text(now + LEASE_LENGTH),
                ),
            )

        self.abandoned.discard((location_id, kind, epoch - 1))
        if row is not None and row[1] is not None:
            _ownerless.discard((location_id, kind, row[1]))

        return Lease(location_id=location_id, kind=kind, epoch=epoch, run_id=run_id, renewed_at=now)

    def renew(self, lease: Lease, now: datetime) -> Lease:
        """
        Put off the end of *lease* if that is due; cheap if it is not.

        Raises:
            LeaseLostError: Another run took over.
        """
        if not lease.is_due(now):
            return lease

        with self.store.writing(lease) as connection:
            return self.extend(connection, lease, now)

    def extend(self, connection: sqlite3.Connection, lease: Lease, now: datetime) -> Lease:
        """
        Put off the end of *lease* if that is due, in a transaction under it.
        """
        if not lease.is_due(now):
            return lease

        connection.execute(
            "UPDATE leases SET expires_at = ? WHERE location = ? AND kind = ?",
            (_text(now + LEASE_LENGTH), lease.location_id, lease.kind),
        )

        return attrs.evolve(lease, renewed_at=now)

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

        with self.store.writing() as connection:
            connection.execute(
                "UPDATE leases SET run_id = NULL WHERE location = ? AND kind = ? AND epoch = ?",
                key,
            )

        self.abandoned.discard(key)

    def holder(self, location_id: str, kind: LeaseKind, now: datetime) -> str | None:
        """
        Id of the run in progress.
        """
        with self.store.reading() as connection:
            row = _row(connection, location_id, kind)

        return None if row is None else self._holder(location_id, kind, row, now)

    def check(self, connection: sqlite3.Connection, lease: Lease) -> None:
        """
        Make sure, inside a writing transaction, that *lease* is still ours.

        Raises:
            LeaseLostError: It is not.
        """
        row = _row(connection, lease.location_id, lease.kind)

        if row is None or row[:2] != (lease.epoch, lease.run_id):
            msg = (
                f"{lease.kind} run {lease.run_id} lost its lease to another run "
                "and wrote nothing more"
            )
            raise LeaseLostError(msg)

    def _refuse_held(
        self, location_id: str, kind: LeaseKind, row: "_Row | None", now: datetime
    ) -> None:
        if row is not None and (holder := self._holder(location_id, kind, row, now)):
            raise RunInProgressError(holder, kind=kind, location_id=location_id)

    def _holder(self, location_id: str, kind: str, row: "_Row", now: datetime) -> str | None:
        epoch, run_id, holder, expires_at = row
        is_free = (
            is_void(expires_at, now)
            or (location_id, kind, epoch) in self.abandoned
            or (location_id, kind, run_id) in _ownerless
            or self.processes.is_gone(holder)
        )

        return None if is_free else run_id


_Row = tuple[int, str | None, ProcessIdentity, datetime]


def _row(connection: sqlite3.Connection, location_id: str, kind: LeaseKind) -> _Row | None:
    row = connection.execute(
        "SELECT epoch, run_id, boot, namespace, pid, started, host, expires_at"
        " FROM leases WHERE location = ? AND kind = ?",
        (location_id, kind),
    ).fetchone()

    if row is None:
        return None

    epoch, run_id, boot, namespace, pid, started, host, expires_at = row
    holder = ProcessIdentity(boot=boot, namespace=namespace, pid=pid, started=started, host=host)

    return epoch, run_id, holder, datetime.fromisoformat(expires_at)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
