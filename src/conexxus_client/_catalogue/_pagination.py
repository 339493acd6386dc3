"""
Pagination: follows a catalogue's pages and checks that all arrived.  No I/O.
"""

import hashlib
from collections.abc import Iterable, Mapping

import attrs

from conexxus_client._calls._endpoints import Endpoints
from conexxus_client._calls._wire_types import Headers, Request
from conexxus_client._codec import CatalogReader, CatalogWindow, decode_json
from conexxus_client.errors import DecodeError, EnvelopeError

from ._links import names_next, next_link
from ._page_recheck import PageFingerprint, PageRecheck, changed_error, etag_of, usable_etag


MAX_PAGES = 100_000

# A back office that filters may have empty pages; one that is asked for the
# same page under ever new cursors never has another.
MAX_EQUAL_PAGES = 3
MAX_IDLE_PAGES = 100

_OK = 200
_NOT_MODIFIED = 304


class Pagination:
    """
    Finds the next page, and checks that the pages are a whole catalogue.

    Attributes:
        request: The page to read; None after the last.
        not_modified: The back office has nothing newer than the ETag.
        speaks_for_page: The answer says so of the first page, and that there
            is another: `request` asks again, without a condition.
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
        self._endpoints = endpoints
        self._covers_catalog = endpoints.profile.etag_covers == "catalog"
        etag = usable_etag(etag) if self._covers_catalog else None
        self.request: Request | None = endpoints.catalog(etag=etag, cursor=cursor)
        self.not_modified: bool = False
        self.speaks_for_page: bool = False
        self.etag: str | None = None
        self.count: int = 0
        self._cursor = cursor
        self._known = known
        self._conditional = etag is not None
        self._total: int | None = None
        # Each page so far says how many items it has itself.
        self._totals_are_of_pages = True
        self._progress = PageProgress()
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
        is_of_page = self._totals_are_of_pages and (self.request or len(self._fingerprints) > 1)

        return None if is_of_page else self._total

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
        self.speaks_for_page = False

        if status == _NOT_MODIFIED and first and self._conditional:
            self.not_modified = True
            self.request = None
            if names_next(headers.all("Link")):
                self._ask_again()
            return False
        if status != _OK:
            return False

        # ETags that differ by page identify no version of the whole.
        self._page_etag = etag_of(headers)
        is_same = self._covers_catalog and (first or self._page_etag == self.etag)
        self.etag = self._page_etag if is_same else None
        self._link = next_link(headers.all("Link"))
        self._progress.begin()
        # A page that is requested again must not be counted twice.
        self._page_hash = hashlib.sha256()
        self._reader = CatalogReader(self._endpoints.profile, self._page_hash, known=self._known)

        return True

    def read_not_modified(self, body: bytes) -> None:
        """
        Read the body of an answer that nothing was modified: there rarely is one.
        """
        try:
            said = decode_json(body) if body else None
        except DecodeError:
            return

        if isinstance(said, dict) and said.get(self._endpoints.profile.next_cursor_key):
            self._ask_again()

    def _ask_again(self) -> None:
        self.not_modified, self.speaks_for_page, self._conditional = False, True, False
        self.request = self._endpoints.catalog(cursor=self._cursor)

    def feed(self, chunk: bytes) -> list[CatalogWindow]:
        """
        Read on in the page that was begun.
        """
        assert self._reader is not None, "begin a page first"
        return self._counted(self._reader.feed(chunk))

    def _counted(self, windows: list[CatalogWindow]) -> list[CatalogWindow]:
        # Most catalogues have one page, and nothing to compare it with.
        if self._fingerprints:
            self._progress.take(windows)

        return windows

    def end(self) -> list[CatalogWindow]:
        """
        Finish the page, and find the next.

        Raises:
            DecodeError: The page ended early.
            EnvelopeError: It does not say success, or the pages don't add up.
        """
        assert self._reader is not None, "begin a page first"
        assert self.request is not None, "begin a page first"
        rest = self._counted(self._reader.close())
        self.count += self._reader.count
        digest = self._page_hash.digest()
        self._catalogue_hash.update(digest)
        self._check_total(self._reader.envelope.total, self._reader.count)
        url = self.request.url
        self._fingerprints[url] = PageFingerprint(url=url, etag=self._page_etag, digest=digest)
        self._progress.add(digest, self._reader.count)
        self.request = self._next_request(self._reader.envelope.next_cursor, self.request)

        if self.request is not None:
            self._progress.check()
        self._check_count()

        return rest

    def _check_count(self) -> None:
        total, is_last = self.total, self.request is None

        if total is not None and (self.count > total or (is_last and self.count != total)):
            raise EnvelopeError(
                f"the catalogue says it has {total} item{'s' * (total != 1)}, "
                f"but {self.count} came. {self._advice_on_total}"
            )

    @property
    def _advice_on_total(self) -> str:
        return (
            f"If {self._endpoints.profile.total_key!r} counts something else, set "
            "ApiProfile.total_key to another key, or to an empty one"
        )

    def recheck(self) -> PageRecheck:
        """
        The recheck that follows the last page.
        """
        return PageRecheck(self._endpoints, list(self._fingerprints.values()))

    def _check_total(self, total: int | None, length: int) -> None:
        self._totals_are_of_pages = self._totals_are_of_pages and total == length

        if (
            None not in (total, self._total)
            and total != self._total
            and not self._totals_are_of_pages
        ):
            raise changed_error(f"{self._total} items became {total}", self._advice_on_total)
        if total is not None:
            self._total = total

    def _next_request(self, cursor: str | None, current: Request) -> Request | None:
        if cursor is not None:
            next_request = self._endpoints.catalog(cursor=cursor)
        elif self._link is not None:
            next_request = self._endpoints.linked_page(self._link, current)
        else:
            return None

        if next_request.url == current.url and self._progress.is_empty:
            return None
        if next_request.url in self._fingerprints:
            named = "its Link" if cursor is None else repr(self._endpoints.profile.next_cursor_key)
            raise EnvelopeError(
                f"the catalogue's pages go in a circle: {named} leads to a page that was read. "
                "ApiProfile.next_cursor_key and ApiProfile.cursor_parameter say where the next "
                "page is named, and how it is asked for"
            )
        if len(self._fingerprints) >= MAX_PAGES:
            raise EnvelopeError(f"the catalogue has more than {MAX_PAGES} pages")

        return next_request


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
