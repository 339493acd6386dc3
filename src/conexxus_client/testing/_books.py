"""
The ledger's file: one JSON line for each push that had an effect.

A line is written and flushed before its push is answered.  A last line that
is torn belongs to a push that was never answered, so it never happened.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from ._answer import json_bytes
from ._sales import Sale, SaleLine


if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._ledger import Push


class Books:
    """
    The file, open for as long as the ledger is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab+")
        self._drop_torn_line()

    def write(self, push: "Push") -> None:
        """
        Append *push*; it survives this process from now on.
        """
        line = attrs.asdict(push)
        self._file.write(json_bytes(line) + b"\n")
        self._file.flush()

    def pushes(self) -> "Iterator[Push]":
        """
        What was written so far.

        Raises:
            ValueError: A line is none of ours; it is named.
        """
        self._file.seek(0)

        for number, line in enumerate(self._file, start=1):
            try:
                yield _push(json.loads(line))
            except (ValueError, KeyError, TypeError, ArithmeticError) as exc:
                msg = f"{self._path}, line {number}: not a line of a sandbox ledger"
                raise ValueError(msg) from exc

    def clear(self) -> None:
        self._file.truncate(0)

    def close(self) -> None:
        self._file.close()

    def _drop_torn_line(self) -> None:
        size = self._file.seek(0, 2)
        end = size

        while end:
            start = max(0, end - 65536)
            self._file.seek(start)
            found = self._file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            self._file.truncate(end)


def _push(line: dict[str, Any]) -> "Push":
    from ._ledger import Push  # the ledger owns its file, and what is in it

    return Push(
        **{
            **line,
            "at": datetime.fromisoformat(line["at"]),
            "date": date.fromisoformat(line["date"]),
            "sales": tuple(map(_sale, line["sales"])),
        }
    )


def _sale(sale: dict[str, Any]) -> Sale:
    lines = (
        SaleLine(sku=line["sku"], quantity=Decimal(line["quantity"]), price=Decimal(line["price"]))
        for line in sale["lines"]
    )
    amounts = {
        name: None if sale[name] is None else Decimal(sale[name])
        for name in ("total", "tax", "discount")
    }

    return Sale(**{**sale, **amounts, "lines": tuple(lines)})
