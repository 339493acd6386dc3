"""
The ledger's file: one JSON line for each push that had an effect.

A line is written and flushed before its push is answered.  A last line that
is torn belongs to a push that was never answered, so it never happened.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import attrs

from conexxus_client.testing._answer import json_bytes

from ._sales_body import Sale, SaleLine


@attrs.frozen(kw_only=True)
class Push:
    """
    One push that had an effect.

    Attributes:
        at: When it came.
        key: Its idempotency key, if it had one.
        digest: SHA-256 of its body, to distinguish a repeat from a clash.
        mode: Whether it was added to its day, or replaced it.
        sales: What it made effective; refused ones are not among them.
        answer: The body of the answer, replayed to a repeat.
    """

    at: datetime
    location: str
    date: date
    key: str | None = None
    digest: str
    mode: Literal["append", "replace_day"] = "append"
    sales: tuple[Sale, ...]
    status: int = 200
    answer: str = "{}"


class LedgerFile:
    """
    The file at *path*; it is open only while it is read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._drop_torn_line()

    def write(self, push: Push) -> None:
        """
        Append *push*; it survives this process from now on.

        Raises:
            OSError: It could not be written, and has not happened.
        """
        with self._path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                _write_all(file.write, json_bytes(attrs.asdict(push)) + b"\n")
            except OSError:
                file.truncate(before)
                raise

    def pushes(self) -> Iterator[Push]:
        """
        What was written so far.

        Raises:
            ValueError: A line is not one of a ledger; the message names it.
        """
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield _decode_push(json.loads(line))
                except (ValueError, KeyError, TypeError, ArithmeticError) as exc:
                    msg = f"{self._path}, line {number}: not a line of a sandbox ledger"
                    raise ValueError(msg) from exc

    def clear(self) -> None:
        self._path.write_bytes(b"")

    def _drop_torn_line(self) -> None:
        """
        Cut the file after its last line end; make it if there is none.
        """
        with self._path.open("ab+") as file:
            end = file.tell()
            while end:
                start = max(0, end - 65536)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                end = start if found < 0 else start + found + 1
                if found >= 0:
                    break
            file.truncate(end)


def _write_all(write: Callable[[bytes], int | None], text: bytes) -> None:
    while text:
        text = text[write(text) or 0 :]


def _decode_push(line: dict[str, Any]) -> Push:
    return Push(
        **{
            **line,
            "at": datetime.fromisoformat(line["at"]),
            "date": date.fromisoformat(line["date"]),
            "sales": tuple(map(_decode_sale, line["sales"])),
        }
    )


def _decode_sale(sale: dict[str, Any]) -> Sale:
    lines = (
        SaleLine(sku=line["sku"], quantity=Decimal(line["quantity"]), price=Decimal(line["price"]))
        for line in sale["lines"]
    )
    amounts = {
        name: None if sale[name] is None else Decimal(sale[name])
        for name in ("total", "tax", "discount")
    }

    return Sale(**{**sale, **amounts, "lines": tuple(lines)})
