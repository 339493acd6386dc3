"""
What all tables share: the database below them, and moments as sortable UTC text.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from conexxus_sync.model.leases import Lease


R = TypeVar("R")
T = TypeVar("T")


class FreezeCounter(Protocol):
    """
    Counts what is frozen or sent.
    """

    def advance(self, connection: Any, location_id: str) -> None: ...


class Database(Protocol):
    """
    One database, whichever it is.
    """

    @property
    def freezes(self) -> FreezeCounter: ...

    def reading(self) -> AbstractContextManager[Any]: ...

    def writing(
        self, lease: Lease | None = None, *, connection: Any = None
    ) -> AbstractContextManager[Any]: ...


def text(moment: datetime) -> str:
    """
    Write *moment*.
    """
    return moment.astimezone(UTC).isoformat()


def optional_text(moment: datetime | None) -> str | None:
    """
    Write *moment*, if there is one.
    """
    return None if moment is None else text(moment)


def optional_moment(stored: str | None) -> datetime | None:
    """
    Read a moment, if there is one.
    """
    return None if stored is None else datetime.fromisoformat(stored)


def readable(rows: Iterable[R], read: Callable[[R], T]) -> Iterator[T]:
    """
    What *read* makes of each row; one that can't be read stops only itself.

    `conexxus doctor` names the rows that are passed over.
    """
    for row in rows:
        try:
            value = read(row)
        except Exception:  # noqa: BLE001, S112  # whatever is in it, the others count
            continue
        yield value
