"""
An order source that answers like the tills that exist, not like the documented one.
"""

import random
from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

import attrs

from conexxus_client import Transaction

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


@attrs.define(eq=False)
class HostileTill:
    """
    An `OrderSource` over what a till has sold, that misbehaves on request.

    A test changes `sold` as the field does: a sale is edited, moved, deleted,
    or sold under a receipt number that another register uses as well.  The
    answers are complete, unless `answer_with` says what the next ones are.

    Attributes:
        sold: What the till has sold.
        upcoming: The kinds of the next answers.
        order: Decides the order in which a shuffled answer comes.
    """

    sold: ListOrders = attrs.field(factory=ListOrders)
    upcoming: deque[AnswerKind] = attrs.field(factory=deque)
    order: random.Random = attrs.field(factory=lambda: random.Random(0))  # noqa: S311  # no secret

    def answer_with(self, *kinds: AnswerKind) -> None:
        """
        Give the next answers these kinds, one each.
        """
        self.upcoming.extend(kinds)

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        The transactions of *business_date*, in an answer of the next kind.

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

        yield from found

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
