"""
Pagination: follows a catalogue's pages and checks that all arrived.  No I/O.
"""

import hashlib
from collections.abc import Mapping

from conexxus_client._calls._endpoints import Endpoints
from conexxus_client._calls._wire_types import Headers, Request
from conexxus_client._codec import CatalogReader, CatalogWindow
from conexxus_client.errors import EnvelopeError

from ._links import next_link
from ._page_recheck import PageFingerprint, PageRecheck, changed_error, etag_of


MAX_PAGES = 100_000

_OK = 200
_NOT_MODIFIED = 304


class Pagination:
    """
    Finds the next page, and checks that the pages are a whole catalogue.

    Attributes:
        request: The page to read; None after the last.
        not_modified: The back office has nothing newer than the ETag.
        etag: Of the catalogue: that of its pages, if all have the same one.
        count: Elements received so far.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        etag: str | None,
        cursor: str | None,
        known: Mapping[bytes, int] | None = None,
    ) -> None:
        self.request: Request | None = endpoints.catalog(etag=etag, cursor=cursor)
        self.not_modified: bool = False
        self.etag: str | None = None
        self.count: int = 0
        self._endpoints = endpoints
        self._known = known
        self._conditional = etag is not None
        self._total: int | None = None
        self._fingerprints: dict[str, PageFingerprint] = {}
        self._link: str | None = None
        self._page_etag: str | None = None
        self._catalogue_hash = hashlib.sha256()
        self._page_hash = hashlib.sha256()
        self._reader: CatalogReader | None = None

    @property
    def total(self) -> int | None:
        """
        How many items there are, once the back office has said so.
        """
        return self._total

    @property
    def digest(self) -> bytes:
        """
        SHA-256 over the items as they came, whatever was around them.
        """
        return self._catalogue_hash.digest()

    def begin(self, status: int, headers: Headers) -> bool:
        """
        Read the head of an answer.

        Returns:
            Whether its body is a page to `feed`; if not, it is an error's body,
            unless nothing was modified.
        """
        first = not self._fingerprints

        if status == _NOT_MODIFIED and first and self._conditional:
            self.not_modified = True
            self.request = None
            return False
        if status != _OK:
            return False

        # ETags that differ by page identify no version of the whole.
        self._page_etag = etag_of(headers)
        self.etag = self._page_etag if first or self._page_etag == self.etag else None
        self._link = next_link(headers.all("Link"))
        # A page that is requested again must not be counted twice.
        self._page_hash = hashlib.sha256()
        self._reader = CatalogReader(self._endpoints.profile, self._page_hash, known=self._known)

        return True

    def feed(self, chunk: bytes) -> list[CatalogWindow]:
        """
        Read on in the page that was begun.
        """
        assert self._reader is not None, "begin a page first"
        return self._reader.feed(chunk)

    def end(self) -> list[CatalogWindow]:
        """
        Finish the page, and find the next.

        Raises:
            DecodeError: The page ended early.
            EnvelopeError: It does not say success, or the pages don't add up.
        """
        assert self._reader is not None, "begin a page first"
        assert self.request is not None, "begin a page first"
        rest = self._reader.close()
        self.count += self._reader.count
        digest = self._page_hash.digest()
        self._catalogue_hash.update(digest)
        self._check_total(self._reader.envelope.total)
        url = self.request.url
        self._fingerprints[url] = PageFingerprint(url=url, etag=self._page_etag, digest=digest)
        self.request = self._next_request(self._reader.envelope.next_cursor, self.request)

        if self.request is None and self._total not in (None, self.count):
            raise EnvelopeError(
                f"the catalogue says it has {self._total} items, but {self.count} came"
            )

        return rest

    def recheck(self) -> PageRecheck:
        """
        The recheck that follows the last page.
        """
        return PageRecheck(self._endpoints, list(self._fingerprints.values()))

    def _check_total(self, total: int | None) -> None:
        if self._total is not None and total not in (None, self._total):
            raise changed_error(f"{self._total} items became {total}")
        if total is not None:
            self._total = total

    def _next_request(self, cursor: str | None, current: Request) -> Request | None:
        if cursor is not None:
            next_request = self._endpoints.catalog(cursor=cursor)
        elif self._link is not None:
            next_request = self._endpoints.linked_page(self._link, current)
        else:
            return None

        if next_request.url in self._fingerprints:
            raise EnvelopeError("the catalogue's pages go in a circle")
        if len(self._fingerprints) >= MAX_PAGES:
            raise EnvelopeError(f"the catalogue has more than {MAX_PAGES} pages")

        return next_request
