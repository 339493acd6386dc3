"""
Whether the back office can be reached, as its calls tell.
"""

import attrs

from conexxus_client import AttemptDetails, CallDetails, StatusError


# These judge what was sent; the connection is fine.
_CONTENT_STATUSES = (400, 409, 413, 422)


@attrs.define
class Connection:
    """
    A hook of the client that remembers how the last call went.

    Attributes:
        reached: Whether it reached the back office; None before the first.
    """

    reached: bool | None = None

    def __call__(self, details: AttemptDetails | CallDetails) -> None:
        """
        One attempt says little; the call counts.
        """
        if isinstance(details, AttemptDetails):
            return

        error = details.error
        self.reached = error is None or (
            isinstance(error, StatusError) and error.status in _CONTENT_STATUSES
        )
