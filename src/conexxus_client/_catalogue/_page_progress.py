"""
Whether the pages of a catalogue come to an end.
"""

from collections.abc import Iterable

import attrs

from conexxus_client._codec import CatalogWindow
from conexxus_client.errors import EnvelopeError


# A back office that filters may have empty pages; one that is asked for the
# same page under ever new cursors never has another.
MAX_EQUAL_PAGES = 3
MAX_IDLE_PAGES = 100


@attrs.define
class PageProgress:
    """
    Counts pages that bring nothing new.

    Attributes:
        is_empty: Whether the last page had no items.
    """

    is_empty: bool = attrs.field(default=False, init=False)
    _skus: int = attrs.field(default=0, init=False)
    _seen: set[bytes | int] = attrs.field(factory=set, init=False)
    _last: set[bytes | int] = attrs.field(factory=set, init=False)
    _equal: int = attrs.field(default=0, init=False)
    _idle: int = attrs.field(default=0, init=False)

    def begin(self) -> None:
        """
        A page begins, perhaps not for the first time.
        """
        self._skus = 0

    def take(self, windows: Iterable[CatalogWindow]) -> None:
        """
        Take what came of the page: the same SKUs in another order, or with
        the time of the request in each item, are the same items.
        """
        self._skus += sum(sum(map(hash, it.skus)) for it in windows)

    def add(self, digest: bytes, count: int) -> None:
        """
        Count a page with so many items, over which this is the digest.
        """
        self.is_empty = not count
        marks: set[bytes | int] = {digest, self._skus}
        marks.discard(0)
        self._idle = self._idle + 1 if self.is_empty or marks & self._seen else 0

        if count:
            self._equal = self._equal + 1 if marks & self._last else 1
            self._last = marks
            self._seen |= marks

    def check(self) -> None:
        """
        Raises:
            EnvelopeError: There are too many of them, and another page follows.
        """
        if self._equal >= MAX_EQUAL_PAGES and not self.is_empty:
            fault = f"{self._equal} pages in a row have the same items"
        elif self._idle >= MAX_IDLE_PAGES:
            fault = f"{self._idle} pages in a row have no new items"
        else:
            return

        raise EnvelopeError(
            f"the catalogue's pages do not end: {fault}, and each has another cursor. Does the "
            "back office read the parameter that ApiProfile.cursor_parameter names?"
        )
