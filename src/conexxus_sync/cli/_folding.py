"""
Folds lines to the width of a terminal: no text is cut, and no command is divided.
"""

import re
from textwrap import TextWrapper


# A command is copied as it stands, with its line.
_TOGETHER = re.compile(r"`[^`]*`|(?<=: )conexxus .*$")
_LEAST = 40
INDENT = 2


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
