"""
An order source in memory.
"""

from collections.abc import Iterable
from datetime import date

import attrs

from conexxus_client import Transaction


@attrs.define(eq=False, init=False)
class ListOrders:
    """
    An `OrderSource` that keeps its transactions in lists.

    A transaction belongs to the business date that is given with it, else to
    its own `business_date`, else to the date of its `timestamp` in the zone
    of that timestamp.  Every location gets the same transactions.

    Args:
        transactions: Those that there are at first.

    Attributes:
        by_date: The transactions of each business date, in the order in
            which they are returned. A test may change the lists directly.

    Example:
        ```python
        orders = ListOrders([sale("t1", "9.99")])
        orders.add(sale("t2", "5.00"))
        orders.replace(sale("t2", "6.00"))
        orders.remove("t1")
        ```
    """

    by_date: dict[date, list[Transaction]] = attrs.field(factory=dict)

    def __init__(self, transactions: Iterable[Transaction] = ()) -> None:
        self.__attrs_init__()
        self.add(*transactions)

    def transactions(self, location_id: str, business_date: date) -> list[Transaction]:
        """
        The transactions of *business_date*; a new list with each call.
        """
        return list(self.by_date.get(business_date, ()))

    def add(self, *transactions: Transaction, business_date: date | None = None) -> None:
        """
        Append *transactions*.

        Args:
            transactions: In the order in which they are to be returned.
            business_date: Where they belong, whatever they say themselves.
        """
        for each in transactions:
            day = _date_of(each) if business_date is None else business_date
            self.by_date.setdefault(day, []).append(each)

    def replace(self, transaction: Transaction, *, business_date: date | None = None) -> None:
        """
        Change a transaction: *transaction* takes the place of those with its id.

        Args:
            transaction: The new version.
            business_date: The date on which the id is, unless it follows
                from *transaction*.

        Raises:
            LookupError: The date has no transaction with this id.
        """
        day = _date_of(transaction) if business_date is None else business_date
        before = self._found(transaction.id, day)

        self.by_date[day] = [transaction if each.id == transaction.id else each for each in before]

    def remove(self, transaction_id: str, *, business_date: date | None = None) -> None:
        """
        Remove a transaction, as if it had never been sold.

        Args:
            transaction_id: Its id.
            business_date: The date from which to remove it; from all dates
                unless it is given.

        Raises:
            LookupError: There is no transaction with this id.
        """
        days = [business_date] if business_date is not None else self._days_of(transaction_id)

        if not days:
            msg = f"there is no transaction {transaction_id!r}: add() it first"
            raise LookupError(msg)

        for day in days:
            before = self._found(transaction_id, day)
            self.by_date[day] = [each for each in before if each.id != transaction_id]

    def _days_of(self, transaction_id: str) -> list[date]:
        return [
            day
            for day, transactions in self.by_date.items()
            if any(each.id == transaction_id for each in transactions)
        ]

    def _found(self, transaction_id: str, day: date) -> list[Transaction]:
        if day not in self._days_of(transaction_id):
            msg = f"there is no transaction {transaction_id!r} on {day}: add() it first"
            raise LookupError(msg)

        return self.by_date[day]


def _date_of(transaction: Transaction) -> date:
    return transaction.business_date or transaction.timestamp.date()
