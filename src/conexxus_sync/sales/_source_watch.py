"""
Watches how long the host's order source takes to return, so that one that hangs is named.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypeVar

import attrs

from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.run_logging import safe_logger


T = TypeVar("T")

# The next sale of a source that works comes within seconds.
HANGS_AFTER = timedelta(minutes=5)

_log = safe_logger(__name__)


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
    Knows since when a source is asked; what looks at it is another thread.
    """

    clock: Clock
    _asked: tuple[str, date, float] | None = attrs.field(default=None, init=False)
    _said: tuple[str, date, float] | None = attrs.field(default=None, init=False)

    def during(self, source: object, business_date: date, call: Callable[[], T]) -> T:
        """
        Make *call*, in which *source* is at work.
        """
        name = f"{type(source).__module__}.{type(source).__qualname__}"
        self._asked = asked = (name, business_date, self.clock.monotonic())

        try:
            return call()
        finally:
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
            source=source, business_date=business_date, since=self.clock.now() - waited
        )

        if self._said is not asked:
            self._said = asked
            _log.warning("Conexxus sales: %s", found)

        return found
