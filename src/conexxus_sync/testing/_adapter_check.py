"""
The rules about adapters, examined one after the other beside real rows.
"""

import inspect
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from string import ascii_uppercase, digits
from typing import Any

import attrs

from conexxus_client.conformance import RuleOutcome, RuleResult
from conexxus_sync.protocols import CatalogChanges
from conexxus_sync.runtime.host_exceptions import described, ends_process

from ._catalog_contract import CatalogStorageContract
from ._order_contract import OrderSourceContract
from ._streamed_changes import ListedItems, StreamedChanges


_MANY = "many items in little memory"
_LONGEST_COMPLAINT = 400
# After those of any rule.
_LAST_SEQUENCE = 1_000


def check_orders(source: Any, rules: OrderSourceContract) -> Iterator[RuleResult]:
    """
    The result of each of *rules*; they only read.
    """
    for name, test in _tests(OrderSourceContract):
        yield _result(name, test, partial(test, rules, source))


@attrs.define(kw_only=True)
class CatalogCheck:
    """
    Examines a storage by items and locations of its own.

    Attributes:
        make: Makes the storage; each rule has one of its own.
        with_many: Whether the rule about memory writes its 10,000 items.
        token: Begins the SKU of each item that is written.
        number: But for two, which are this number.
        left: SKUs of items that could not be removed again.
    """

    make: Callable[[], Any]
    with_many: bool = False
    token: str = attrs.field(factory=lambda: f"CX{_random(ascii_uppercase + digits, 4)}")
    number: str = attrs.field(factory=lambda: _random("123456789", 12))
    left: list[str] = attrs.field(factory=list, init=False)

    @property
    def is_rolled_back(self) -> bool:
        """
        Does the storage offer a transaction that is taken back at its end?
        """
        return hasattr(self.make(), "rolled_back")

    def results(self) -> Iterator[RuleResult]:
        """
        The result of each rule; none after one that shows real rows in danger.
        """
        if danger := self._one_for_all(self.make()):
            yield _broken("last applied", danger)
            return

        others = self._others()

        for letter, (name, test) in zip(
            ascii_uppercase, _tests(CatalogStorageContract), strict=False
        ):
            yield self._examined(name, test, letter)
            if self._others() != others:
                yield _broken("other items", _OTHERS)
                return

    def _examined(self, name: str, test: Callable[..., None], letter: str) -> RuleResult:
        if name == _MANY and not self.with_many:
            return _not_offered(name, "left out: with --many, it writes 10,000 items")

        trial = _Trial(self.token + letter, self.number)
        storage = self.make()

        if not hasattr(storage, "rolled_back"):
            result = _result(name, test, partial(test, trial, storage))
            self.left += trial.remove_all(storage)
            return result
        if name == "thread":
            return _result(name, test, partial(test, trial, _RolledBack(storage)))

        with storage.rolled_back() as taken_back:
            return _result(name, test, partial(test, trial, taken_back))

    def _one_for_all(self, storage: Any) -> str | None:
        """
        Why changes for another location would change the sequence of a real one.
        """
        if not hasattr(storage, "last_applied"):
            return None

        with suppress(Exception):  # a rule finds it, too
            last = storage.last_applied(f"CONFORMANCE-{self.token}")
            return None if last is None else _ONE_SEQUENCE.format(last)

        return None

    def _others(self) -> dict[str, Any]:
        prices = {}

        with suppress(Exception):  # a rule finds it, too
            prices = dict(_Trial(self.token, self.number).prices(self.make()))

        return {
            sku: price
            for sku, price in prices.items()
            if not sku.startswith(self.token) and sku.lstrip("0") != self.number
        }


_ONE_SEQUENCE = (
    "last_applied is {!r} for a location that never had changes: note a sequence for each "
    "location; nothing was written, and no other rule examined"
)
_OTHERS = (
    "apply changed, added or removed items that were not among its changes, or the shop did "
    "meanwhile; no other rule was examined"
)


class _Trial(CatalogStorageContract):
    """
    The rules with items and a location of their own.
    """

    def __init__(self, prefix: str, number: str) -> None:
        self.location_id = f"CONFORMANCE-{prefix}"
        self._prefix, self._number = prefix, number
        self._written: list[Iterable[Any]] = []

    def apply(self, storage: Any, changes: CatalogChanges) -> object:
        for items in (changes.created, changes.updated):
            # One that breaks off is not read to its end.
            self._written.append(items.items if isinstance(items, ListedItems) else items)

        return super().apply(storage, changes)

    def remove_all(self, storage: Any) -> list[str]:
        """
        Remove what was written; returns the SKUs that may still be there.
        """
        written = {it.sku: it for it in chain(*self._written)}
        gone = ListedItems([*written.values()])

        try:
            self._apply(storage, StreamedChanges(self.location_id, _LAST_SEQUENCE, removed=gone))
            return [sku for sku in self.prices(storage) if sku in written]
        except NotImplementedError:
            return []
        except Exception:  # noqa: BLE001 - a host raises what it likes
            return [*written]


@attrs.frozen
class _RolledBack:
    """
    A storage whose changes are taken back as soon as they are applied.
    """

    storage: Any

    def apply(self, changes: CatalogChanges) -> None:
        with self.storage.rolled_back() as taken_back:
            taken_back.apply(changes)


def _tests(contract: type) -> Iterator[tuple[str, Callable[..., None]]]:
    for name, test in vars(contract).items():
        if name.startswith("test_"):
            yield name.removeprefix("test_").replace("_", " "), test


def _result(name: str, test: Callable[..., None], call: Callable[[], None]) -> RuleResult:
    """
    What *call* comes to, with what the docstring of *test* says of it.
    """
    rule, _, mend = (inspect.getdoc(test) or "").partition("\n\n")

    try:
        call()
    except NotImplementedError as exc:
        return _not_offered(name, str(exc))
    except BaseException as exc:
        if ends_process(exc):
            raise
        return _broken(name, _sentences(_wrong(exc), mend))

    return RuleResult(rule=name, outcome=RuleOutcome.KEPT, message=_sentences(rule).rstrip("."))


def _wrong(exc: BaseException) -> str:
    found = str(exc) if isinstance(exc, AssertionError) else described(exc, _LONGEST_COMPLAINT)
    text = " ".join(found.split())

    return text if len(text) <= _LONGEST_COMPLAINT else f"{text[:_LONGEST_COMPLAINT]} …"


def _sentences(*parts: str) -> str:
    return ". ".join(" ".join(part.split()) for part in parts if part)


def _broken(name: str, message: str) -> RuleResult:
    return RuleResult(rule=name, outcome=RuleOutcome.BROKEN, message=message)


def _not_offered(name: str, message: str) -> RuleResult:
    return RuleResult(rule=name, outcome=RuleOutcome.NOT_OFFERED, message=message)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
