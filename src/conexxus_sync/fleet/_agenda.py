"""
`Agenda`: what is due of many locations, by one query over their leases.

Everything that changes what is due takes a lease, and each lease counts its
runs.  So one query over all leases shows which locations have to be looked at
again; of the others, the moment of the next run stays what it was.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from conexxus_sync.model.runs import RunKind
from conexxus_sync.stores._lease_table import LeaseState

from ._work_item import WorkItem


# An item is handed out again that an executor has lost.
SUBMITTED_AGAIN_AFTER = timedelta(minutes=1)

# Whatever changed without a lease, like a clock, shows after this time.
LOOKED_AT_AGAIN_AFTER = timedelta(hours=1)

Key = tuple[str, RunKind]


class Ledger(Protocol):
    """
    What the store holds of all locations.
    """

    def lease_states(self, now: datetime) -> Iterable[LeaseState]:
        """
        The leases of all locations, by one query.
        """

    def next_start(self, location_id: str, kind: RunKind, now: datetime) -> datetime | None:
        """
        When the next run begins; None if it can't be read now.
        """


@attrs.define
class _Entry:
    """
    Attributes:
        epoch: Of the lease, when it was looked at.
        starts_at: When the next run begins.
    """

    epoch: int
    starts_at: datetime | None
    looked_at: datetime
    submitted_at: datetime | None = None


@attrs.define(eq=False)
class Agenda:
    """
    The moment of the next run of each location and kind.

    Attributes:
        kinds: The kinds of runs that each location has.
    """

    ledger: Ledger
    kinds: Mapping[str, tuple[RunKind, ...]]
    _entries: dict[Key, _Entry] = attrs.field(factory=dict, init=False)
    _held: set[Key] = attrs.field(factory=set, init=False)
    _ended: set[Key] = attrs.field(factory=set, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def refresh(self, now: datetime, *, is_enough: Callable[[], bool] = lambda: False) -> bool:
        """
        Look at the leases, and at each location where one has changed.

        Args:
            is_enough: Asked before each location: the others then wait for the
                next time.

        Returns:
            Whether all were looked at.

        Raises:
            StoreError: The store can't be used.
        """
        with self._lock:
            ended, self._ended = self._ended, set()
        leases = {(it.location_id, it.kind): it for it in self.ledger.lease_states(now)}
        self._held = {(it, RunKind(kind)) for (it, kind), lease in leases.items() if lease.run_id}

        for location_id, kinds in self.kinds.items():
            for kind in kinds:
                key = location_id, kind
                lease = leases.get((location_id, kind.value))
                epoch = 0 if lease is None else lease.epoch
                if key in self._held or not (key in ended or self._is_old(key, epoch, now)):
                    continue
                if is_enough():
                    with self._lock:
                        self._ended |= ended
                    return False
                starts_at = self.ledger.next_start(location_id, kind, now)
                self._entries[key] = _Entry(epoch, starts_at, now)
                ended.discard(key)

        return True

    def due(self, now: datetime) -> list[WorkItem]:
        """
        What is due and not handed out, the longest due first.
        """
        found = [
            WorkItem(location_id=key[0], kind=key[1], slot=it.starts_at, attempt=it.epoch)
            for key, it in self._entries.items()
            if it.starts_at is not None
            and it.starts_at <= now
            and key not in self._held
            and (it.submitted_at is None or now - it.submitted_at >= SUBMITTED_AGAIN_AFTER)
        ]

        return sorted(found, key=lambda item: item.slot)

    def submitted(self, item: WorkItem, now: datetime) -> None:
        """
        *item* was handed out.
        """
        self._entries[item.location_id, item.kind].submitted_at = now

    def ended(self, item: WorkItem) -> None:
        """
        *item* is done: look at its location again.  Any thread may say so.
        """
        with self._lock:
            self._ended.add((item.location_id, item.kind))

    def _is_old(self, key: Key, epoch: int, now: datetime) -> bool:
        entry = self._entries.get(key)
        if entry is None or entry.epoch != epoch:
            return True

        # Where nothing could be read, the store or the host may be back soon.
        is_known = entry.starts_at is not None
        holds_for = LOOKED_AT_AGAIN_AFTER if is_known else SUBMITTED_AGAIN_AFTER

        return not timedelta() <= now - entry.looked_at < holds_for
