"""
The system's clock, for those who bring no other.
"""

import time
from datetime import UTC, datetime


class SystemClock:
    """
    Moments as the operating system tells them.
    """

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
