"""
An order source that answers like the tills that exist, not like the documented one.
"""

import random
from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from conexxus_client import Transaction, TransactionLine
from conexxus_sync.model.order_records import OrderRecord

from ._list_orders import ListOrders


class AnswerKind(StrEnum):
    """
    What one answer of an order source is like, whatever the till has sold.

    `COMPLETE`: all sales, in order.  `EMPTY`: nothing, without an error, as
    after a lost connection to its database.  `LATE`: without the last half of
    the sales.  `SHUFFLED`: in another order.  `DOUBLED`: each sale twice.
    `BROKEN`: the first half, then an error.
    """

    COMPLETE = "complete"
    EMPTY = "empty"
    LATE = "late"
    SHUFFLED = "shuffled"
    DOUBLED = "doubled"
    BROKEN = "broken"


class Defect(StrEnum):
    """
    Why a sale can't be built from what the till says of it.

    `FLOAT`: its total is a float.  `NAIVE`: its timestamp is in no zone.
    `NO_ID`: it has none.  `NUMBER_ID`: its id is a number.  `NO_SKU`: a line
    is of no item.
    """

    FLOAT = "float"
    NAIVE = "naive"
    NO_ID = "no id"
    NUMBER_ID = "number id"
    NO_SKU = "no sku"


@attrs.define(eq=False)
class HostileTill:
    """
    An `OrderSource` over what a till has sold, that misbehaves on request.

    A test changes `sold` as the field does: a sale is edited, moved, deleted,
    timed by a clock in a wrong zone, spoiled, or sold under a receipt number
    that another register uses as well.  The answers are complete, unless
    `answer_with` says what the next ones are.

    Attributes:
        sold: What the till has sold.
        upcoming: The kinds of the next answers.
        defects: Of the sales that can't be built, by business date and id.
        order: Decides the order in which a shuffled answer comes.
    """

    sold: ListOrders = attrs.field(factory=ListOrders)
    upcoming: deque[AnswerKind] = attrs.field(factory=deque)
    defects: dict[tuple[date, str], Defect] = attrs.field(factory=dict)
    order: random.Random = attrs.field(factory=lambda: random.Random(0))  # noqa: S311  # no secret

    def answer_with(self, *kinds: AnswerKind) -> None:
        """
        Give the next answers these kinds, one each.
        """
        self.upcoming.extend(kinds)

    def transactions(self, location_id: str, business_date: date) -> Iterator[OrderRecord]:
        """
        The transactions of *business_date*, in an answer of the next kind.

        Those that are spoiled come as mappings.

        Raises:
            RuntimeError: Half-way, in a `BROKEN` answer.
        """
        kind = self.upcoming.popleft() if self.upcoming else AnswerKind.COMPLETE
        found = self.sold.transactions(location_id, business_date)

        if kind is AnswerKind.EMPTY:
            found = []
        elif kind in (AnswerKind.LATE, AnswerKind.BROKEN):
            found = found[: len(found) // 2]
        elif kind is AnswerKind.SHUFFLED:
            self.order.shuffle(found)
        elif kind is AnswerKind.DOUBLED:
            found = [*found, *found]

        for each in found:
            defect = self.defects.get((business_date, each.id))
            yield each if defect is None else _spoiled(each, defect)

        if kind is AnswerKind.BROKEN:
            msg = "the till's database is gone"
            raise RuntimeError(msg)

    def edit(self, transaction_id: str, total: Decimal, *, business_date: date) -> None:
        """
        Change what a sale came to, after it was finished.

        Raises:
            LookupError: There is no such sale on that date.
        """
        before = self._of(transaction_id, business_date)[0]
        line = attrs.evolve(before.items[0], price=abs(total), quantity=-1 if total < 0 else 1)
        edited: Transaction = attrs.evolve(before, total=total, items=[line])
        self.sold.replace(edited, business_date=business_date)

    def move(self, transaction_id: str, source: date, target: date) -> None:
        """
        Book a sale on another business date than before.

        Raises:
            LookupError: There is no such sale on the first date.
        """
        moved = self._of(transaction_id, source)
        self.sold.remove(transaction_id, business_date=source)
        self.sold.add(*moved, business_date=target)

    def mistime(self, transaction_id: str, by: timedelta, *, business_date: date) -> None:
        """
        Give a sale the time of a clock in a wrong zone; it stays on its date.

        Raises:
            LookupError: There is no such sale on that date.
        """
        before = self._of(transaction_id, business_date)[0]
        mistimed: Transaction = attrs.evolve(before, timestamp=before.timestamp + by)
        self.sold.replace(mistimed, business_date=business_date)

    def spoil(self, transaction_id: str, defect: Defect, *, business_date: date) -> None:
        """
        From now on, say of a sale what it can't be built from.

        Raises:
            LookupError: There is no such sale on that date.
        """
        self._of(transaction_id, business_date)
        self.defects[business_date, transaction_id] = defect

    def mend(self, transaction_id: str, *, business_date: date) -> None:
        """
        Say of a spoiled sale again what it is.
        """
        self.defects.pop((business_date, transaction_id), None)

    def sell_on_another_register(
        self, transaction: Transaction, *, later: timedelta, business_date: date
    ) -> Transaction:
        """
        Sell the same basket under the same receipt number, some time later.

        Returns:
            The second sale.
        """
        second: Transaction = attrs.evolve(transaction, timestamp=transaction.timestamp + later)
        self.sold.add(second, business_date=business_date)

        return second

    def purge(self, before: date) -> None:
        """
        Forget all sales of the dates before *before*, as a till does to save space.
        """
        for day in [each for each in self.sold.by_date if each < before]:
            del self.sold.by_date[day]

    def _of(self, transaction_id: str, day: date) -> list[Transaction]:
        found = [each for each in self.sold.by_date.get(day, ()) if each.id == transaction_id]

        if not found:
            msg = f"there is no transaction {transaction_id!r} on {day}: add it to `sold` first"
            raise LookupError(msg)

        return found


def _spoiled(sale: Transaction, defect: Defect) -> dict[str, Any]:
    """
    The *sale* as a mapping that has the *defect*.
    """
    lines = [_line(line) for line in sale.items]
    record = {
        "id": sale.id,
        "timestamp": sale.timestamp,
        "total": sale.total,
        "items": lines,
        "extra": sale.extra,
    }

    if defect is Defect.FLOAT:
        record["total"] = float(sale.total)
    elif defect is Defect.NAIVE:
        record["timestamp"] = sale.timestamp.replace(tzinfo=None)
    elif defect is Defect.NO_ID:
        del record["id"]
    elif defect is Defect.NUMBER_ID:
        record["id"] = int("".join(filter(str.isdecimal, sale.id)) or 0)
    else:
        record["items"] = [{**line, "sku": None} for line in lines]

    return record


def _line(line: TransactionLine) -> dict[str, Any]:
    return {"sku": line.sku, "quantity": line.quantity, "price": line.price}
