"""
A second look at pages whose tags do not agree.  No I/O.

Pages come one after another.  If each of them is still the same after the
last one came, then all were so at that moment: together they are a catalogue
that the back office had.
"""

import hashlib
from collections.abc import Sequence

import attrs

from conexxus_client._calls._endpoints import Endpoints
from conexxus_client._calls._wire_types import Headers, Request
from conexxus_client._codec import CatalogReader
from conexxus_client.errors import CatalogChangedError
from conexxus_client.models import InvalidItem, Item


_OK = 200
_NOT_MODIFIED = 304


@attrs.frozen(kw_only=True)
class PageRead:
    """
    What is remembered of a page.

    Attributes:
        etag: That of the page, or of the catalogue: it does not say which.
        digest: SHA-256 over its items.
    """

    url: str
    etag: str | None
    digest: bytes


class SecondLook:
    """
    Asks for each page once more, under its tag; where the tag is not what it
    was, the items are compared.

    It is driven like `Pages`, but hands nothing out.  There is none if all
    pages have the same tag, or none has one.

    Attributes:
        request: The page to look at; None after the last.
        not_modified: The head of the answer said that the page is the same.
    """

    def __init__(self, endpoints: Endpoints, pages: Sequence[PageRead]) -> None:
        self.request: Request | None = None
        self.not_modified: bool = False
        self._endpoints = endpoints
        self._left = list(reversed(pages))
        self._size = len(pages)
        # The tag that only the first page has speaks for all of them.
        self._is_for_all = all(page.etag is None for page in pages[1:])
        self._hash = hashlib.sha256()
        self._reader: CatalogReader | None = None

        if len({page.etag for page in pages}) > 1:
            self._ask()

    def begin(self, status: int, headers: Headers) -> bool:
        """
        Look at the head of an answer.

        Returns:
            Whether its body has to be compared.
        """
        etag = self._left[-1].etag
        same = status == _NOT_MODIFIED or (status == _OK and etag_of(headers) == etag)
        self.not_modified = same and etag is not None

        if self.not_modified:
            self._settle(len(self._left) if self._is_for_all else 1)
            return False

        self._hash = hashlib.sha256()
        self._reader = CatalogReader(self._endpoints.profile, self._hash)

        return status == _OK

    def feed(self, chunk: bytes) -> list[Item | InvalidItem]:
        """
        Read on in the page that was begun.
        """
        assert self._reader is not None, "begin a page first"
        self._reader.feed(chunk)

        return []

    def end(self) -> list[Item | InvalidItem]:
        """
        Finish the page, and find the next.

        Raises:
            DecodeError: The page ended early.
            EnvelopeError: It does not say success.
            CatalogChangedError: It is another by now.
        """
        assert self._reader is not None, "begin a page first"
        self._reader.close()

        if self._hash.digest() != self._left[-1].digest:
            number = self._size - len(self._left) + 1
            raise changed_error(f"page {number} is another by now")

        self._settle(1)

        return []

    def _settle(self, count: int) -> None:
        del self._left[-count:]
        self._ask()

    def _ask(self) -> None:
        self.request = None

        if self._left:
            page = self._left[-1]
            self.request = self._endpoints.page(page.url, etag=page.etag)


def changed_error(how: str) -> CatalogChangedError:
    """
    What came is of more than one catalogue.
    """
    return CatalogChangedError(f"the catalogue changed while it was read: {how}. Read it anew.")


def etag_of(headers: Headers) -> str | None:
    """
    The answer's ETag, if it can be sent back.
    """
    etag = headers.get("ETag")

    return etag if etag and etag.isascii() and etag.isprintable() else None
