"""
Watches how long the host's order source takes to return, so that one that hangs is named.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.run_logging import safe_logger


# The next sale of a source that works comes within seconds.
HANGS_AFTER = timedelta(minutes=5)

_log = safe_logger(__name__)

# A source, what it was asked for, and since when, by the monotonic clock.
Asked = tuple[object, date, float]


@attrs.frozen(kw_only=True)
class HangingSource:
    """
    An order source that was asked and has not returned.

    Attributes:
        source: Its class, with the module.
        business_date: What it was asked for.
        since: When it was asked for what has not come.
    """

    source: str
    business_date: date
    since: datetime

    def __str__(self) -> str:
        return (
            f"The order source {self.source} has not returned since {self.since:%H:%M} UTC, asked "
            f"for the sales of {self.business_date}: no sales are pushed until it does."
        )


@attrs.define(eq=False)
class SourceWatch:
    """
    Records since when a source is asked; what looks at it is another thread.
    """

    clock: Clock
    _asked: "Asked | None" = attrs.field(default=None, init=False)
    _said: "Asked | None" = attrs.field(default=None, init=False)

    def begin(self, source: object, business_date: date) -> "Asked":
        """
        From now on, *source* is at work.
        """
        self._asked = asked = (source, business_date, self.clock.monotonic())

        return asked

    def end(self, asked: "Asked | None") -> None:
        """
        It returned, from what `begin` gave for it.
        """
        # One that was left behind may come back while another is asked.
        if self._asked is asked:
            self._asked = None

    def hanging(self) -> HangingSource | None:
        """
        The source, if it has not returned for five minutes; the log gets it once.
        """
        asked = self._asked

        if asked is None:
            return None

        source, business_date, began = asked
        waited = timedelta(seconds=self.clock.monotonic() - began)

        if waited < HANGS_AFTER:
            return None

        found = HangingSource(
            source=f"{type(source).__module__}.{type(source).__qualname__}",
            business_date=business_date,
            since=self.clock.now() - waited,
        )

        if self._said is not asked:
            self._said = asked
            _log.warning("Conexxus sales: %s", found)

        return found
