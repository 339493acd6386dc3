"""
The result of the last call to the back office.
"""

from datetime import datetime, timedelta

import attrs


@attrs.frozen(kw_only=True)
class ApiConnection:
    """
    How the last call of the back office went.

    Attributes:
        reached: Whether it reached the back office.
        checked_at: When it ended.
        latency: How long its last attempt took; None if only a run shows it.
        error: Why it did not reach it.
    """

    reached: bool
    checked_at: datetime
    latency: timedelta | None = None
    error: str | None = None
