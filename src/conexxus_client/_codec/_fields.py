"""
Reads the fields of JSON objects, and names the one that is wrong.
"""

from collections.abc import Callable, Mapping
from datetime import date as Date  # noqa: N812  # a method is called `day`
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from conexxus_client.errors import DecodeError


T = TypeVar("T")


class Fields:
    """
    The fields of one JSON object.
    """

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            raise DecodeError(f"{path} must be an object")
        self._value = value
        self._path = path

    def build(self, cls: Callable[..., T], **fields: Any) -> T:
        try:
            return cls(**fields)
        except (TypeError, ValueError) as exc:
            raise DecodeError(f"{self._path}: {exc}") from None

    def text(self, key: str) -> str:
        return self._typed(key, str, "a text")

    def optional_text(self, key: str) -> str | None:
        return None if self._value.get(key) is None else self.text(key)

    def flag(self, key: str) -> bool | None:
        return None if self._value.get(key) is None else self._typed(key, bool, "true or false")

    def each(self, key: str, read: Callable[["Fields"], T]) -> list[T]:
        """
        What *read* makes of each object of a list, which may be absent.
        """
        if key not in self._value:
            return []

        return [
            read(Fields(value, f"{self._path}.{key}[{place}]"))
            for place, value in enumerate(self.array(key))
        ]

    def named(self, key: str, name: str, read: Callable[["Fields"], T]) -> dict[str, T]:
        """
        Likewise, by the text that each object has as its *name*.
        """
        pairs = self.each(key, lambda fields: (fields.text(name), read(fields)))
        found = dict(pairs)

        if len(found) < len(pairs):
            raise DecodeError(f"{self._path}.{key} has the same {name} twice")

        return found

    def part(self, key: str, read: Callable[["Fields"], T]) -> T | None:
        """
        What *read* makes of an object, which may be absent.
        """
        value = self._value.get(key)

        return None if value is None else read(Fields(value, f"{self._path}.{key}"))

    def has(self, key: str) -> bool:
        return self._value.get(key) is not None

    def count(self, key: str) -> int:
        value: Any = self._value.get(key)

        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(key, "a count")

        return value

    def array(self, key: str) -> list[Any]:
        return self._typed(key, list, "a list")

    def mapping(self, key: str) -> dict[str, Any]:
        return self._typed(key, dict, "an object") if key in self._value else {}

    def amount(self, key: str, *, optional: bool = False) -> Any:
        value = self._value.get(key)

        if value is None and optional:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self._wrong(key, "a number")

        return value

    def moment(self, key: str) -> datetime:
        try:
            return datetime.fromisoformat(self.text(key))
        except ValueError:
            raise self._wrong(key, "a moment like 2026-01-02T10:00:00Z") from None

    def day(self, key: str) -> Date | None:
        if self._value.get(key) is None:
            return None

        try:
            return Date.fromisoformat(self.text(key))
        except ValueError:
            raise self._wrong(key, "a date like 2026-01-02") from None

    def _typed(self, key: str, kind: type[T], expected: str) -> T:
        value = self._value.get(key)

        if not isinstance(value, kind):
            raise self._wrong(key, expected)

        return value

    def _wrong(self, key: str, expected: str) -> DecodeError:
        return DecodeError(f"{self._path}.{key} must be {expected}")
