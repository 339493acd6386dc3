"""
The ways in which a text may be spelled by who echoes it.
"""

import re
from base64 import b64encode
from functools import cached_property
from html import escape


# What a code's neighbours change of its first and of its last letters.
_BLURRED = {0: 0, 1: 2, 2: 3}
_SAFE_IN_URLS = str.maketrans("+/", "-_")


class Spellings:
    """
    A text as it is, and as JSON (RFC 8259, escaped as often as may be), URLs,
    HTML and Base64 spell it, however it is capitalised.

    Args:
        text: Visible ASCII.
    """

    def __init__(self, text: str) -> None:
        ways = [text, *dict.fromkeys(_codes(text.encode("utf-8", "surrogatepass")))]
        self._ways = ways
        self._plain = [way.lower() for way in ways]

    def blotted(self, said: str) -> str:
        """
        *said* with stars for all of them.
        """
        # The search costs a microsecond for each three letters of what is
        # said; most of it needs none.
        escaped = any(sign in said for sign in "\\%&")
        lower = said.lower()

        if not escaped and not any(way in lower for way in self._plain):
            return said

        return self._pattern.sub("***", said)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        plain, *_ = self._ways

        return re.compile("|".join([re.escape(plain), *map(_escaped, self._ways)]), re.IGNORECASE)


def _codes(data: bytes) -> list[str]:
    """
    *data* in Base64, wherever in a longer text it is: `name:key`, for example.
    """
    codes = []

    for before, blurred in _BLURRED.items():
        code = b64encode(bytes(before) + data).decode().rstrip("=")
        if (before + len(data)) % 3:
            code = code[:-1]
        codes += [code[blurred:], code[blurred:].translate(_SAFE_IN_URLS)]

    return codes


def _escaped(text: str) -> str:
    # Without the look-behind, a megabyte of backslashes would take hours.
    return r"(?<!\\)" + "".join(map(_letter, re.findall(r"\\+|.", text, re.DOTALL)))


def _letter(char: str) -> str:
    """
    One character; of backslashes, that may be escapes themselves, a row.
    """
    code = ord(char[0])
    plain, named = re.escape(char), re.escape(escape(char[0]))
    elsewhere = rf"%(?:25)*{code:02x}|&(?:amp;)*#(?:0*{code}|x0*{code:x});|{named}"

    if char[0] == "\\":
        return rf"(?:\\++(?:u005c)?|{elsewhere})++"

    return rf"\\*+(?:{plain}|(?<=\\)u{code:04x}|{elsewhere})"
