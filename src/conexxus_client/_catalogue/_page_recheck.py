"""
Recheck of a catalogue's pages whose ETags differ.  No I/O.

Pages arrive one after another.  If each is unchanged after the last one has
arrived, all of them existed at that moment: together they are one version of
the catalogue.
"""

import hashlib
import re
from collections.abc import Sequence

import attrs

from conexxus_client._calls._endpoints import Endpoints
from conexxus_client._calls._wire_types import Headers, Request
from conexxus_client._codec import CatalogReader, CatalogWindow
from conexxus_client.errors import CatalogChangedError

from ._links import names_next


_OK = 200
_NOT_MODIFIED = 304

# RFC 9110, section 8.8.3, but for what is not ASCII.  What is longer than any
# tag that identifies something would only make a request too large.
MAX_ETAG = 512
_ENTITY_TAG = re.compile(r'(?:W/)?"[!#-~]*"')


@attrs.frozen(kw_only=True)
class PageFingerprint:
    """
    Identifies the content of a page that was read.

    Attributes:
        etag: Of the page or of the catalogue: the back office does not say.
        digest: SHA-256 over its items.
    """

    url: str
    etag: str | None
    digest: bytes


class PageRecheck:
    """
    Requests each page once more with its ETag; where the ETag changed, the
    items are compared.

    It has the interface of `Pagination`, but yields no windows.  Nothing is
    rechecked if all pages have the same ETag, or none.

    Attributes:
        request: The page to recheck; None after the last.
        not_modified: The head of the answer says that the page is unchanged.
        speaks_for_page: Never: an answer is about the page that was asked for.
    """

    def __init__(self, endpoints: Endpoints, pages: Sequence[PageFingerprint]) -> None:
        self.request: Request | None = None
        self.not_modified: bool = False
        self.speaks_for_page: bool = False
        self._endpoints = endpoints
        self._remaining = list(reversed(pages))
        self._page_count = len(pages)
        etags = {page.etag for page in pages}
        covers_catalog = endpoints.profile.etag_covers == "catalog"
        # An ETag that only the first page has is that of the catalogue.
        self._has_catalogue_etag = covers_catalog and {it.etag for it in pages[1:]} <= {None}
        self._hash = hashlib.sha256()
        self._reader: CatalogReader | None = None

        if len(etags) > 1 or not (covers_catalog or etags == {None} or len(pages) == 1):
            self._set_request()

    def begin(self, status: int, headers: Headers) -> bool:
        """
        Read the head of an answer.

        Returns:
            Whether its body has to be compared.
        """
        etag = self._remaining[-1].etag
        same = status == _NOT_MODIFIED or (status == _OK and etag_of(headers) == etag)
        self.not_modified = same and etag is not None

        if self.not_modified:
            is_whole = self._has_catalogue_etag and not names_next(headers.all("Link"))
            self._confirm(len(self._remaining) if is_whole else 1)
            return False

        self._hash = hashlib.sha256()
        self._reader = CatalogReader(self._endpoints.profile, self._hash)

        return status == _OK

    def feed(self, chunk: bytes) -> list[CatalogWindow]:
        """
        Read on in the page that was begun.
        """
        assert self._reader is not None, "begin a page first"
        self._reader.feed(chunk)

        return []

    def end(self) -> list[CatalogWindow]:
        """
        Finish the page, and find the next.

        Raises:
            DecodeError: The page ended early.
            EnvelopeError: It does not say success.
            CatalogChangedError: It changed.
        """
        assert self._reader is not None, "begin a page first"
        self._reader.close()

        if self._hash.digest() != self._remaining[-1].digest:
            number = self._page_count - len(self._remaining) + 1
            raise changed_error(f"page {number} is another by now")

        self._confirm(1)

        return []

    def _confirm(self, count: int) -> None:
        del self._remaining[-count:]
        self._set_request()

    def _set_request(self) -> None:
        self.request = None

        if self._remaining:
            page = self._remaining[-1]
            self.request = self._endpoints.page(page.url, etag=page.etag)


def changed_error(reason: str, advice: str = "") -> CatalogChangedError:
    """
    The error for pages of more than one version.
    """
    message = f"the catalogue changed while it was read: {reason}. Read it anew. {advice}"

    return CatalogChangedError(message.rstrip())


def etag_of(headers: Headers) -> str | None:
    """
    The answer's ETag, if it can be sent back.
    """
    return usable_etag(headers.get("ETag"))


def usable_etag(text: str | None) -> str | None:
    """
    *text*, if it is an entity-tag: `*` matches whatever the back office has.
    """
    is_tag = text is not None and len(text) <= MAX_ETAG and _ENTITY_TAG.fullmatch(text)

    return text if is_tag else None
