"""
Numbers of freezes, in the store and in the file beside it: a store that lags was restored.
"""

from functools import partial
from pathlib import Path
from typing import Protocol

import attrs

from conexxus_sync.model.sales import FreezeNumbers

from ._database import Repository


_ADVANCE = """
INSERT INTO sales_freezes (location, number) VALUES (?, 1)
ON CONFLICT (location) DO UPDATE SET number = sales_freezes.number + 1 RETURNING number
"""
_STORED = "SELECT number FROM sales_freezes WHERE location = ?"
_SET = """
INSERT INTO sales_freezes (location, number) VALUES (?, ?)
ON CONFLICT (location) DO UPDATE SET number = excluded.number
"""


class FreezeRecord(Protocol):
    """
    What holds the numbers of freezes besides the store.
    """

    @property
    def path(self) -> Path | None:
        """
        The file that holds them; None if only this process has them.
        """

    def numbers(self) -> dict[str, int]:
        """
        The number of each location.
        """

    def write(self, location: str, number: int) -> None:
        """
        Keep the number of a location, unless a higher one is known.
        """


@attrs.frozen
class Freezes(Repository):
    """
    The row of `sales_freezes`, and the file that holds the same number.

    Whatever is frozen, about to be sent or adopted advances the number; once
    that is committed, and before anything is sent, the file is replaced.  So a
    store whose number is lower than the file's has forgotten what was sent or
    adopted since.
    """

    file: FreezeRecord

    def advance(self) -> None:
        """
        Count one more, in the transaction that is open.
        """
        ((number,),) = self.session.execute(_ADVANCE, (self.location,)).fetchall()
        self.session.after_commit(partial(self.file.write, self.location, number))

    def numbers(self) -> FreezeNumbers:
        """
        What store and file say.
        """
        return FreezeNumbers(
            path=self.file.path,
            stored=self._stored(),
            beside=self.file.numbers().get(self.location),
        )

    def catch_up(self) -> None:
        """
        Take the number of the file for the store's, because an operator said
        what was sent meanwhile.
        """
        beside = self.file.numbers().get(self.location, 0)

        if beside > self._stored():
            self.session.execute(_SET, (self.location, beside))

    def write(self) -> None:
        """
        Write the store's number into the file, unless that has a higher one.
        """
        self.file.write(self.location, self._stored())

    def _stored(self) -> int:
        return int(self.value(_STORED, (self.location,)) or 0)
