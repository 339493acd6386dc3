"""
Finds the windows of a catalogue: each ends where its content says so.

Content-defined chunking: after an insertion, the windows further on are the
same as before.  Each end is speculative, for what looks like the border of
two elements may stand within one; the JSON parser verifies it.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice

import attrs

from ._catalog_window import CatalogWindow, WindowDecoder
from ._json_scanner import space_end, value_end
from ._plain_items import PlainItems


DIGEST_SIZE = 16

# Ends that fail cost a parse each; items that contain what looks like items
# have many.
_MAX_TRIES = 16

# One border in so many ends a window that is large enough.
_CHANCE = 32

# Bytes before and after a border that decide whether it does: items that end
# in the same bytes begin with different SKUs.
_CONTEXT = 48

# Of elements that are no items, a window may hold very many.
_LARGEST_OF_OTHERS = 16 * 1024

# Between two elements; pretty printers don't indent deeper than this.
_MAX_GAP = 256

_HEAD = re.compile(rb'\{[ \t\n\r]*("[^"\\]{1,80}")')


@attrs.frozen
class WindowFinder:
    """
    Finds windows, and decodes those that are not known.

    Attributes:
        smallest: Bytes before a window may end where its content says so.
        largest: Bytes after which any border will do.
        known: How many elements a window with this digest has; None if no
            digests are needed.
    """

    smallest: int
    largest: int
    known: Mapping[bytes, int] | None
    _decoder: WindowDecoder = attrs.field(factory=WindowDecoder, init=False)

    def find(self, buffer: bytearray, *, final: bool) -> tuple[int, CatalogWindow | None]:
        """
        Find the window that begins *buffer*, at an element.

        Args:
            final: Whether nothing more will come.

        Returns:
            Its size, and itself.  Without a window: of how many bytes the
            elements have to be looked at one by one, or 0 if more has to come.
        """
        failed = 0
        is_waiting = not final and self._needs_more(buffer)
        ends = self._chosen(buffer)

        for end in islice(ends if is_waiting else chain(ends, self._last(buffer)), _MAX_TRIES):
            if (window := self._window(buffer, end)) is not None:
                return end, window
            failed = failed or end

        return 0 if is_waiting else failed or self.smallest, None

    def _window(self, buffer: bytearray, size: int) -> CatalogWindow | None:
        """
        The window of this size; None if it does not end between two elements.
        """
        with memoryview(buffer) as view:
            digest = b"" if self.known is None else _digest(view[:size])
            if self.known and (count := self.known.get(digest)) is not None:
                return CatalogWindow(digest=digest, count=count)
            array = b"".join((b"[", view[:size], b"]"))

        decoded = self._decoder.decode(array)

        if decoded is None:
            return None
        if isinstance(decoded, PlainItems):
            return CatalogWindow(digest=digest, count=len(decoded.skus), plain=decoded)

        return CatalogWindow(digest=digest, count=len(decoded), unusual=decoded)

    def _chosen(self, buffer: bytearray) -> Iterator[int]:
        """
        Ends that the content decides for, of a window that begins *buffer*.

        A border whose neighbourhood has not arrived yet is none of them.
        """
        border = _border_in(buffer)

        for match in border.pattern.finditer(buffer, self.smallest, self._limit(border)):
            end = match.start() + border.kept
            if end + _CONTEXT > len(buffer):
                return
            if zlib.crc32(buffer[max(end - _CONTEXT, 0) : end + _CONTEXT]) % _CHANCE == 0:
                yield end

    def _needs_more(self, buffer: bytearray) -> bool:
        """
        May an end that content decides for still come?
        """
        return len(buffer) < self._limit(_border_in(buffer))

    def _limit(self, border: "_Border") -> int:
        return self.largest if border.kept else min(self.largest, _LARGEST_OF_OTHERS)

    def _last(self, buffer: bytearray) -> Iterator[int]:
        """
        Ends of the last window in *buffer*: that of its last element, and of
        the one before it.
        """
        border = _border_in(buffer)

        if (found := border.last(buffer, self._limit(border))) is None:
            return
        end, start = found
        if self._needs_more(buffer) and (size := value_end(buffer[start:], final=True)) is not None:
            yield start + size
        yield end


def _digest(data: memoryview) -> bytes:
    return hashlib.sha256(data).digest()[:DIGEST_SIZE]


@attrs.frozen
class _Border:
    """
    What stands between two elements.

    Attributes:
        key: A part of it that is quickly found.
        kept: How many of its bytes belong to the element before it.
    """

    pattern: re.Pattern[bytes]
    key: bytes
    kept: int

    def last(self, buffer: bytearray, limit: int) -> tuple[int, int] | None:
        """
        Where the last one in *buffer* ends an element, and begins another.
        """
        key = buffer.rfind(self.key, 1, limit)
        found = None

        if key > 0:
            for match in self.pattern.finditer(buffer, max(key - _MAX_GAP, 0)):
                if match.start() > key:
                    break
                found = match.start() + self.kept, match.start()

        if found is None:
            return None

        comma = buffer.index(b",", found[1])

        return found[0], space_end(buffer, comma + 1)


def _border_in(buffer: bytearray) -> _Border:
    """
    The border between elements that begin as *buffer* does.
    """
    head = _HEAD.match(buffer)

    return _border(None if head is None else head[1])


@lru_cache(maxsize=64)
def _border(key: bytes | None) -> _Border:
    if key is None:
        return _Border(re.compile(rb","), b",", 0)

    blanks = rb"[ \t\n\r]*"
    pattern = rb"\}" + blanks + rb"," + blanks + rb"\{" + blanks + re.escape(key)

    return _Border(re.compile(pattern), key, 1)
