"""
Scans JSON for the end of a value, and for an object's members, without decoding it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from conexxus_client.errors import DecodeError


_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(_STRING + rb'|[\[\]{}"]', re.DOTALL)
_PART = re.compile(_STRING + rb'|[\[\]{}:,"]|[^ \t\n\r"\[\]{}:,]++', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]*")
_SPACE = re.compile(rb"[ \t\n\r]*")

_CLOSING = {b"{": b"}", b"[": b"]"}


@attrs.define
class ValueScanner:
    """
    Finds the end of the value that begins a buffer; if that has not arrived,
    it goes on where it stopped once the buffer has grown.
    """

    _at: int = 0
    _depth: int = 0

    def end(self, buffer: bytearray, *, final: bool) -> int | None:
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

        if (found := self._closing(buffer)) is not None:
            self._at = self._depth = 0

        return found

    def _closing(self, buffer: bytearray) -> int | None:
        for token in _TOKEN.finditer(buffer, self._at):
            text = token.group()

            if text == b'"':
                self._at = token.start()
                return None
            if text in (b"[", b"{"):
                self._depth += 1
            elif text in (b"]", b"}"):
                self._depth -= 1
            if self._depth == 0:
                return token.end()

        self._at = len(buffer)

        return None


def value_end(buffer: bytearray, *, final: bool) -> int | None:
    """
    Where the value ends that begins *buffer*: `ValueScanner.end`, once.
    """
    return ValueScanner().end(buffer, final=final)


def space_end(buffer: bytearray, start: int = 0) -> int:
    """
    Where the white space ends that begins at *start*.
    """
    return _match_end(_SPACE, buffer, start)


class Member(NamedTuple):
    """
    Where in an object one of its members is.
    """

    key: bytes
    start: int
    end: int


def members(raw: bytes | bytearray, end: int) -> Iterator[Member]:
    """
    The members of the object in the first *end* bytes; none of another value.

    Texts and numbers may be whatever they are, and values may be missing, but
    brackets, colons and commas have to be where they belong: a quotation mark
    too many moves the borders of all that follows.

    Raises:
        DecodeError: They are not.
    """
    grammar = _Grammar()
    key, start, last = b"", 0, 0

    for part in _PART.finditer(raw, 0, end):
        sign = _sign_of(part.group())
        if sign in (b",", b"}") and grammar.is_after_colon:
            yield Member(key, start, last)
        grammar.take(sign)
        last = part.end()
        if len(grammar.open) == 1 and grammar.expected == b":":
            key = part.group()
        elif len(grammar.open) == 1 and sign == b":":
            start = last

    if grammar.open or grammar.expected == _VALUE:
        raise DecodeError("not readable as JSON: it has no end")


_KEY, _VALUE, _COMMA, _TEXT, _BARE, _CUT = b"key", b"value", b",", b'"', b"bare", b"!"
_NAMES = {
    _KEY: "a key",
    _VALUE: "a value",
    _TEXT: "a text",
    _BARE: "a number or a word",
    _CUT: "a text without an end",
}
_NEXT = {
    (_KEY, _TEXT): b":",
    (b":", b":"): _VALUE,
    (_VALUE, _TEXT): _COMMA,
    (_VALUE, _BARE): _COMMA,
}


@attrs.define
class _Grammar:
    """
    What may come next.  A value may be missing, and a last comma be too many.
    """

    expected: bytes = _VALUE
    open: list[bytes] = attrs.field(factory=list)

    @property
    def is_after_colon(self) -> bool:
        return self.open == [b"{"] and self.expected in (_VALUE, _COMMA)

    def take(self, sign: bytes) -> None:
        """
        Raises:
            DecodeError: It may not come next.
        """
        following = self._following(sign)

        if following is None:
            msg = f"{_named(sign)} where {_named(self.expected)} is expected"
            raise DecodeError(f"not readable as JSON: {msg}")

        self.expected = following

    def _following(self, sign: bytes) -> bytes | None:
        if sign in _CLOSING:
            if self.expected != _VALUE:
                return None
            self.open.append(sign)
            return _first_in(sign)
        if sign in (b"}", b"]"):
            if self.expected == b":" or not self.open or sign != _CLOSING[self.open.pop()]:
                return None
            return _COMMA
        if sign == _COMMA:
            can_follow = self.open and self.expected in (_VALUE, _COMMA)
            return _first_in(self.open[-1]) if can_follow else None

        return _NEXT.get((self.expected, sign))


def _named(sign: bytes) -> str:
    return _NAMES.get(sign, repr(sign.decode()))


def _first_in(bracket: bytes) -> bytes:
    return _KEY if bracket == b"{" else _VALUE


def _sign_of(part: bytes) -> bytes:
    """
    *part* if it is one sign, else what it is one of.
    """
    if part[:1] == b'"':
        return _TEXT if len(part) > 1 else _CUT

    return part if part in (b"{", b"}", b"[", b"]", b":", b",") else _BARE


def _match_end(pattern: re.Pattern[bytes], buffer: bytearray, start: int = 0) -> int:
    match = pattern.match(buffer, start)
    assert match is not None, "these patterns match nothing, too"
    return match.end()
