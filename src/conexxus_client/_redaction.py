"""
Redaction of a secret in text, also where it is escaped or encoded.
"""

import re
from base64 import b64encode
from functools import cached_property
from html import escape


# How many characters of a Base64 code depend on the bytes before it.
_SHARED_CHARACTERS = {0: 0, 1: 2, 2: 3}
_SAFE_IN_URLS = str.maketrans("+/", "-_")


class SecretRedactor:
    """
    Replaces a text in other texts: as it is, escaped for JSON (RFC 8259, any
    number of times), URLs or HTML, or in Base64, in upper or lower case.

    Args:
        text: Visible ASCII.
    """

    def __init__(self, text: str) -> None:
        forms = [text, *dict.fromkeys(_base64_forms(text.encode("utf-8", "surrogatepass")))]
        self._forms = forms
        self._lowered_forms = [form.lower() for form in forms]

    def redact(self, text: str) -> str:
        """
        *text* with stars for every form of the secret.
        """
        # The pattern takes a microsecond for each three characters; most
        # texts need no search with it.
        escaped = "\\" in text or "%" in text or "&" in text
        needs_search = escaped or any(map(text.lower().__contains__, self._lowered_forms))

        return self._pattern.sub("***", text) if needs_search else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        plain, *_ = self._forms

        return re.compile(
            "|".join([re.escape(plain), *map(_escape_pattern, self._forms)]), re.IGNORECASE
        )


def _base64_forms(data: bytes) -> list[str]:
    """
    *data* in Base64, at each offset in a longer text, like `name:key`.
    """
    forms = []

    for before, shared in _SHARED_CHARACTERS.items():
        code = b64encode(bytes(before) + data).decode().rstrip("=")
        if (before + len(data)) % 3:
            code = code[:-1]
        forms += [code[shared:], code[shared:].translate(_SAFE_IN_URLS)]

    return forms


def _escape_pattern(text: str) -> str:
    # Without the look-behind, a megabyte of backslashes would take hours.
    return r"(?<!\\)" + "".join(map(_character_pattern, re.findall(r"\\+|.", text, re.DOTALL)))


def _character_pattern(char: str) -> str:
    """
    One character; of backslashes, that may be escapes themselves, a row.
    """
    code = ord(char[0])
    plain, entity = re.escape(char), re.escape(escape(char[0]))
    escapes = rf"%(?:25)*{code:02x}|&(?:amp;)*#(?:0*{code}|x0*{code:x});|{entity}"

    if char[0] == "\\":
        # Not possessive outside: Python 3.11.2 then finds no row at all.
        return rf"(?:\\++(?:u005c)?|{escapes})+"

    return rf"\\*+(?:{plain}|(?<=\\)u{code:04x}|{escapes})"
