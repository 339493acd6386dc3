"""
Dialects of NAXML: one frozen table for each, chosen by the configuration of a store.

They differ in meaning, not in spelling alone; a file never decides which one it is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import attrs


class CheckDigit(StrEnum):
    """
    Whether the codes of a store's files end with their check digit.
    """

    PRESENT = "present"
    ABSENT = "absent"
    AUTO = "auto"


@attrs.frozen(kw_only=True)
class Dialect:
    """
    What elements mean that mean different things to different programs.

    Attributes:
        ages: What MinimumCustomerAge has: years, or codes with the years of each; None: not
            known, so that a record with one is set aside unless the store's setting says years.
        padded_plu: Whether POSCodeFormat `plu` also stands for bar codes that zeros fill up to
            14 digits.
        scans_extension: Whether the bar codes of an item stand in its extension, and its
            POSCode is an internal number.
        empty_flag: What a flag means that has neither value nor text.
        empty_keeps: Whether an element that is there and empty keeps the value that the item
            has, like one that is missing; else it takes it away.
        version: Of the files that are written.
        vocabulary: Whether they declare the namespace.
        encoding: Of the files that are written.
        empty_format: Whether a code without a format has an empty one.
        modifier_in_value: Whether a modifier is an attribute.
        longest_name: Of the items that are written; None: not known.
    """

    name: str
    ages: Literal["years"] | Mapping[str, int] | None = attrs.field(default=None, hash=False)
    padded_plu: bool = False
    scans_extension: bool = False
    empty_flag: bool | None = None
    empty_keeps: bool = False
    version: str = "3.4"
    vocabulary: bool = True
    encoding: str = "utf-8"
    empty_format: bool = False
    modifier_in_value: bool = False
    longest_name: int | None = None

    def with_ages(self, ages: str | None) -> "Dialect":
        """
        The dialect as the setting of a store says what ages are; None: it says nothing.

        Raises:
            ValueError: The setting is unknown, or the dialect has codes.
        """
        if ages is None:
            return self
        if ages != "years":
            msg = f"ages must be years where it is given, got {ages[:30]!r}"
            raise ValueError(msg)
        if isinstance(self.ages, Mapping):
            msg = f"ages can't be years in the dialect {self.name}, which has codes"
            raise ValueError(msg)

        return attrs.evolve(self, ages="years")


DIALECTS: Mapping[str, Dialect] = {
    it.name: it
    for it in (
        Dialect(name="generic"),
        Dialect(
            name="passport",
            ages={"1001": 18, "1002": 21},
            vocabulary=False,
            encoding="iso-8859-1",
            longest_name=40,
        ),
        Dialect(name="verifone", padded_plu=True),
        Dialect(name="radiant", ages="years", scans_extension=True),
        Dialect(name="pdi", version="3.6", modifier_in_value=True),
        Dialect(name="petrosoft", version="3.6", empty_flag=True, empty_format=True),
    )
}
