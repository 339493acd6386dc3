"""
Moments as they are stored: in UTC, so that they sort as text.
"""

from datetime import UTC, datetime


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
