"""
Pushes during the day what the host has returned unchanged for a while.
"""

from datetime import timedelta

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.stores import State

from ._date_push import DatePush
from ._push_context import SalesClient


@attrs.define(kw_only=True)
class TricklePush(DatePush):
    """
    Pushes of a date in progress what was returned unchanged in two looks.

    Whatever else there is to say of the date, like what changed or can't be
    sent, is left to the push that closes it.  So the date counts as not visited.
    """

    settle: timedelta

    def _deliver_new(self, state: State) -> None:
        context, day = self.context, self.business_date
        self._stage(state, self._read())
        self.context.failpoint("read")
        self.counters.source_remarks.clear()
        now = context.clock.now()

        with context.writing() as state:
            state.sales_dates.clear_fingerprint(day)
            state.sales_looks.keep_settled(day, now, since=now - self.settle)
            is_frozen = self._freeze_drafts(state, self._drafts(state), now)
        self.context.failpoint("frozen")

        if is_frozen:
            self.sender.deliver(state, self._finish)
        else:
            # What waited may have been delivered before: that is to be recorded.
            self.settled = not self.counters.has_content

    def _record_visit(self, state: State) -> None:
        pass


def refuse_replaced_days(client: SalesClient, *, is_on: bool) -> None:
    """
    Raises:
        ConfigurationError: A push would replace the day that it adds to.
    """
    if is_on and client.profile.sales_mode == "replace_day":
        msg = (
            "CONEXXUS_PUSH_EVERY adds to a day, but with sales_mode replace_day each push replaces "
            "it: set CONEXXUS_PUSH_EVERY to off"
        )
        raise ConfigurationError([msg])
