"""
Secrets: texts that do not show themselves, from settings or files, and their redaction.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from html import escape
from pathlib import Path


# How many characters of a Base64 code depend on the bytes before it.
_SHARED_CHARACTERS = {0: 0, 1: 2, 2: 3}
_SAFE_IN_URLS = str.maketrans("+/", "-_")


# A shorter key protects nothing, and occurs in ordinary text.
MIN_REDACTED_LENGTH = 6


class Secret:
    """
    A text that shows itself only when asked to.

    It is in no repr, no str, and does not pickle.
    """

    __slots__ = ("_redactor", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._redactor = SecretRedactor(text)

    def reveal(self) -> str:
        """
        The text itself, for the wire.
        """
        return self._text

    def redact(self, text: str) -> str:
        """
        *text* without the secret, however it is capitalised or escaped.
        """
        return text if len(self._text) < MIN_REDACTED_LENGTH else self._redactor.redact(text)

    def redact_bytes(self, data: bytes) -> bytes:
        """
        The same for what came over the wire.
        """
        if len(self._text) < MIN_REDACTED_LENGTH:
            return data

        text = data.decode("latin-1")
        redacted = self.redact(text)

        return data if redacted == text else redacted.encode("latin-1")

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        msg = "a secret does not pickle; pass it to the other process yourself"
        raise TypeError(msg)


class FileSecret(Secret):
    """
    A secret in a file, which is read again when it changes.

    While the file is being written, or can't be read, the last text that was
    read counts.  A line end behind the text is not part of it.

    Args:
        check: Raises a `ValueError` of what is no such secret.

    Raises:
        ValueError: The file holds no text.
    """

    __slots__ = ("_check", "_former", "_path", "_stamp")

    def __init__(self, path: Path, check: Callable[[str], object] = str) -> None:
        self._path, self._check = path, check
        self._former: Secret | None = None
        self._stamp = file_stamp(path)
        super().__init__(self._read())

    def _read(self) -> str:
        text = _text_of(self._path)
        self._check(text)

        return text

    def reveal(self) -> str:
        """
        What the file holds now.
        """
        with suppress(ValueError):
            stamp = file_stamp(self._path)
            if stamp != self._stamp:
                text = self._read()
                # What is on its way may still repeat the former one.
                self._former = Secret(self._text)
                Secret.__init__(self, text)
                self._stamp = stamp

        return self._text

    def redact(self, text: str) -> str:
        """
        *text* without the secret, and without the one before it.
        """
        text = super().redact(text)

        return text if self._former is None else self._former.redact(text)


class PrefixedSecret(Secret):
    """
    What is sent for a secret: a scheme, and the secret as it is then.
    """

    __slots__ = ("_scheme", "_secret")

    def __init__(self, scheme: str, secret: Secret) -> None:
        super().__init__(scheme)
        self._scheme, self._secret = scheme, secret

    def reveal(self) -> str:
        """
        Scheme and secret, for the wire.
        """
        return f"{self._scheme} {self._secret.reveal()}"

    def redact(self, text: str) -> str:
        """
        *text* without the secret.
        """
        return self._secret.redact(text)


def file_stamp(path: Path) -> tuple[int, ...]:
    """
    By which a file that was written anew is noticed; empty if there is none.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()

    return found.st_ino, found.st_size, found.st_mtime_ns


def _text_of(path: Path) -> str:
    """
    Raises:
        ValueError: It can't be read, or holds no visible ASCII.
    """
    try:
        text = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "no text in UTF-8"
        msg = f"can't be read: {str(path)[:200]} ({reason})"
        raise ValueError(msg) from None

    if not text or not all("!" <= char <= "~" for char in text):
        msg = f"must hold visible ASCII on one line, and nothing else: {str(path)[:200]}"
        raise ValueError(msg)

    return text


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
