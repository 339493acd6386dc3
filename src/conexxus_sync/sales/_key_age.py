"""
Decides how old an idempotency key is, where one clock alone may be wrong.

Pure.  A computer without a battery starts with the time at which it was
switched off: its clock does not show for how long it was.
"""

from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.sales import Batch, BatchState, SendMoment
from conexxus_sync.runtime.clock import TOLERANCE


@attrs.frozen(kw_only=True)
class KeyAge:
    """
    How long ago a batch was first sent, at most.

    Attributes:
        age: None if no clock that can be believed says so.
        doubt: Why not.
    """

    age: timedelta | None = None
    doubt: str | None = None


def unknown_since(batch: Batch) -> datetime | None:
    """
    Since when the back office may have the batch without our knowing.

    A process that died while sending has left no answer: it may have it.
    """
    return batch.unknown_since or (batch.sent_at if batch.state is BatchState.SENDING else None)


def key_age(batch: Batch, here: SendMoment) -> KeyAge:
    """
    How old the key of a batch of unknown fate is.

    Within one boot of the computer, its clock and its uptime have to agree;
    else only the back office's own clock counts.
    """
    since = unknown_since(batch)

    if since is None:
        return KeyAge(age=timedelta())

    by_clock, by_uptime = here.at - since, _by_uptime(batch, here)

    if by_uptime is not None and abs(by_clock - by_uptime) <= TOLERANCE:
        return KeyAge(age=max(by_clock, by_uptime))
    if here.server is not None and batch.sent_server is not None:
        by_server = here.server - batch.sent_server
        if by_server >= timedelta():
            return KeyAge(age=by_server)

    what = "this computer was started anew" if by_uptime is None else "the clock was set"

    return KeyAge(doubt=f"{what} since then, and no `Date` of the back office shows for how long")


def _by_uptime(batch: Batch, here: SendMoment) -> timedelta | None:
    """
    What the uptime says; None if the computer was started since then.
    """
    if batch.sent_uptime is None or batch.sent_boot != here.boot:
        return None
    if here.uptime < batch.sent_uptime:
        return None

    return timedelta(seconds=here.uptime - batch.sent_uptime)
