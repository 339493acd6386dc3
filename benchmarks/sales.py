"""
The sales that are pushed, as plain values.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal


FIRST_DAY = date(2027, 1, 1)
LINES = 5

# Sales of one request.
BATCH = 2_000

Line = tuple[str, int, Decimal]
Sale = tuple[str, datetime, Decimal, list[Line]]


def prepared_sales(count: int, day: date = FIRST_DAY) -> Iterator[Sale]:
    """
    So many sales of five lines, spread over the hours before the push.
    """
    opening = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    pause = timedelta(hours=15) / count

    for number in range(count):
        lines = [_line(number + n) for n in range(LINES)]
        total = sum((quantity * price for _, quantity, price in lines), Decimal(0))
        yield f"{day}-{number}", opening + number * pause, total, lines


def _line(number: int) -> Line:
    return f"SKU{number:07d}", number % 3 + 1, Decimal(number % 9000 + 50) / 100
