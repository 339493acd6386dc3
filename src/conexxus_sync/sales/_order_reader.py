"""
Reads the host's transactions of a business date, and freezes each.
"""

from collections.abc import Iterator
from datetime import date, datetime

from conexxus_client import Transaction
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.frozen_sales import FrozenTransaction, bytes_to_send
from conexxus_sync.model.order_records import (
    OrderRemark,
    UnusableTransaction,
    unusable,
)
from conexxus_sync.runtime.host_exceptions import ends_process

from ._push_context import PushContext, PushStoppedError
from ._run_counters import RunCounters
from ._source_watch import HostRecords
from ._zone_check import LOOKED_AT, ZoneCheck


HOLD_EVERY = 1_000


def read_transactions(
    context: PushContext, business_date: date, counters: RunCounters | None = None
) -> Iterator[FrozenTransaction]:
    """
    What the host returns for *business_date*, as it comes.

    What can't be built is among it, each with its fault.

    Args:
        counters: Get what the source remarks, and what seems to be of another date.

    Raises:
        HostError: Whatever the host raised.
        PushStoppedError: The push shall end.
    """
    sku_required = context.profile.sku_required
    for position, record in _records(context, business_date, counters):
        yield _frozen(record, position, business_date, sku_required)


def read_bytes(
    context: PushContext, business_date: date, counters: RunCounters
) -> Iterator[bytes | None]:
    """
    Likewise, but no more than the bytes; None for what can't be sent.
    """
    sku_required = context.profile.sku_required
    for _, record in _records(context, business_date, counters):
        yield _bytes(record, business_date, sku_required)


def _records(
    context: PushContext, business_date: date, counters: RunCounters | None
) -> Iterator[tuple[int, Transaction | UnusableTransaction]]:
    records = HostRecords(context.orders, context.location_id, business_date, context.watch)
    core = context.calendar.core_hours(business_date)
    zone = ZoneCheck(context.calendar.timezone)

    for position, record in enumerate(records):
        if position % HOLD_EVERY == 0:
            context.renew_lease()
            if context.stopped():
                raise PushStoppedError

        if counters is not None:
            _remark(record, context.calendar, business_date, core, counters)
            if position < LOOKED_AT and isinstance(record, Transaction):
                counters.zone_doubt = zone.look(record.timestamp)
        if not isinstance(record, OrderRemark):
            yield position, record


def _remark(
    record: Transaction | UnusableTransaction | OrderRemark,
    calendar: StoreCalendar,
    business_date: date,
    core: tuple[datetime, datetime],
    counters: RunCounters,
) -> None:
    if isinstance(record, OrderRemark):
        counters.add_source_remark(record.text)
    elif isinstance(record, Transaction) and record.business_date is None:
        try:
            if core[0] <= record.timestamp < core[1]:
                return
            day = calendar.business_date(record.timestamp)
        except BaseException as exc:
            if ends_process(exc):
                raise
            # At an end of the calendar, or by a zone of the host's own; what
            # can't be sent is set aside.
            return
        if day != business_date:
            counters.add_misdated(day, record.id)


def _bytes(
    record: Transaction | UnusableTransaction, business_date: date, sku_required: bool
) -> bytes | None:
    if isinstance(record, UnusableTransaction):
        return None

    try:
        return bytes_to_send(record, business_date, sku_required)
    except BaseException as exc:
        if ends_process(exc):
            raise
        return None


def _frozen(
    record: Transaction | UnusableTransaction,
    position: int,
    business_date: date,
    sku_required: bool,
) -> FrozenTransaction:
    if isinstance(record, UnusableTransaction):
        return FrozenTransaction.set_aside(record, position=position)

    try:
        return FrozenTransaction.of(
            record, position=position, business_date=business_date, sku_required=sku_required
        )
    except BaseException as exc:
        if ends_process(exc):
            raise
        # Built past the checks of its class, or in a zone of the host's own.
        broken = unusable({"id": record.id}, f"{type(exc).__name__}: {exc}")
        return FrozenTransaction.set_aside(broken, position=position)
