"""
One push of sales, as the sandbox received it.
"""

from datetime import date, datetime
from typing import Literal

import attrs

from ._sales_body import Sale


@attrs.frozen(kw_only=True)
class Push:
    """
    One push that had an effect.

    Attributes:
        at: When it came.
        key: Its idempotency key, if it had one.
        digest: SHA-256 of its body, to tell a repeat from a clash.
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
