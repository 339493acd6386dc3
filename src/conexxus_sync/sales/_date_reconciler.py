"""
Reconciles one business date: till, outbox and the back office's own books.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import attrs

from conexxus_client import (
    ConexxusClient,
    ConexxusError,
    CountedTotal,
    DayTotals,
    NotFoundError,
    Transaction,
    decode_transaction,
)
from conexxus_sync.model.date_reconciliation import (
    BookFinding,
    DateColumns,
    DateReconciliation,
    FindingKind,
    find_wrong_bookings,
)
from conexxus_sync.model.formatting import counted
from conexxus_sync.protocols import OrderSource
from conexxus_sync.stores import LocationStore, State

from ._reconciliation import sales_of
from ._source_watch import HostRecords, SourceWatch


_NO_ORDERS = "Without an order source, the till is not compared"
_NOT_OFFERED = "The back office offers no totals: its own books are not compared"
_TOTALS_ONLY = "The back office lists no transactions: totals only, no sale is named"
_BARE = "Of {sales}, only the total is known here: registers, tenders and taxes are not compared"
_A_DAY = timedelta(days=1)


@attrs.define(kw_only=True)
class DateReconciler:
    """
    Compares what each side has of one business date.

    Sales are read one after the other: what is kept of a sale is its id and
    its total.

    Attributes:
        orders: What the till has; None: it is not compared.
        client: Asked for the back office's totals; None: they are not compared.
        watch: Sees an order source that hangs.
    """

    store: LocationStore
    business_date: date
    orders: OrderSource | None
    client: ConexxusClient | None
    watch: SourceWatch
    _remarks: list[str] = attrs.field(factory=list, init=False)
    _expected: dict[str, list[Decimal]] = attrs.field(factory=lambda: defaultdict(list), init=False)
    _unconfirmed: set[str] = attrs.field(factory=set, init=False)
    _is_unread: bool = attrs.field(default=False, init=False)
    _voids: int = attrs.field(default=0, init=False)
    _bare: CountedTotal = attrs.field(factory=CountedTotal, init=False)

    def reconcile(self) -> DateReconciliation:
        """
        Ask all sides.

        Raises:
            HostError: The order source raised.
            StoreError: The store can't be used.
        """
        till = self._till()
        booked = self._booked()

        with self.store.snapshot() as state:
            adopted = state.date_books.adopted(self.business_date)
            accepted = self._totals(self._accepted(state))
            waiting = self._totals(self._waiting(state, parked=False))
            set_aside = self._totals(self._set_aside(state))
        for _, total in adopted:
            self._bare = self._bare.plus(total)

        if self._bare.count:
            self._remarks.append(_BARE.format(sales=counted(self._bare.count, "accepted sale")))
        columns = DateColumns(
            till=till,
            accepted=accepted,
            waiting=waiting,
            set_aside=set_aside,
            back_office=booked,
            voids=self._voids,
            bare=self._bare,
        )

        return DateReconciliation(
            business_date=self.business_date,
            location_id=self.store.location,
            rows=tuple(columns.rows()),
            findings=tuple(self._findings(booked, {name for name, _ in adopted})),
            remarks=tuple(self._remarks),
            is_complete=till is not None and not self._is_unread,
        )

    def _totals(self, sales: Iterator[Transaction]) -> DayTotals:
        return DayTotals.of(sales, date=self.business_date, location_id=self.store.location)

    def _till(self) -> DayTotals | None:
        if self.orders is None:
            self._remarks.append(_NO_ORDERS)
            return None

        records = HostRecords(self.orders, self.store.location, self.business_date, self.watch)
        return self._totals(sales_of(records, self.business_date))

    def _booked(self) -> DayTotals | None:
        """
        The back office's books; None if they are not to be had.
        """
        if self.client is None or self.client.profile.summary_path is None:
            self._remarks.append(_NOT_OFFERED)
            return None

        try:
            return self._listed(self._day_totals(self.client, self.business_date))
        except NotFoundError:
            self._remarks.append(_NOT_OFFERED)
        except ConexxusError as exc:
            self._is_unread = True
            self._remarks.append(f"The books of the back office can't be read: {exc}")

        return None

    def _day_totals(self, client: ConexxusClient, day: date) -> DayTotals:
        return client.day_totals(day, location_id=self.store.location)

    def _listed(self, totals: DayTotals) -> DayTotals:
        """
        *totals*, without a list of transactions that is not complete.
        """
        listed = totals.transactions

        if listed is None:
            self._remarks.append(_TOTALS_ONLY)
        elif len(listed) < totals.sales.count:
            self._remarks.append(
                f"The back office lists {len(listed):,} of {totals.sales.count:,} transactions: "
                "totals only, no sale is named"
            )
            return attrs.evolve(totals, transactions=None)

        return totals

    def _accepted(self, state: State) -> Iterator[Transaction]:
        for batch in state.date_books.batches(self.business_date):
            for sale in batch.sales if batch.is_accepted else ():
                self._expected[sale.id].append(sale.total)
                if sale.raw is None:
                    self._add_bare(sale.total, is_void=sale.voids)
                    continue
                sold = decode_transaction(sale.raw)
                self._voids += sale.voids and sold.is_revenue
                yield sold

    def _add_bare(self, total: Decimal, *, is_void: bool) -> None:
        self._bare = self._bare.plus(total)
        self._voids += is_void

    def _waiting(self, state: State, *, parked: bool) -> Iterator[Transaction]:
        """
        What was sent and is not accepted; or what of it is *parked*.
        """
        for batch in state.date_books.batches(self.business_date):
            if batch.is_accepted or not batch.is_sent or (parked and not batch.is_parked):
                continue
            for sale in batch.sales:
                self._unconfirmed.add(sale.id)
                if sale.raw is not None:
                    yield decode_transaction(sale.raw)

    def _set_aside(self, state: State) -> Iterator[Transaction]:
        unreadable = 0

        for raw in state.date_books.set_aside(self.business_date):
            try:
                yield decode_transaction(raw)
            except ConexxusError:
                unreadable += 1
        if unreadable:
            sales = counted(unreadable, "sale")
            self._remarks.append(f"{sales} in quarantine can't be read, and are in no sum")
        yield from self._waiting(state, parked=True)

    def _findings(self, booked: DayTotals | None, adopted: set[str]) -> Iterator[BookFinding]:
        if booked is None or booked.transactions is None:
            return

        found = find_wrong_bookings(
            self._expected,
            booked.transactions,
            day=self.business_date,
            unconfirmed=self._unconfirmed,
            ignored=adopted,
        )
        with self.store.read() as state:
            elsewhere = self._neighbours(found, state)
            for one in found:
                if one.kind is FindingKind.LOST and one.id in elsewhere:
                    yield attrs.evolve(one, kind=FindingKind.MISDATED, booked_on=elsewhere[one.id])
                elif one.kind is FindingKind.FOREIGN:
                    yield self._placed(one, state)
                else:
                    yield one

    def _placed(self, found: BookFinding, state: State) -> BookFinding:
        """
        *found*, with the date on which it was sold, if it was sent from here.
        """
        day = state.date_books.other_date(found.id, found.total, self.business_date)

        if day is None:
            return found

        return attrs.evolve(
            found, kind=FindingKind.MISDATED, date=day, booked_on=self.business_date
        )

    def _neighbours(self, found: list[BookFinding], state: State) -> dict[str, date]:
        """
        Which of the lost sales are in the books of the day before or after,
        beside those of that day: ids may begin anew each day.
        """
        lost = {one.id for one in found if one.kind is FindingKind.LOST}
        places = dict[str, date]()

        if self.client is None or not lost:
            return places
        for day in (self.business_date - _A_DAY, self.business_date + _A_DAY):
            try:
                totals = self._day_totals(self.client, day)
            except ConexxusError:
                continue
            there = Counter(one.id for one in totals.transactions or ())
            there.subtract(state.date_books.accepted_ids(day))
            places |= {name: day for name in lost if there[name] > 0}

        return places
