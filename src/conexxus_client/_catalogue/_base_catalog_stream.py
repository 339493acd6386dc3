"""
What the synchronous and the asynchronous read of a catalogue share: everything
but the I/O.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

from conexxus_client._calls._call_core import CATALOG_SECONDS, Core
from conexxus_client._calls._endpoints import failure
from conexxus_client._calls._retries import Attempts
from conexxus_client._calls._wire_types import AsyncReply, Limits, Reply, Request
from conexxus_client._codec import shown
from conexxus_client.errors import (
    AnswerError,
    ConexxusError,
    DeadlineExceededError,
    DecodeError,
    Delivery,
)
from conexxus_client.models import InvalidItem, Item

from ._page_recheck import SecondLook
from ._pagination import Pages


Elements: TypeAlias = list[Item | InvalidItem]
Course: TypeAlias = Pages | SecondLook


class BaseCatalogRead:
    """
    What both kinds of reading know.
    """

    def __init__(self, core: Core, progress: Pages) -> None:
        self._core = core
        self._progress = progress
        self._course: Course = progress
        self._seconds_left = CATALOG_SECONDS
        self._first: Elements = []
        self._page_number = 0

    @property
    def not_modified(self) -> bool:
        """
        The back office has nothing newer than the ETag; there are no pages.
        """
        return self._progress.not_modified

    @property
    def etag(self) -> str | None:
        """
        Names this version of the catalogue, if the back office does so.
        """
        return self._progress.etag

    @property
    def total(self) -> int | None:
        """
        How many items there are, once the back office has said so.
        """
        return self._progress.total

    @property
    def page(self) -> int:
        """
        Number of the page that the last elements came on; 0 before the first.
        """
        return self._page_number

    @property
    def digest(self) -> bytes:
        """
        SHA-256 over the items as they came; final after the last page.
        """
        return self._progress.digest

    @property
    def _looks_again(self) -> bool:
        """
        All pages came; now it is seen whether they belong together.
        """
        return self._course is not self._progress

    def _is_over(self) -> bool:
        """
        Is there no page left to ask for, nor to look at again?
        """
        if self._course.request is None and not self._looks_again:
            self._course = self._progress.second_look()

        return self._course.request is None

    def _begin_page(self) -> tuple[Request, Attempts, ExitStack]:
        """
        The next page's request, its attempts, and what ends with the page.
        """
        request = self._course.request
        assert request is not None, "there is no next page"
        if not self._looks_again:
            self._page_number += 1
        self._attempts = self._core.attempts_within(self._seconds_left)
        page = ExitStack()
        page.enter_context(self._core.observing("catalogue", request, self._attempts))

        return request, self._attempts, page

    def _limits(self) -> Limits:
        timeout_ms = self._core.config.timeout_ms
        return Limits(
            timeout_ms=timeout_ms, head_ends_at=self._core.monotonic() + timeout_ms / 1000
        )

    def _waited(self, since: float) -> None:
        """
        Count time spent on the network; the consumer's does not count.
        """
        self._seconds_left -= self._core.monotonic() - since

        if self._seconds_left <= 0:
            raise DeadlineExceededError(delivery=Delivery.UNKNOWN)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """
        All the time until a page's first items is the network's.
        """
        left, since = self._seconds_left, self._core.monotonic()

        try:
            yield
        finally:
            self._seconds_left = left - (self._core.monotonic() - since)

    @contextmanager
    def _evident(self, reply: Reply | AsyncReply) -> Iterator[None]:
        """
        What goes wrong with an answer that came says which one it was.
        """
        try:
            yield
        except ConexxusError as exc:
            exc.request_id = self._core.request_id(reply.headers)
            # It is recorded before the call ends.
            exc.message = self._core.config.api_key.redact(exc.message)
            if isinstance(exc, AnswerError):
                exc.delivery = Delivery.UNKNOWN
            raise

    def _too_late(self, limits: Limits) -> Callable[[], bool]:
        ends_at = limits.head_ends_at or 0.0
        return lambda: self._core.monotonic() > ends_at

    def _failure(self, reply: Reply | AsyncReply, body: bytes, request: Request) -> ConexxusError:
        response = self._core.response(reply, body, self._core.monotonic())
        return failure(response, request.path, self._core.profile)

    def _broke_off(self, exc: ConexxusError) -> None:
        """
        Items were handed out already: remember the attempt, don't repeat it.
        """
        self._attempts.sealed = True
        self._attempts.wait_after(exc)


def valid(elements: Elements, on_invalid: Callable[[InvalidItem], None] | None) -> Iterator[Item]:
    """
    The items among *elements*.

    Raises:
        DecodeError: One is no item, and nobody wants to know.
    """
    for element in elements:
        if isinstance(element, Item):
            yield element
        elif on_invalid is not None:
            on_invalid(element)
        else:
            raise DecodeError(f"{element.reason}, at {element.path} of {shown(element.raw)}")
