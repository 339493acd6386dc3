"""
Fingerprint of a business date on which there is nothing to do.

Each date is looked at nine times, and most looks find what the one before found.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import attrs


# How a fingerprint is made.  Another rule of comparison needs another number.
_VERSION = "1"


@attrs.define
class DayFingerprint:
    """
    Collects what decides that a date needs nothing: the sales as the host gives
    them, byte by byte and in order, the settings, and what the store has.

    Attributes:
        is_faulty: Whether a sale can't be sent: such a date is always looked into.
    """

    is_faulty: bool = False
    _content: Any = attrs.field(factory=sha256, init=False)

    def add(self, raw: bytes | None) -> None:
        """
        Add the bytes of the next sale, which hold its id and timestamp, too; None
        for one that can't be sent.
        """
        # No JSON that is written here has this byte in it.
        self._content.update(b"" if raw is None else raw + b"\n")
        self.is_faulty = self.is_faulty or raw is None

    def value(self, settings: Iterable[object]) -> bytes:
        """
        The fingerprint.

        Args:
            settings: All else that decides; what is equal has equal texts.
        """
        texts = "\n".join(map(repr, (_VERSION, self.is_faulty, *settings)))

        return sha256(self._content.digest() + texts.encode("utf-8", "backslashreplace")).digest()
