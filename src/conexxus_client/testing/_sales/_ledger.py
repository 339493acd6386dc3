"""
The ledger of the fake back office: which sales are effective, how often.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import attrs

from ._ledger_file import LedgerFile, Push
from ._sales_body import Sale


# A thousand amounts of 38 digits add up exactly.
_EXACT = Context(prec=120)


@attrs.frozen(kw_only=True)
class Entry:
    """
    One transaction in the books.

    Attributes:
        times: How often it is effective: 1, or the sale is doubled.
    """

    location: str
    date: date
    sale: Sale
    times: int = 1

    @property
    def id(self) -> str:
        return self.sale.id

    @property
    def total(self) -> Decimal:
        """
        Of one of them.
        """
        return self.sale.total


class Ledger:
    """
    Every push that had an effect, and what is effective because of it.

    Args:
        path: A file to which each push is appended before it is answered,
            and from which the books are continued at the start.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._file = LedgerFile(path) if path else None
        self._clear_state()

        for push in self._file.pushes() if self._file else ():
            self._apply(push)

    def record(self, push: Push) -> None:
        """
        Make *push* effective: on disk first, then here.
        """
        with self._lock:
            if self._file:
                self._file.write(push)
            self._apply(push)

    def clear(self) -> None:
        """
        Begin new books; the file is emptied, too.
        """
        with self._lock:
            if self._file:
                self._file.clear()
            self._clear_state()

    @property
    def pushes(self) -> tuple[Push, ...]:
        """
        Those that had an effect, in the order in which they came.
        """
        with self._lock:
            return tuple(self._pushes)

    @property
    def keys(self) -> tuple[str, ...]:
        """
        The idempotency keys that are known, in the order of their first use.
        """
        with self._lock:
            return tuple(self._by_key)

    def by_key(self, key: str) -> Push | None:
        """
        The latest push under *key*.
        """
        with self._lock:
            return self._by_key.get(key)

    def knows(self, location: str, transaction_id: str) -> bool:
        """
        Has this id ever been pushed for *location*, on whatever date?
        """
        with self._lock:
            return (location, transaction_id) in self._ids

    def locations(self) -> list[str]:
        """
        Those with sales, sorted.
        """
        with self._lock:
            return sorted({location for location, _ in self._days})

    def dates(self, location: str | None = None) -> list[date]:
        """
        The business dates with sales, sorted; of *location*, or of all.
        """
        with self._lock:
            return sorted({day for place, day in self._days if location in (None, place)})

    def transactions(self, location: str | None = None, day: date | None = None) -> list[Entry]:
        """
        What is effective, in the order in which it came; each id and timestamp
        of a day once, with the times it is effective.
        """
        with self._lock:
            return list(self._entries(location, day))

    def total(self, location: str | None = None, day: date | None = None) -> Decimal:
        """
        The exact sum of what is effective; doubled sales count twice.
        """
        total = Decimal()

        for sale in self.sales(location, day):
            total = _EXACT.add(total, sale.total)

        return total

    def sales(self, location: str | None = None, day: date | None = None) -> list[Sale]:
        """
        What is effective, a doubled sale twice.
        """
        with self._lock:
            return [
                sale
                for (place, when), sales in self._days.items()
                if location in (None, place) and day in (None, when)
                for sale in sales
            ]

    def doubled(self) -> list[Entry]:
        """
        The sales that are effective more than once.  Empty is good.
        """
        return [entry for entry in self.transactions() if entry.times > 1]

    def to_json(self) -> dict[str, Any]:
        """
        The books as JSON values; amounts are texts with their exact digits.
        """
        with self._lock:
            return {
                "pushes": len(self._pushes),
                "keys": list(self._by_key),
                "doubled": [_entry_json(entry) for entry in self.doubled()],
                "locations": {
                    place: {
                        str(day): {
                            "total": format(self.total(place, day), "f"),
                            "transactions": [
                                _entry_json(entry) for entry in self._entries(place, day)
                            ],
                        }
                        for day in self.dates(place)
                    }
                    for place in self.locations()
                },
            }

    def _clear_state(self) -> None:
        self._pushes: list[Push] = []
        self._by_key: dict[str, Push] = {}
        self._ids: set[tuple[str, str]] = set()
        self._days: dict[tuple[str, date], list[Sale]] = {}

    def _apply(self, push: Push) -> None:
        self._pushes.append(push)
        self._ids.update((push.location, sale.id) for sale in push.sales)
        if push.key is not None:
            self._by_key[push.key] = push
        day = push.location, push.date
        before = self._days.get(day, []) if push.mode == "append" else []
        before.extend(push.sales)
        self._days[day] = before
        if not before:
            del self._days[day]

    def _entries(self, location: str | None, day: date | None) -> Iterator[Entry]:
        for (place, when), sales in self._days.items():
            if location in (None, place) and day in (None, when):
                yield from _count_entries(place, when, sales)

    def __repr__(self) -> str:
        return f"<Ledger {len(self._pushes)} pushes, {len(self.sales())} sales>"


def _count_entries(location: str, day: date, sales: Iterable[Sale]) -> Iterator[Entry]:
    # Registers may use the same numbers; of one moment, it is one sale.
    entries: dict[tuple[str, str, str | None], Entry] = {}

    for sale in sales:
        key = sale.id, sale.timestamp, _register(sale)
        known = entries.get(key)
        entries[key] = (
            attrs.evolve(known, times=known.times + 1)
            if known
            else Entry(location=location, date=day, sale=sale)
        )

    return iter(entries.values())


def _register(sale: Sale) -> str | None:
    return sale.receipt.register if '"register"' in sale.wire else None


def _receipt_json(sale: Sale) -> dict[str, Any]:
    """
    All that was sent, if it is more than a plain sale.
    """
    if not sale.wire or sale.receipt.is_plain:
        return {}

    return {"receipt": json.loads(sale.wire, parse_float=str)}


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "location": entry.location,
        "date": str(entry.date),
        "id": entry.id,
        "times": entry.times,
        "total": format(entry.total, "f"),
        "lines": [
            {
                "sku": line.sku,
                "quantity": format(line.quantity, "f"),
                "price": format(line.price, "f"),
            }
            for line in entry.sale.lines
        ],
        **_receipt_json(entry.sale),
    }
