"""
When the catalogue of a location is pulled.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import attrs

from .runs import SyncRun


# A run begins a little after the moment at which it was found due.
A_LITTLE = timedelta(minutes=5)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@attrs.frozen
class PullSchedule:
    """
    Once in each interval, at a moment that the location's name decides: a
    thousand stores do not call at the same time.
    """

    location_id: str
    interval: timedelta = timedelta(hours=1)

    def is_due(self, latest: SyncRun | None, now: datetime) -> bool:
        """
        Has nothing been pulled since the current slot began, or is it time
        to try again?  Not before the moment that the back office asked for.
        """
        # A run in the future is a clock that was set back: it counts for nothing.
        if latest is None or latest.start_time > now + A_LITTLE:
            return True
        if latest.not_before is not None and now < latest.not_before:
            return False

        return latest.start_time < self.slot(now) or (
            latest.retry_at is not None and latest.retry_at <= now
        )

    def next_pull(self, latest: SyncRun | None, now: datetime) -> datetime:
        """
        When the next pull begins; *now* if it is due.
        """
        if self.is_due(latest, now):
            return now

        again = None if latest is None else latest.not_before or latest.retry_at
        slot = self.next_slot(now)

        return slot if again is None or again <= now else min(slot, again)

    def slot(self, now: datetime) -> datetime:
        """
        The last moment at which a pull fell due.
        """
        return now - (now - _EPOCH - self._offset) % self.interval

    def next_slot(self, now: datetime) -> datetime:
        """
        The next moment at which a pull falls due.
        """
        return self.slot(now) + self.interval

    @property
    def _offset(self) -> timedelta:
        digest = blake2b(self.location_id.encode(), digest_size=8).digest()
        return self.interval * (int.from_bytes(digest) / 2**64)
