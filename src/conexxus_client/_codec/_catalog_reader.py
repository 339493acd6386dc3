"""
The streaming reader of a catalogue: bytes in, items out, constant memory.

It takes an envelope with its keys in any order, or a bare array.  The ends of
windows are speculative, and the JSON parser verifies them: a tokenizer's
state after a prefix depends on that prefix alone, so `[` + window + `]`
parses if, and only if, the window ends between two elements.  Equal bytes
have equal borders: a window that is known is neither decoded nor verified.
Where no end fits, elements are taken one by one, each up to its exact end.
"""

import hashlib
from collections.abc import Callable, Mapping

from conexxus_client.config import ApiProfile
from conexxus_client.errors import DecodeError, EnvelopeError, ResponseTooLargeError
from conexxus_client.models import InvalidItem, Item

from ._catalog_window import CatalogWindow
from ._envelope import MAX_FIELD, Envelope, EnvelopeFields
from ._item_faults import MAX_ELEMENT, NOT_AN_OBJECT, oversized_item
from ._items import decode_item
from ._json import BOM, decode_json, excerpt
from ._json_scanner import ValueScanner, space_end
from ._server_message import NO_PAGE, is_page, page_message
from ._window_finder import WindowFinder


# Bytes; the digests of large windows cost less, those of small ones change less.
WINDOW = 192 * 1024
_LARGEST_FACTOR = 2

# A list of so many numbers, say, is that of another question.
MAX_MISFITS = 10_000

# One value that is larger is no catalogue: an element from `MAX_ELEMENT` to
# here is set aside, and a value that is not needed is skipped.
MAX_VALUE = 8 * 1024 * 1024

# No catalogue is indented like that; a hostile answer may be.
MAX_SPACE = 1024 * 1024

# Before the first element, between two of them, and after the last one.
MAX_BARREN = 2 * MAX_VALUE


