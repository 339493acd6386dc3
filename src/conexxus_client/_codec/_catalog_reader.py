"""
The streaming reader of a catalogue: bytes in, items out, constant memory.

It takes an envelope with its keys in any order, or a bare array.  A window
is cut before the last item that seems to begin in it.  The cut is a guess,
and the JSON parser is its judge: what a tokenizer knows after a prefix
depends on that prefix alone, so `[` + window + `]` parses if, and only if,
the window ends between two elements.  Where the guess fails, elements are
taken one by one at their exact borders.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import attrs

from conexxus_client.config import ApiProfile
from conexxus_client.errors import DecodeError, EnvelopeError, ResponseTooLargeError
from conexxus_client.models import InvalidItem, Item

from ._items import ItemDecoder
from ._json import check_json, decode_json, shown
from ._json_scanner import space_end, value_end


WINDOW = 256 * 1024

# One element, or one value of the envelope, that is larger is no catalogue.
MAX_VALUE = 1024 * 1024

# Nobody indents like that; somebody may want to keep us busy.
MAX_SPACE = 1024 * 1024

# Between two elements; pretty printers don't indent deeper than this.
_MAX_GAP = 256

_HEAD = re.compile(rb'\{[ \t\n\r]*"[^"\\]*"')
_EXPLANATIONS = ("error", "message", "detail")
_BOM = b"\xef\xbb\xbf"

Element = Item | InvalidItem
_State = Callable[[list[Element]], bool]


@attrs.frozen(kw_only=True)
class Envelope:
    """
    What an envelope says besides its items.
    """

    next_cursor: str | None = None
    total: int | None = None


class CatalogReader:
    """
    Reads one body: `feed` it as it arrives, then `close` it.

    Items are provisional until `close` has returned: only then is it known
    that the body was complete and said success.

    Each state is a method that takes what it can from the buffer and says
    whether the next one may go on.

    Attributes:
        envelope: Known after `close`.
        count: How many elements there were.
    """

    def __init__(
        self, profile: ApiProfile, digest: "hashlib._Hash | None" = None, window: int = WINDOW
    ) -> None:
        self.envelope = Envelope()
        self.count = 0
        self._profile = profile
        self._wanted_keys = {
            *_EXPLANATIONS,
            profile.success_key,
            profile.data_key,
            profile.total_key,
            profile.next_cursor_key,
        }
        self._digest = hashlib.sha256() if digest is None else digest
        self._window = window
        # Nothing is handed out before a window is full: what is smaller is
        # known to be whole when it is, and can be asked for again until then.
        self._wanted = window
        self._buffer = bytearray()
        self._final = False
        self._state: _State = self._start
        self._decoder = ItemDecoder()
        self._head = b""
        self._may_guess = True
        self._space = 0
        self._in_items = False
        self._had_items = False
        self._bare = False
        self._name = ""
        self._fields: dict[str, Any] = {}

    def feed(self, chunk: bytes) -> list[Element]:
        """
        Take *chunk*, and give the elements that are complete.

        Raises:
            DecodeError: The body is no JSON.
            EnvelopeError: It is no catalogue.
            ResponseTooLargeError: One value is too large.
        """
        self._buffer += chunk

        return self._advance() if len(self._buffer) >= self._wanted else []

    def close(self) -> list[Element]:
        """
        Give the rest, and check that the body was whole and said success.

        Raises:
            DecodeError: The body ended early.
            EnvelopeError: It does not say success, or has no items.
        """
        self._final = True
        rest = self._advance()

        if self._state == self._start:
            raise EnvelopeError("the answer is empty: that is no catalogue")
        if self._state != self._end:
            raise DecodeError("the catalogue is incomplete: the answer ended early")
        if not self._bare:
            self._check_envelope()

        return rest

    def _advance(self) -> list[Element]:
        found: list[Element] = []
        self._may_guess = True

        while self._state(found):
            pass

        # The window grows with what is left, so that a value that arrives in
        # small pieces is not scanned again for each of them.
        self._wanted = max(self._window, 2 * len(self._buffer))
        if len(self._buffer) > MAX_VALUE:
            raise ResponseTooLargeError(f"one value of the catalogue passes {MAX_VALUE} bytes")

        self.count += len(found)
        return found

    def _start(self, _: list[Element]) -> bool:
        if not self._final and len(self._buffer) < len(_BOM):
            return False
        if self._buffer.startswith(_BOM):
            del self._buffer[: len(_BOM)]

        match self._peek():
            case b"":
                return False
            case b"[":
                self._bare = True
                return self._open_items()
            case b"{":
                return self._take(1, self._first_key)

        raise DecodeError(f"expected a JSON catalogue, found {self._shown()}")

    def _first_key(self, found: list[Element]) -> bool:
        return self._take(1, self._end) if self._peek() == b"}" else self._key(found)

    def _key(self, _: list[Element]) -> bool:
        if self._peek() not in (b'"', b""):
            raise self._malformed("a key")
        if not self._buffer or (end := value_end(self._buffer, final=self._final)) is None:
            return False

        colon = space_end(self._buffer, end)
        if colon == len(self._buffer):
            return False
        if self._buffer[colon : colon + 1] != b":":
            raise self._malformed("a colon after a key")

        self._name = decode_json(bytes(self._buffer[:end]))

        return self._take(colon + 1, self._value)

    def _value(self, _: list[Element]) -> bool:
        first = self._peek()

        if self._name == self._profile.data_key and first == b"[":
            if self._had_items:
                raise EnvelopeError(f"the envelope has {self._name!r} twice")
            return self._open_items()
        if not first or (end := value_end(self._buffer, final=self._final)) is None:
            return False

        if self._name in self._wanted_keys:
            self._fields[self._name] = decode_json(bytes(self._buffer[:end]))
        else:
            check_json(bytes(self._buffer[:end]))

        return self._take(end, self._after_value)

    def _after_value(self, _: list[Element]) -> bool:
        match self._peek():
            case b"":
                return False
            case b",":
                return self._take(1, self._key)
            case b"}":
                return self._take(1, self._end)

        raise self._malformed("a comma or the envelope's end")

    def _end(self, _: list[Element]) -> bool:
        if self._peek():
            raise self._malformed("nothing after the catalogue")
        return False

    def _open_items(self) -> bool:
        self._take(1, self._first_element)
        self._in_items = self._had_items = True
        return True

    def _close_items(self) -> bool:
        self._in_items = False
        return self._take(1, self._end if self._bare else self._after_value)

    def _first_element(self, found: list[Element]) -> bool:
        return self._close_items() if self._peek() == b"]" else self._elements(found)

    def _elements(self, found: list[Element]) -> bool:
        """
        At the beginning of an element: take as many as are there.
        """
        if not self._peek():
            return False

        return self._guess(found) or self._scan(found)

    def _after_element(self, _: list[Element]) -> bool:
        match self._peek():
            case b"":
                return False
            case b",":
                return self._take(1, self._elements)
            case b"]":
                return self._close_items()

        raise self._malformed("a comma or the end of the items")

    def _guess(self, found: list[Element]) -> bool:
        """
        Take all elements up to the last one that seems to begin here.

        It is recognised by how the first one begins: `{"sku"`, say.
        """
        if not self._head and (head := _HEAD.match(self._buffer)):
            self._head = head.group()
        if not self._head or not self._may_guess:
            return False

        border = self._border()
        elements = self._decode(border) if border else None

        if elements is None:
            self._may_guess = False
            return False

        found += elements

        return self._take(border, self._after_element)

    def _border(self) -> int:
        """
        Position of the last comma that seems to stand before an element; or 0.
        """
        head = self._buffer.rfind(self._head, 1)

        if head < 0:
            return 0

        before = bytes(self._buffer[max(head - _MAX_GAP, 0) : head])
        stripped = before.rstrip(b" \t\n\r")

        return head - len(before) + len(stripped) - 1 if stripped.endswith(b",") else 0

    def _decode(self, size: int) -> list[Element] | None:
        with memoryview(self._buffer) as view:
            return self._decoder.decode(b"".join((b"[", view[:size], b"]")))

    def _scan(self, found: list[Element]) -> bool:
        """
        Take one element by its exact borders.
        """
        if (end := value_end(self._buffer, final=self._final)) is None:
            return False

        found.append(self._decoder.decode_one(bytes(self._buffer[:end])))

        return self._take(end, self._after_element)

    def _peek(self) -> bytes:
        """
        The next byte that is no white space, which is dropped.
        """
        if skipped := space_end(self._buffer):
            self._drop(skipped)
            self._space += skipped

        if self._buffer:
            self._space = 0
        elif self._space > MAX_SPACE:
            raise DecodeError(f"the catalogue is no JSON: {self._space} bytes of white space")

        return bytes(self._buffer[:1])

    def _take(self, size: int, state: _State) -> bool:
        self._drop(size)
        self._state = state
        return True

    def _drop(self, size: int) -> None:
        if self._in_items:
            with memoryview(self._buffer) as view:
                self._digest.update(view[:size])

        del self._buffer[:size]

    def _malformed(self, expected: str) -> DecodeError:
        return DecodeError(
            f"the catalogue is no valid JSON: expected {expected}, found {self._shown()}"
        )

    def _shown(self) -> str:
        return shown(bytes(self._buffer[:400]))

    def _check_envelope(self) -> None:
        profile, fields = self._profile, self._fields

        if fields.get(profile.success_key) is not True:
            said = next((fields[key] for key in _EXPLANATIONS if key in fields), "")
            because = f": {shown(str(said), 200)}" if said else ""
            raise EnvelopeError(f"the back office did not say success{because}")
        if not self._had_items or profile.data_key in fields:
            raise EnvelopeError(f"the envelope has no list {profile.data_key!r}")

        self.envelope = Envelope(
            next_cursor=self._field(profile.next_cursor_key, str),
            total=self._field(profile.total_key, int),
        )

    def _field(self, key: str, kind: type) -> Any:
        value = self._fields.get(key)

        if value is None or value == "":
            return None
        if not isinstance(value, kind) or isinstance(value, bool):
            raise EnvelopeError(f"the envelope's {key!r} is not understood: {shown(str(value))}")

        return value
