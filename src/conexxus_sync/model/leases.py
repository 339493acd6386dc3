"""
The lease that allows one run per location and kind, across threads and processes.

A lease is a promise with an end: it expires, and its epoch, which every
writing transaction checks, fences off a holder that overslept.
"""

from datetime import datetime, timedelta
from typing import Literal

import attrs


LeaseKind = Literal["inventory", "sales"]

LEASE_LENGTH = timedelta(minutes=10)
RENEWED_AFTER = LEASE_LENGTH / 4
NO_TIME = timedelta()


@attrs.frozen(kw_only=True)
class Lease:
    """
    The right to write for one location and kind.

    Attributes:
        epoch: Grows with every holder; an older one is refused.
        run_id: The run that holds it.
        renewed_at: When its end was last put off.
    """

    location_id: str
    kind: LeaseKind
    epoch: int
    run_id: str
    renewed_at: datetime

    def is_due(self, now: datetime) -> bool:
        """
        Is it time to renew?  Also after the clock was set back.
        """
        return not NO_TIME <= now - self.renewed_at < RENEWED_AFTER


def is_void(expires_at: datetime, now: datetime) -> bool:
    """
    Has it expired, or does it end later than any holder could have asked for?
    """
    return expires_at <= now or expires_at > now + 2 * LEASE_LENGTH
