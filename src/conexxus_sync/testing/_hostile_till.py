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


class Mood(StrEnum):
    """
    How a till answers once, whatever it has sold.

    `EMPTY`: nothing, without an error, as after a lost connection to its
    database.  `LATE`: without the last half of its sales.  `SHUFFLED`: in
    another order.  `DOUBLED`: each sale twice.  `BROKEN`: the first half, then
    an error.
    """

    HONEST = "honest"
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
    or sold under a receipt number that another register uses as well.  How
    the till answers is a matter of its moods: each answer uses up one of
    them, and without one it is honest.

    Attributes:
        sold: What the till has sold.
        moods: The moods of the next answers.
        order: Decides the order in which a shuffled answer comes.
    """

    sold: ListOrders = attrs.field(factory=ListOrders)
    moods: deque[Mood] = attrs.field(factory=deque)
    order: random.Random = attrs.field(factory=lambda: random.Random(0))  # noqa: S311  # no secret

    def answer_with(self, *moods: Mood) -> None:
        """
        Answer the next requests in these moods, one each.
        """
        self.moods.extend(moods)

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        The transactions of *business_date*, as the mood has it.

        Raises:
            RuntimeError: Half-way, in the mood `BROKEN`.
        """
        mood = self.moods.popleft() if self.moods else Mood.HONEST
        found = self.sold.transactions(location_id, business_date)

        if mood is Mood.EMPTY:
            found = []
        elif mood in (Mood.LATE, Mood.BROKEN):
            found = found[: len(found) // 2]
        elif mood is Mood.SHUFFLED:
            self.order.shuffle(found)
        elif mood is Mood.DOUBLED:
            found = [*found, *found]

        yield from found

        if mood is Mood.BROKEN:
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
