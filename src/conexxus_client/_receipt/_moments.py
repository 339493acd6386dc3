"""
Moments as tills and databases give them, made aware.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def utc_time(value: datetime | str) -> datetime:
    """
    A moment that is in UTC where it says nothing else: `2026-01-02 15:00:00`.

    Raises:
        ValueError: The text is no moment.
    """
    moment = _read(value)

    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def local_time(value: datetime | str, zone: ZoneInfo | str) -> datetime:
    """
    The moment at which clocks in *zone* showed *value*, in UTC.

    Of an hour that clocks show twice, it is the first, unless its `fold` is 1.

    Args:
        value: Without an offset; one that has an offset is that moment.
        zone: By its IANA name, like `America/New_York`.

    Raises:
        ValueError: The text is no moment, or clocks never showed it: they
            were put forward.
    """
    moment, place = _read(value), ZoneInfo(zone) if isinstance(zone, str) else zone

    if moment.tzinfo is not None:
        return moment.astimezone(UTC)

    found = moment.replace(tzinfo=place).astimezone(UTC)
    if found.astimezone(place).replace(tzinfo=None) != moment:
        msg = f"clocks in {place.key} never showed {moment}: they were put forward"
        raise ValueError(msg)

    return found


def _read(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
