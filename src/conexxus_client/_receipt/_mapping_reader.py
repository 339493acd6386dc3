"""
Reads the fields of a receipt from mappings, like database rows, and names the one that is wrong.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

import attrs

from ._amounts import MAX_DECIMALS, WIDE, rounded


T = TypeVar("T")

Unknown = Literal["refuse", "extra", "ignore"]

# Of these, each digit counts, whatever the currency has.
_MEASURES = ("quantity", "rate")
_UNIT_PRICE = "price"
_MONEY = ("total", "tax", "discount", "rounding", "amount", "change", "tip", "taxable")
_WIRE_NAMES = {"businessDate": "business_date"}

_PLAIN_DECIMAL = re.compile(r"[+-]?[0-9]{1,38}(?:\.[0-9]{1,18})?")


@attrs.frozen(kw_only=True)
class MappingReader:
    """
    Builds classes of a receipt from mappings with their fields' names.

    Attributes:
        parts: The classes of the mappings in lists, by field.
        minor_units: Decimals of the currency: an int is then in its smallest
            unit, and an amount that was paid is rounded to it, half up.
        unknown: What becomes of a key that is no field.
    """

    parts: Mapping[str, type]
    minor_units: int | None = None
    unknown: Unknown = "refuse"

    def __attrs_post_init__(self) -> None:
        if self.minor_units is not None and not 0 <= self.minor_units <= MAX_DECIMALS:
            msg = f"minor_units must be from 0 to {MAX_DECIMALS}"
            raise ValueError(msg)

    def build(self, cls: type[T], record: object, path: str = "") -> T:
        """
        Raises:
            ValueError: A value is missing, or wrong; it names the field.
        """
        if isinstance(record, cls):
            return record
        if not isinstance(record, Mapping):
            raise _wrong(path or cls.__name__, "must be a mapping", record)

        names = [field.name for field in attrs.fields(cls)]  # type: ignore[arg-type]  # all are
        given: dict[Any, Any] = {}
        for key, value in record.items():
            name = _WIRE_NAMES.get(str(key), key)
            # Under two names, the one with a value.
            given[name] = given.get(name) if value is None else value
        values = {
            name: self._value(name, given.pop(name), f"{path}{name}")
            for name in names
            if given.get(name) is not None
        }
        if unknown := {key: value for key, value in given.items() if key not in names}:
            self._keep(unknown, values, names, path)

        try:
            return cls(**values)
        except TypeError as exc:
            missing = [it for it in attrs.fields(cls) if it.default is attrs.NOTHING]  # type: ignore[arg-type]
            absent = [f"{path}{it.name}" for it in missing if it.name not in values]
            msg = f"{', '.join(absent)}: missing" if absent else f"{path}{exc}"
            raise ValueError(msg) from None
        except ValueError as exc:
            msg = f"{path}{exc}"
            raise ValueError(msg) from None

    def _keep(
        self, unknown: dict[Any, Any], values: dict[str, Any], names: list[str], path: str
    ) -> None:
        if self.unknown == "ignore":
            return
        if self.unknown == "refuse" or "extra" not in names:
            listed = ", ".join(f"{path}{key}" for key in unknown)
            msg = f"{listed}: no such field; say unknown='extra' to keep it in `extra`"
            raise ValueError(msg)

        values["extra"] = {**unknown, **values.get("extra", {})}

    def _value(self, name: str, value: Any, path: str) -> Any:
        if name in self.parts:
            return self._list(self.parts[name], value, path)
        if name in (*_MEASURES, *_MONEY, _UNIT_PRICE):
            return self._amount(name, value, path)
        if name == "timestamp" and isinstance(value, str):
            return _read(datetime.fromisoformat, value, path, like="2026-01-02T10:00:00Z")
        if name == "business_date" and isinstance(value, str):
            return _read(date.fromisoformat, value, path, like="2026-01-02")
        if name == "extra" and not isinstance(value, Mapping):
            raise _wrong(path, "must be a mapping", value)

        return value

    def _list(self, cls: type[T], value: Any, path: str) -> list[T]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise _wrong(path, "must be a list", value)

        return [self.build(cls, one, f"{path}[{n}].") for n, one in enumerate(value)]

    def _amount(self, name: str, value: Any, path: str) -> Decimal | int:
        if isinstance(value, float):
            msg = (
                f"{path}: a float has lost digits; give a Decimal, an int or a text, and read "
                "JSON with parse_float=Decimal"
            )
            raise ValueError(msg)
        if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value):
            value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise _wrong(path, "must be a Decimal, an int or a plain decimal text", value)

        return value if name in _MEASURES else self._money(name, value)

    def _money(self, name: str, value: int | Decimal) -> int | Decimal:
        if self.minor_units is None:
            return value
        if isinstance(value, int):
            return WIDE.scaleb(Decimal(value), -self.minor_units)
        if name == _UNIT_PRICE or not value.is_finite():
            return value

        return rounded(value, self.minor_units)


def _read(read: Any, value: str, path: str, *, like: str) -> Any:
    try:
        return read(value)
    except ValueError:
        msg = f"{path} must be a text like {like}"
        raise ValueError(msg) from None


def _wrong(path: str, expected: str, value: object) -> ValueError:
    return ValueError(f"{path.rstrip('.')} {expected}, not {type(value).__name__}")
