"""
`BackOfficeBreaker`: how many runs go on at a time at one back office.
"""

import attrs

from conexxus_client import ConexxusError, ServerError, TransportError


# Two calls with their attempts, of whichever stores.
THRESHOLD = 8


@attrs.define
class BackOfficeBreaker:
    """
    Leaves workers to the others while one back office hangs or fails.

    Attributes:
        most: How many runs go on at a time where all is well.
        failures: Requests in a row without an answer, or with a 5xx one.
    """

    most: int
    failures: int = 0

    @property
    def is_open(self) -> bool:
        """
        Did so many requests in a row fail that the back office is down?
        """
        return self.failures >= THRESHOLD

    @property
    def limit(self) -> int:
        """
        How many runs may go on; where it is down, one that tries.
        """
        return 1 if self.is_open else self.most

    def note(self, error: ConexxusError | None) -> None:
        """
        A request ended.  Any other answer, 429 included, shows that it works.
        """
        is_down = isinstance(error, TransportError | ServerError)
        self.failures = self.failures + 1 if is_down else 0
