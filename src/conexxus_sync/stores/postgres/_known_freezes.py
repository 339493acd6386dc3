"""
What this process has recorded of the freezes: a server that lags behind took over.
"""

import attrs


# By database and location: all stores of this process that lead there share it.
_numbers: dict[tuple[str, str], int] = {}


@attrs.frozen
class KnownFreezes:
    """
    Takes the place of the file beside a SQLite store: no disk outlasts the
    process, so only this one notices that the store has forgotten something.

    Attributes:
        database: Its name.
    """

    database: str
    path: None = None

    def numbers(self) -> dict[str, int]:
        """
        The highest number of each location.
        """
        return {
            location: number
            for (database, location), number in tuple(_numbers.items())
            if database == self.database
        }

    def write(self, location: str, number: int) -> None:
        """
        Keep the number of a location, unless a higher one is known.
        """
        key = self.database, location
        _numbers[key] = max(number, _numbers.get(key, 0))
