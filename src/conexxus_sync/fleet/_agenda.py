"""
`Agenda`: what is due of many locations, by one query over their leases.

Everything that changes what is due takes a lease, and each lease counts its
runs.  So one query over all leases shows which locations have to be looked at
again; of the others, the moment of the next run stays what it was.
"""

import threading
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
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
_Moment = tuple[datetime, Key]


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


@attrs.frozen(kw_only=True)
class FleetLoad:
    """
    How much there is to do.

    Attributes:
        due: Runs that are due and were not handed out.
        longest_due: For how long the first of them has been due.
        at_work: Runs that go on.
    """

    due: int
    longest_due: timedelta
    at_work: int


@attrs.define
class _Entry:
    """
    Attributes:
        epoch: Of the lease, when it was looked at.
        starts_at: When the next run begins.
        again_at: When it is looked at again, even if nothing shows a change.
    """

    epoch: int
    starts_at: datetime | None
    again_at: datetime


@attrs.define(eq=False)
class Agenda:
    """
    The moment of the next run of each location and kind.

    What a round costs follows from what has changed, but for one comparison of
    numbers per lease.

    Attributes:
        kinds: The kinds of runs that each location has.
    """

    ledger: Ledger
    kinds: Mapping[str, tuple[RunKind, ...]]
    _entries: dict[Key, _Entry] = attrs.field(factory=dict, init=False)
    # In the order in which they are looked at.
    _stale: dict[Key, None] = attrs.field(factory=dict, init=False)
    # By moment, with what was overtaken since.
    _looks: list[_Moment] = attrs.field(factory=list, init=False)
    _ahead: list[_Moment] = attrs.field(factory=list, init=False)
    _due: list[_Moment] = attrs.field(factory=list, init=False)
    _submitted: dict[Key, datetime] = attrs.field(factory=dict, init=False)
    _held: set[Key] = attrs.field(factory=set, init=False)
    _ended: set[Key] = attrs.field(factory=set, init=False)
    _as_of: datetime | None = attrs.field(default=None, init=False)
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
        leases = {(it.location_id, it.kind): it for it in self.ledger.lease_states(now)}
        epochs = {key: it.epoch for key, it in leases.items()}
        self._held = {(it[0], RunKind(it[1])) for it, lease in leases.items() if lease.run_id}
        self._stale |= dict.fromkeys(self._changed(epochs, now))

        for key in [it for it in self._stale if it not in self._held]:
            if is_enough():
                return False
            self._look(key, epochs.get(key, 0), now)

        self._due = [it for it in dict.fromkeys(self._due) if self._is_valid(*it)]
        return True

    def due(self, now: datetime) -> list[WorkItem]:
        """
        What is due and not handed out, the longest due first.
        """
        return list(self.each_due(now))

    def each_due(self, now: datetime) -> Iterator[WorkItem]:
        """
        As `due`, for those who may need only the first.
        """
        for key, since in list(self._submitted.items()):
            if not timedelta() <= now - since < SUBMITTED_AGAIN_AFTER:
                del self._submitted[key]
        while self._ahead and self._ahead[0][0] <= now:
            insort(self._due, heappop(self._ahead))

        for starts_at, key in self._due:
            if starts_at > now:
                return
            if self._is_valid(starts_at, key) and not self._is_taken(key):
                epoch = self._entries[key].epoch
                yield WorkItem(location_id=key[0], kind=key[1], slot=starts_at, attempt=epoch)

    def at_work(self) -> set[Key]:
        """
        What holds its lease, in any process, or was handed out a moment ago.
        """
        with self._lock:
            return (self._held | self._submitted.keys()) - self._ended

    def load(self, now: datetime) -> FleetLoad:
        """
        How much there is to do.  Any thread may ask.
        """
        # A copy in one step: another thread adds to the list meanwhile.
        waiting = [
            starts_at
            for starts_at, key in self._due.copy()
            if self._is_valid(starts_at, key) and not self._is_taken(key)
        ]
        longest = max(now - min(waiting), timedelta()) if waiting else timedelta()

        return FleetLoad(due=len(waiting), longest_due=longest, at_work=len(self.at_work()))

    def submitted(self, item: WorkItem, now: datetime) -> None:
        """
        *item* was handed out.
        """
        self._submitted[item.location_id, item.kind] = now

    def ended(self, item: WorkItem) -> None:
        """
        *item* is done: look at its location again.  Any thread may say so.
        """
        with self._lock:
            self._ended.add((item.location_id, item.kind))

    def _changed(self, epochs: Mapping[tuple[str, str], int], now: datetime) -> Iterator[Key]:
        """
        Where to look again.
        """
        if self._as_of is None or now < self._as_of:
            yield from ((name, kind) for name, kinds in self.kinds.items() for kind in kinds)
        self._as_of = now
        with self._lock:
            yield from self._ended
        yield from (key for key, it in self._entries.items() if it.epoch != epochs.get(key, 0))

        while self._looks and self._looks[0][0] <= now:
            again_at, key = heappop(self._looks)
            if self._entries[key].again_at == again_at:
                yield key

    def _look(self, key: Key, epoch: int, now: datetime) -> None:
        # What ends from now on is looked at once more.
        with self._lock:
            self._ended.discard(key)
        starts_at = self.ledger.next_start(*key, now)
        # Where nothing could be read, the store or the host may be back soon.
        wait = SUBMITTED_AGAIN_AFTER if starts_at is None else LOOKED_AT_AGAIN_AFTER
        self._entries[key] = _Entry(epoch, starts_at, now + wait)
        self._submitted.pop(key, None)
        del self._stale[key]
        heappush(self._looks, (now + wait, key))
        if starts_at is not None:
            heappush(self._ahead, (starts_at, key))

    def _is_taken(self, key: Key) -> bool:
        return key in self._held or key in self._submitted

    def _is_valid(self, starts_at: datetime, key: Key) -> bool:
        return self._entries[key].starts_at == starts_at
