"""
Asks the host's order source, and watches how long it takes to return: one that hangs is named.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import attrs

from conexxus_client import Transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.order_records import OrderRemark, UnusableTransaction, transaction_of
from conexxus_sync.protocols import Clock, OrderSource
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.runtime.host_exceptions import described, ends_process
from conexxus_sync.runtime.host_methods import called
from conexxus_sync.runtime.run_logging import safe_logger


# The next sale of a source that works comes within seconds.
HANGS_AFTER = timedelta(minutes=5)

# An exception of the host may quote a whole table.
LONGEST_COMPLAINT = 500

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


@attrs.define
class HostRecords:
    """
    What the host's source yields for one date, each made a sale if it can be.

    Iterating raises a `HostError` for whatever the host raises.

    Attributes:
        read: How many came so far.
        last: Name of the last of them.
    """

    orders: OrderSource
    location_id: str
    business_date: date
    watch: SourceWatch = attrs.field(factory=lambda: SourceWatch(SystemClock()))
    read: int = attrs.field(default=0, init=False)
    last: str | None = attrs.field(default=None, init=False)

    def __iter__(self) -> Iterator[Transaction | UnusableTransaction | OrderRemark]:
        watch = self.watch
        asked: Asked | None = watch.begin(self.orders, self.business_date)

        # The host may raise whatever it likes; what is raised at the `yield`
        # ends the reader, and is no error of the host.
        try:
            where = self.location_id, self.business_date
            for given in called(self.orders, "transactions", *where):
                record = transaction_of(given)
                self.read += 1
                if not isinstance(record, OrderRemark):
                    self.last = record.id
                watch.end(asked)
                asked = None
                yield record
                asked = watch.begin(self.orders, self.business_date)
        except BaseException as exc:
            if asked is None or isinstance(exc, HostError) or ends_process(exc):
                raise
            raise HostError(self._failed(exc)) from exc
        finally:
            watch.end(asked)

    def _failed(self, exc: BaseException) -> str:
        after = "" if self.last is None else f" after transaction {self.last[:60]!r}"
        came = f", {self.read:,} read" if self.read else ""

        return (
            f"the order source failed for business date {self.business_date}{after}{came}: "
            f"{described(exc, LONGEST_COMPLAINT)}"
        )
