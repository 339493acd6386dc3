"""
Scans JSON for the end of a value, without decoding it.
"""

import re


_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]*")
_SPACE = re.compile(rb"[ \t\n\r]*")


def value_end(buffer: bytearray, *, final: bool) -> int | None:
    """
    Where the value ends that begins *buffer*.

    Args:
        final: Whether nothing more will come, so that a number at the very
            end of *buffer* is known to be complete.

    Returns:
        None if it isn't all there.  A malformed value ends somewhere, too:
        the parser judges what is in between.
    """
    if not buffer.startswith((b'"', b"[", b"{")):
        end = _match_end(_SCALAR, buffer)
        return end if end < len(buffer) or (final and end) else None

    depth = 0

    for token in _TOKEN.finditer(buffer):
        text = token.group()

        if text == b'"':
            return None
        if text in (b"[", b"{"):
            depth += 1
        elif text in (b"]", b"}"):
            depth -= 1
        if depth == 0:
            return token.end()

    return None


def space_end(buffer: bytearray, start: int = 0) -> int:
    """
    Where the white space ends that begins at *start*.
    """
    return _match_end(_SPACE, buffer, start)


def _match_end(pattern: re.Pattern[bytes], buffer: bytearray, start: int = 0) -> int:
    match = pattern.match(buffer, start)
    assert match is not None, "these patterns match nothing, too"
    return match.end()
