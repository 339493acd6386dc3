"""
Reconciliation of a business date: its rows, and the sales that are booked wrong.  Pure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date as Date  # noqa: N812  # a field is called `date`
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import attrs

from conexxus_client import BookedTransaction, CountedTotal, DayTotals, exact_sum

from .formatting import money


# How long a difference stays an alert.
REMEMBERED = timedelta(days=7)


class Measure(StrEnum):
    """
    What a row adds up.

    `COUNT` and `TOTAL` are of sales, without what was paid in and out.
    """

    COUNT = "count"
    TOTAL = "total"
    REGISTER = "register"
    TENDER = "tender"
    TAX = "tax"
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"


@attrs.frozen(kw_only=True)
class ReconciledAmount:
    """
    One figure of a business date, as each side has it; None where it is not known.

    Attributes:
        name: Of the register, the tender or the tax.
        till: What the order source gives now.
        sent: What left for the back office.
        accepted: What it took; corrections are added up.
        set_aside: What is in quarantine, or parked.
        back_office: What its own books have.
    """

    measure: Measure
    name: str | None = None
    till: Decimal | None = None
    sent: Decimal | None = None
    accepted: Decimal | None = None
    set_aside: Decimal = Decimal()
    back_office: Decimal | None = None

    @property
    def difference(self) -> Decimal:
        """
        What the back office lacks; by what it accepted, if its books are not known.
        """
        known = self._known
        return exact_sum((known[0], known[-1].copy_negate())) if known else Decimal()

    @property
    def agrees(self) -> bool:
        """
        Do all sides that are known have the same?
        """
        return len(set(self._known)) <= 1

    def __str__(self) -> str:
        sides = {
            "till": self.till,
            "accepted": self.accepted,
            "back office": self.back_office,
        }
        shown = str if self.measure is Measure.COUNT else money
        figures = (f"{side} {shown(one)}" for side, one in sides.items() if one is not None)

        return f"{self.title}: {', '.join(figures)}"

    @property
    def title(self) -> str:
        """
        What it adds up, like `tender cash`.
        """
        measure = "sales" if self.measure is Measure.COUNT else self.measure.replace("_", " ")

        return measure if self.name is None else f"{measure} {self.name[:60]}"

    @property
    def _known(self) -> list[Decimal]:
        return [one for one in (self.till, self.accepted, self.back_office) if one is not None]


class FindingKind(StrEnum):
    """
    How a sale is booked wrong.

    `LOST`: it was accepted, and is not in the books.  `DOUBLED`: more often
    than it was sent.  `MISDATED`: on another date than that of its sale.
    `CHANGED`: with another total.  `UNCONFIRMED`: it is booked, but its
    delivery is not confirmed.  `FOREIGN`: it was not sent from here.
    """

    LOST = "lost"
    DOUBLED = "doubled"
    MISDATED = "misdated"
    CHANGED = "changed"
    UNCONFIRMED = "unconfirmed"
    FOREIGN = "foreign"


# So many findings are named in a sentence.
_NAMED = 3

_SENTENCES = {
    FindingKind.LOST: "{id} was accepted, but is not in the books of the back office",
    FindingKind.DOUBLED: "{id} is in the books of the back office {times} times",
    FindingKind.MISDATED: "{id} of {date} is in the books of the back office on {booked_on}",
    FindingKind.CHANGED: "{id} has another total in the books of the back office",
    FindingKind.UNCONFIRMED: "{id} is in the books of the back office; its delivery is unknown",
    FindingKind.FOREIGN: "{id} is in the books of the back office, and was not sent from here",
}


@attrs.frozen(kw_only=True)
class BookFinding:
    """
    A sale that the back office's books have otherwise than it was sent.

    Attributes:
        id: As it was sent.
        total: As it is booked, or else as it was sent.
        times: How often it is in the books of the date.
        date: Of the sale.
        booked_on: The date on which it is booked, if that is known.
    """

    kind: FindingKind
    id: str
    total: Decimal
    times: int
    date: Date
    booked_on: Date | None = None

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(
            id=self.id[:60], times=self.times, date=self.date, booked_on=self.booked_on
        )


@attrs.frozen(kw_only=True)
class ComparedDate:
    """
    What came of a date when it was last reconciled.

    Attributes:
        difference: A sentence; None if all agreed.
        rows: Its table, those that differ in any case; of a date that an
            earlier version compared, none.
        more: How many rows were not kept.
    """

    at: datetime
    difference: str | None
    rows: tuple[ReconciledAmount, ...] = ()
    more: int = 0

    def is_outdated(self, visited_at: datetime) -> bool:
        """
        Did it differ, and was the date pushed since?
        """
        return self.difference is not None and self.at < visited_at


@attrs.frozen(kw_only=True)
class DateReconciliation:
    """
    A business date at the till, in the outbox and at the back office.

    Attributes:
        remarks: What is not known, and why, one sentence each.
        is_complete: Whether all sides that there are were compared.
    """

    business_date: Date
    location_id: str
    rows: tuple[ReconciledAmount, ...]
    findings: tuple[BookFinding, ...] = ()
    remarks: tuple[str, ...] = ()
    is_complete: bool = True

    @property
    def difference(self) -> str | None:
        """
        What differs, in one sentence without an end; None if all agrees.
        """
        rows = [row for row in self.rows if not row.agrees]
        # Money says more than a count.
        rows = [row for row in rows if row.measure is not Measure.COUNT] or rows
        said = [str(one) for one in (*rows[:1], *self.findings[:_NAMED])]
        more = len(self.findings) - _NAMED

        if more > 0:
            said.append(f"{more:,} more")

        return "; ".join(said) or None

    @property
    def agrees(self) -> bool:
        """
        Do all rows agree, and is every sale booked once, and right?
        """
        return not self.findings and all(row.agrees for row in self.rows)


@attrs.frozen(kw_only=True)
class DateColumns:
    """
    What each side has of a date.

    Attributes:
        waiting: What was sent and is not accepted.
        voids: Accepted voids of sales: with what they take back, they are no sale.
        bare: Accepted sales of which only the total is known.
    """

    till: DayTotals | None
    accepted: DayTotals
    waiting: DayTotals
    set_aside: DayTotals
    back_office: DayTotals | None
    voids: int = 0
    bare: CountedTotal = attrs.field(factory=CountedTotal)

    def rows(self) -> Iterator[ReconciledAmount]:
        """
        The figures; without details, count and total alone, of all that moved money.
        """
        count = Decimal(2 * self.voids)
        yield self._row(Measure.COUNT, less={"accepted": count, "back_office": count})
        yield self._row(Measure.TOTAL)

        if self.bare.count:
            return
        for measure in (Measure.REGISTER, Measure.TENDER, Measure.TAX):
            columns = filter(None, attrs.asdict(self, recurse=False).values())
            sides = [side for side in columns if isinstance(side, DayTotals)]
            for name in sorted({name for side in sides for name in _names(side, measure)}):
                yield self._row(measure, name)
        for measure in (Measure.PAID_IN, Measure.PAID_OUT):
            row = self._row(measure)
            if any((row.till, row.sent, row.set_aside, row.back_office)):
                yield row

    def _row(
        self, measure: Measure, name: str | None = None, less: Mapping[str, Decimal] | None = None
    ) -> ReconciledAmount:
        accepted = self._amount("accepted", measure, name) or Decimal()
        waiting = self._amount("waiting", measure, name) or Decimal()
        office = self._amount("back_office", measure, name)
        taken = Decimal() if less is None else less["accepted"].copy_negate()

        return ReconciledAmount(
            measure=measure,
            name=name,
            till=self._amount("till", measure, name),
            sent=exact_sum((accepted, waiting, taken)),
            accepted=exact_sum((accepted, taken)),
            set_aside=self._amount("set_aside", measure, name) or Decimal(),
            back_office=None if office is None else exact_sum((office, taken)),
        )

    def _amount(self, column: str, measure: Measure, name: str | None) -> Decimal | None:
        side: DayTotals | None = getattr(self, column)

        if side is None:
            return None
        if not self.bare.count:
            return _amount(side, measure, name)

        # Whether it was a sale or money that moved is not known of each.
        bare = self.bare if column == "accepted" else CountedTotal()
        return exact_sum(_figure(one, measure) for one in (bare, *_all_money(side)))


def find_wrong_bookings(
    expected: Mapping[str, Collection[Decimal]],
    booked: Iterable[BookedTransaction],
    *,
    day: Date,
    unconfirmed: Collection[str] = (),
    ignored: Collection[str] = (),
) -> list[BookFinding]:
    """
    Compare the sales of *day* that were accepted with those in the books.

    Args:
        expected: The totals that were sent under each id.
        unconfirmed: Ids of which it is not known whether they were accepted.
        ignored: Ids that may be in the books, or may not.
    """
    books = defaultdict[str, list[Decimal]](list)
    for one in booked:
        books[one.id].append(one.total)

    found = list[BookFinding]()
    for name in sorted((expected.keys() | books.keys()) - set(ignored)):
        there = books.get(name, [])
        kind = _kind_of(sorted(expected.get(name, ())), sorted(there), name in unconfirmed)
        if kind is not None:
            total = (*there, *expected.get(name, ()))[0]
            found.append(BookFinding(kind=kind, id=name, total=total, times=len(there), date=day))

    return found


def _kind_of(sent: list[Decimal], there: list[Decimal], is_unconfirmed: bool) -> FindingKind | None:
    if not sent:
        return FindingKind.UNCONFIRMED if is_unconfirmed else FindingKind.FOREIGN
    if len(there) < len(sent):
        return FindingKind.LOST
    if len(there) > len(sent):
        return FindingKind.DOUBLED

    return None if there == sent else FindingKind.CHANGED


def _names(side: DayTotals, measure: Measure) -> Collection[str]:
    return _parts(side, measure).keys()


def _parts(side: DayTotals, measure: Measure) -> Mapping[str, Decimal]:
    if measure is Measure.REGISTER:
        return {name: one.total for name, one in side.registers.items()}
    if measure is Measure.TAX:
        return {name: one.amount for name, one in side.taxes.items()}

    return side.tenders


def _amount(side: DayTotals, measure: Measure, name: str | None) -> Decimal | None:
    if name is not None:
        return _parts(side, measure).get(name, Decimal())
    if measure in (Measure.COUNT, Measure.TOTAL):
        return _figure(side.sales, measure)

    paid = side.paid_in if measure is Measure.PAID_IN else side.paid_out
    return None if paid is None else paid.total


def _all_money(side: DayTotals) -> Iterator[CountedTotal]:
    yield from filter(None, (side.sales, side.paid_in, side.paid_out))


def _figure(one: CountedTotal, measure: Measure) -> Decimal:
    return Decimal(one.count) if measure is Measure.COUNT else one.total
