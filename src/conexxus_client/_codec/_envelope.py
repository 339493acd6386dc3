"""
The envelope around a catalogue's items: what it says of the whole.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import attrs

from conexxus_client.config import ApiProfile
from conexxus_client.errors import EnvelopeError

from ._json import check_json, decode_json, excerpt
from ._server_message import server_message


T = TypeVar("T")

# Bytes of a value that means something; a cursor is part of an address.
MAX_FIELD = 64 * 1024
MAX_CURSOR = 8 * 1024

_ERROR_KEYS = ("error", "message", "detail", "errors")
_MAX_DIGITS = 18


@attrs.frozen(kw_only=True)
class Envelope:
    """
    What an envelope says besides its items.
    """

    next_cursor: str | None = None
    total: int | None = None


@attrs.define
class EnvelopeFields:
    """
    Collects the fields that mean something.
    """

    _profile: ApiProfile
    _values: dict[str, Any] = attrs.field(factory=dict, init=False)

    def add(self, name: str, raw: bytes) -> None:
        """
        Raises:
            DecodeError: *raw* is no JSON.
        """
        profile = self._profile
        wanted = {
            *(*_ERROR_KEYS, profile.success_key, profile.data_key),
            *(profile.total_key, profile.next_cursor_key),
        }

        if name not in wanted:
            check_json(raw)
        elif len(raw) <= MAX_FIELD:
            self._values[name] = decode_json(raw)
        else:
            # Neither a cursor nor a number, whatever it says.
            self._values[name] = raw[:MAX_CURSOR]

    def result(self, *, has_items: bool) -> Envelope:
        """
        What they say, once all of them are here.

        Raises:
            EnvelopeError: They do not say success, or can't be understood.
        """
        profile, values = self._profile, self._values

        if values.get(profile.success_key) is not True:
            said = server_message({key: values.get(key) for key in _ERROR_KEYS})
            reason = f": {said}" if said else ""
            raise EnvelopeError(f"the back office did not say success{reason}")
        if not has_items or profile.data_key in values:
            raise EnvelopeError(f"the envelope has no list {profile.data_key!r}")

        return Envelope(
            next_cursor=self._read("next_cursor_key", _cursor),
            total=self._read("total_key", _total),
        )

    def _read(self, setting: str, read: Callable[[Any], T | None]) -> T | None:
        """
        Args:
            setting: The field of the profile that has the key.
        """
        key: str = getattr(self._profile, setting)
        value = self._values.get(key)

        # PHP writes false for a cursor that there is not.
        if value is None or value is False or value == "":
            return None
        if (found := read(value)) is None:
            raise EnvelopeError(
                f"the envelope's {key!r} {_fault(value)}. "
                f"Set ApiProfile.{setting} to the key that is meant, or to an empty one"
            )

        return found


def _fault(value: Any) -> str:
    text = value if isinstance(value, bytes) else str(value)
    is_large = len(text) >= MAX_CURSOR

    return f"passes {MAX_CURSOR} bytes" if is_large else f"is not understood: {excerpt(text)}"


def _cursor(value: Any) -> str | None:
    text = value

    if isinstance(value, Decimal):
        text = f"{value:f}".removesuffix(".0") if abs(value.adjusted()) < _MAX_DIGITS else value
    elif isinstance(value, int) and value is not True:
        text = str(value)

    return text if isinstance(text, str) and len(text.encode("utf-8")) <= MAX_CURSOR else None


def _total(value: Any) -> int | None:
    text = f"{value:f}".partition(".") if isinstance(value, Decimal) else (value, "", "")

    if isinstance(value, bool) or text[2].strip("0"):
        return None

    digits = str(text[0]).strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS

    return int(digits) if is_number else None