_State = Callable[[], bool]


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

    Args:
        digest: Is fed the bytes of the items.
        known: How many elements a window with this digest has: such windows
            are only counted.  Without it, windows have no digests.
        window: Bytes of the smallest window, but for the last one.
    """

    def __init__(
        self,
        profile: ApiProfile,
        digest: "hashlib._Hash | None" = None,
        *,
        known: Mapping[bytes, int] | None = None,
        window: int = WINDOW,
    ) -> None:
        self.envelope = Envelope()
        self.count = 0
        self._profile = profile
        self._digest = hashlib.sha256() if digest is None else digest
        self._finder = WindowFinder(window, min(window * _LARGEST_FACTOR, MAX_ELEMENT), known)
        self._scanner = ValueScanner()
        # Nothing is handed out before a window is full: what is smaller is
        # known to be complete when it is, and can be requested again until then.
        self._wanted_size = window
        self._found: list[CatalogWindow] = []
        self._singles: list[Item | InvalidItem] = []
        self._buffer = bytearray()
        self._final = False
        self._state: _State = self._start
        self._single_bytes = 0
        self._white_space = 0
        self._barren = 0
        self._is_in_items = False
        self._had_items = False
        # Elements before the first object; None once there was one.
        self._misfits: int | None = 0
        self._is_bare_array = False
        self._name = ""
        self._fields = EnvelopeFields(profile)

    def feed(self, chunk: bytes) -> list[CatalogWindow]:
        """
        Take *chunk*, and give the windows that are complete.

        Raises:
            DecodeError: The body is no JSON.
            EnvelopeError: It is no catalogue.
            ResponseTooLargeError: One value is too large.
        """
        self._buffer += chunk

        return self._advance() if len(self._buffer) >= self._wanted_size else []

    def close(self) -> list[CatalogWindow]:
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
        if not self._is_bare_array:
            self.envelope = self._fields.result(has_items=self._had_items)

        return rest

    def _advance(self) -> list[CatalogWindow]:
        self._found = []

        while self._state():
            pass

        self._end_singles()
        # The window grows with what is left, so that a value that arrives in
        # small pieces is not scanned again for each of them.
        size = len(self._buffer)
        self._wanted_size = max(self._finder.smallest, size + size // 4 + 1)

        self.count += sum(window.count for window in self._found)

        return self._found

    def _start(self) -> bool:
        if not self._final and len(self._buffer) < len(BOM):
            return False
        if self._buffer.startswith(BOM):
            del self._buffer[: len(BOM)]

        match self._peek():
            case b"":
                return False
            case b"[":
                self._is_bare_array = True
                return self._open_items()
            case b"{":
                return self._take(1, self._first_key)

        found = bytes(self._buffer[:4096])
        if is_page(found):
            raise DecodeError(f"expected a JSON catalogue, found {page_message(found)}. {NO_PAGE}")
        raise DecodeError(f"expected a JSON catalogue, found {self._excerpt()}")

    def _first_key(self) -> bool:
        return self._take(1, self._end) if self._peek() == b"}" else self._key()

    def _key(self) -> bool:
        if self._peek() not in (b'"', b""):
            raise self._malformed("a key")
        if not self._buffer or (end := self._value_end(MAX_FIELD)) is None:
            return False

        # Most have no space there, and to ask by the byte is cheaper.
        is_next = self._buffer.startswith(b":", end)
        colon = end if is_next else space_end(self._buffer, end)
        self._check_size(colon, MAX_FIELD)
        if colon == len(self._buffer):
            return False
        if self._buffer[colon : colon + 1] != b":":
            raise self._malformed("a colon after a key")

        self._name = decode_json(bytes(self._buffer[:end]))

        return self._take(colon + 1, self._value)

    def _value(self) -> bool:
        first = self._peek()

        if self._name == self._profile.data_key and first == b"[":
            if self._had_items:
                raise EnvelopeError(f"the envelope has {self._name!r} twice")
            return self._open_items()
        if not first or (end := self._value_end(MAX_VALUE)) is None:
            return False
        if not end:
            raise self._malformed("a value after the colon")

        self._fields.add(self._name, bytes(self._buffer[:end]))

        return self._take(end, self._after_value)

    def _after_value(self) -> bool:
        match self._peek():
            case b"":
                return False
            case b",":
                return self._take(1, self._key)
            case b"}":
                return self._take(1, self._end)

        raise self._malformed("a comma or the envelope's end")

    def _end(self) -> bool:
        if self._peek():
            raise self._malformed("nothing after the catalogue")
        return False

    def _open_items(self) -> bool:
        self._take(1, self._first_element)
        self._is_in_items = self._had_items = True
        return True

    def _close_items(self) -> bool:
        self._is_in_items = False
        return self._take(1, self._end if self._is_bare_array else self._after_value)

    def _first_element(self) -> bool:
        match self._peek():
            case b"]":
                return self._close_items()
            case b",":
                raise self._malformed("an item")

        return self._elements()

    def _next_element(self) -> bool:
        if (found := self._peek()) in (b"]", b",", b"}"):
            raise self._malformed("an item after the comma", excerpt(found))

        return self._elements()

    def _elements(self) -> bool:
        """
        At the beginning of an element: take as many as are there.
        """
        if not self._peek():
            return False

        if self._single_bytes <= 0:
            size, window = self._finder.find(self._buffer, final=self._final)
            if window is not None:
                self._end_singles()
                self._add(window)
                return self._take_elements(size)
            if not size:
                return False
            self._single_bytes = size

        return self._take_single()

    def _after_element(self) -> bool:
        match self._peek():
            case b"":
                return False
            case b",":
                return self._take(1, self._next_element)
            case b"]":
                return self._close_items()

        raise self._malformed("a comma or the end of the items")

    def _take_single(self) -> bool:
        """
        Take one element, up to its exact end.
        """
        if (end := self._value_end(MAX_VALUE)) is None:
            return False

        is_large = end > MAX_ELEMENT
        self._singles.append(
            oversized_item(self._buffer, end)
            if is_large
            else decode_item(bytes(self._buffer[:end]))
        )
        self._single_bytes -= end

        return self._take_elements(end)

    def _take_elements(self, size: int) -> bool:
        self._take(size, self._after_element)
        self._barren = 0
        return True

    def _add(self, window: CatalogWindow) -> None:
        """
        Raises:
            EnvelopeError: The list begins with too many elements of which none
                is an object.
        """
        self._found.append(window)

        if self._misfits is not None:
            self._misfits = self._misfits + window.count if _is_misfit(window) else None
        if self._misfits is not None and self._misfits >= MAX_MISFITS:
            raise EnvelopeError(
                "the catalogue has no items: "
                f"none of its first {self._misfits} elements is an object"
            )

    def _end_singles(self) -> None:
        if self._singles:
            self._add(CatalogWindow(digest=b"", count=len(self._singles), unusual=self._singles))
            self._singles = []

    def _peek(self) -> bytes:
        """
        The next byte that is no white space, which is dropped.
        """
        if self._buffer[:1].isspace() and (skipped := space_end(self._buffer)):
            self._drop(skipped)
            self._white_space += skipped

        if self._white_space > MAX_SPACE:
            raise DecodeError(f"the catalogue is no JSON: {self._white_space} bytes of white space")
        if self._buffer:
            self._white_space = 0

        return bytes(self._buffer[:1])

    def _take(self, size: int, state: _State) -> bool:
        self._drop(size)
        self._state = state
        return True

    def _drop(self, size: int) -> None:
        self._barren += size
        if self._barren > MAX_BARREN:
            raise ResponseTooLargeError(f"{MAX_BARREN} bytes of the catalogue have no item")
        if self._is_in_items:
            with memoryview(self._buffer) as view:
                self._digest.update(view[:size])

        del self._buffer[:size]

    def _value_end(self, limit: int) -> int | None:
        """
        Where the value ends that begins the buffer; None if it isn't all there.

        Raises:
            ResponseTooLargeError: It has more than *limit* bytes, however many
                of them have arrived.
        """
        end = self._scanner.end(self._buffer, final=self._final)
        self._check_size(len(self._buffer) if end is None else end, limit)

        return end

    def _check_size(self, size: int, limit: int) -> None:
        if size > limit:
            raise ResponseTooLargeError(f"one value of the catalogue passes {limit} bytes")

    def _malformed(self, expected: str, found: str | None = None) -> DecodeError:
        found = found or self._excerpt()

        return DecodeError(f"the catalogue is no valid JSON: expected {expected}, found {found}")

    def _excerpt(self) -> str:
        return excerpt(bytes(self._buffer[:400]))


def _is_misfit(window: CatalogWindow) -> bool:
    """
    Is none of its elements an object?
    """
    return bool(window.unusual) and all(
        isinstance(element, InvalidItem) and element.reason == NOT_AN_OBJECT
        for element in window.unusual
    )
