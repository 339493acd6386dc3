"""
The rules that reading alone can show.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import attrs

from conexxus_client._client import ConexxusClient
from conexxus_client.config import Secret
from conexxus_client.errors import AuthenticationError, PermissionDeniedError
from conexxus_client.models import InvalidItem, Item

from ._rule_result import BrokenRuleError, NotOfferedError, RuleResult, examined


_WRONG_KEY = Secret("conformance-no-such-key")
_NO_VERSION = '"conformance-no-such-version"'
_MOST_SKEW = timedelta(minutes=2)
_SHOWN = 3


def check_reading(
    client: ConexxusClient, *, with_key: Callable[[Secret], ConexxusClient]
) -> Iterator[RuleResult]:
    """
    Examine what needs no sale: health, key, catalogue, versions, clock.

    Args:
        client: Speaks to the back office, without retries.
        with_key: The same client with another key.
    """
    reading = _Reading(client, with_key)

    return examined(
        [
            ("health", reading.health),
            ("wrong key", reading.wrong_key),
            ("catalogue", reading.catalogue),
            ("items", reading.items),
            ("unique SKUs", reading.unique),
            ("same catalogue twice", reading.same_twice),
            ("ETag of the version at hand", reading.not_modified),
            ("ETag of another version", reading.modified),
            ("clock", reading.clock),
        ]
    )


@attrs.frozen
class _Read:
    """
    One read of the whole catalogue.
    """

    elements: list[Item | InvalidItem]
    etag: str | None

    @property
    def skus(self) -> list[str]:
        return [it.sku for it in self.elements if isinstance(it, Item)]


class _Reading:
    def __init__(
        self, client: ConexxusClient, with_key: Callable[[Secret], ConexxusClient]
    ) -> None:
        self._client = client
        self._with_key = with_key
        self._first: _Read | None = None
        self._failed = False

    def health(self) -> str:
        health = self._client.health()

        if not health.ok:
            msg = f"health says {health.status!r}: success must be true, and data.status ok"
            raise BrokenRuleError(msg)

        return f"the health answer says {health.status!r}"

    def wrong_key(self) -> str:
        try:
            with self._with_key(_WRONG_KEY) as stranger, stranger.open_catalog() as read:
                next(iter(read.pages), None)
        except (AuthenticationError, PermissionDeniedError) as exc:
            return f"a wrong key is refused with {exc.status}"

        msg = "a wrong key reads the catalogue: it must be refused with 401"
        raise BrokenRuleError(msg)

    def catalogue(self) -> str:
        read = self._read()

        if not read.elements:
            msg = "the catalogue is empty: nothing can be said of it"
            raise BrokenRuleError(msg)

        return f"{len(read.elements):,} items came, and each count that an answer gives is right"

    def items(self) -> str:
        bad = [it for it in self._read().elements if isinstance(it, InvalidItem)]

        if bad:
            reasons = "; ".join(f"{it.sku or 'without SKU'}: {it.reason}" for it in bad[:_SHOWN])
            msg = f"{len(bad):,} of {len(self._read().elements):,} items can't be read: {reasons}"
            raise BrokenRuleError(msg)

        return "each item has a SKU, a name and an exact price"

    def unique(self) -> str:
        twice = [sku for sku, times in Counter(self._read().skus).items() if times > 1]

        if twice:
            msg = f"{len(twice):,} SKUs come more than once: {', '.join(twice[:_SHOWN])}"
            raise BrokenRuleError(msg)

        return "no SKU comes twice"

    def same_twice(self) -> str:
        first, second = self._read().elements, self._read_whole().elements

        if first == second:
            return "two reads are equal, item by item"

        before, after = Counter(map(repr, first)), Counter(map(repr, second))
        if before == after:
            msg = (
                "two reads have the same items in another order: pages may then miss some; "
                "sort the catalogue, by SKU for example"
            )
        else:
            changed = sum((before - after).values()) + sum((after - before).values())
            msg = (
                f"two reads differ in {changed:,} items: if the catalogue did not change "
                "meanwhile, pages overlap or miss some"
            )
        raise BrokenRuleError(msg)

    def not_modified(self) -> str:
        etag = self._etag()

        with self._client.open_catalog(etag) as read:
            if not read.not_modified:
                msg = "If-None-Match with the ETag at hand must be answered with 304, and was not"
                raise BrokenRuleError(msg)

        return "the version at hand is answered with 304"

    def modified(self) -> str:
        self._etag()

        with self._client.open_catalog(_NO_VERSION) as read:
            if read.not_modified:
                msg = "an ETag that was never given is answered with 304: changes would be missed"
                raise BrokenRuleError(msg)

        return "an unknown version is answered with the catalogue"

    def clock(self) -> str:
        self._client.health()
        now, theirs = datetime.now(UTC), self._client.server_time

        if theirs is None:
            msg = "answers have no Date: with it, a till sees that its clock is wrong"
            raise NotOfferedError(msg)
        if abs(theirs - now) > _MOST_SKEW:
            seconds = abs(theirs - now).total_seconds()
            msg = f"its clock and that of this computer differ by {seconds:,.0f} seconds"
            raise BrokenRuleError(msg)

        return "its clock agrees with that of this computer"

    def _etag(self) -> str:
        etag = self._read().etag

        if etag is None:
            msg = "the catalogue has no ETag: each pull reads the whole of it"
            raise NotOfferedError(msg)

        return etag

    def _read(self) -> _Read:
        """
        The first read; where it failed, that is said once.
        """
        if self._failed:
            msg = "the catalogue can't be read"
            raise NotOfferedError(msg)
        if self._first is None:
            self._failed = True
            self._first = self._read_whole()
            self._failed = False

        return self._first

    def _read_whole(self) -> _Read:
        elements: list[Item | InvalidItem] = []

        with self._client.open_catalog() as read:
            for page in read.pages:
                elements += page

            return _Read(elements, read.etag)
