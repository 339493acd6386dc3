"""
Folds lines and tables to a width: no text is cut, and no command is divided.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from textwrap import TextWrapper


# A command is copied as it stands, with its line.
_TOGETHER = re.compile(r"`[^`]*`|(?<=: )conexxus .*$")
_LEAST = 40
INDENT = 2
# Of a table's last column, else it stands below the others.
_LEAST_OF_LAST = 20
_GAP = "  "


def folded(
    text: str, width: int | None, *, before: int = 0, indent: int | None = None
) -> list[str]:
    """
    *text* in lines of at most *width*; a word that is longer stays whole.

    Args:
        width: None where lines may have any length.
        before: How many columns of the first line are taken.
        indent: That of the other lines; without it, a little more than that
            of the first.
    """
    if width is None or before + len(text) <= width:
        return [text]

    if indent is None:
        indent = len(text) - len(text.lstrip()) + INDENT
    wrapper = TextWrapper(
        width=max(width, _LEAST),
        initial_indent=" " * before,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        expand_tabs=False,
    )
    first, *others = wrapper.wrap(_TOGETHER.sub(lambda it: it[0].replace(" ", "\0"), text))

    return [line.replace("\0", " ") for line in (first[before:], *others)]


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None
) -> list[str]:
    """
    Aligned columns of plain text.

    Args:
        width: Of the screen: columns that do not fit stand below the others.
    """
    cells = [list(headings), *[list(row) for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    ends = list(accumulate(widths, lambda end, width: end + len(_GAP) + width))

    if width is None or ends[-1] <= width:
        return [_aligned(row, widths) for row in cells]

    fitting = max(1, sum(end <= width for end in ends))
    last = ends[-2] + len(_GAP) if len(ends) > 1 else 0
    if fitting == len(ends) - 1 and width - last >= _LEAST_OF_LAST:
        return [line for row in cells for line in folded(_aligned(row, widths), width, indent=last)]

    return [line for row in cells for line in _below(row, widths, fitting, width)]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=False)).rstrip()


def _below(row: Sequence[str], widths: Sequence[int], fitting: int, width: int) -> Iterator[str]:
    yield _aligned(row[:fitting], widths)

    if rest := _GAP.join(filter(None, row[fitting:])):
        yield from folded(f"{_GAP}{rest}", width, indent=len(_GAP))
