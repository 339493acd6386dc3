"""
Why a file of NAXML as a whole is refused.
"""

from enum import StrEnum

from conexxus_sync.errors import SyncError


class Fault(StrEnum):
    """
    The name of what is wrong with a file.
    """

    UNREADABLE = "unreadable"
    TOO_LARGE = "too large"
    TOO_DEEP = "too deep"
    RECORD_TOO_LARGE = "record too large"
    DOCTYPE = "document type"
    ENTITY = "entity"
    ENCODING = "encoding"
    TRUNCATED = "truncated"
    SECOND_ROOT = "second root"
    MALFORMED = "malformed"
    NO_MAINTENANCE = "no item maintenance"
    NO_JOURNAL = "no journal"
    UNKNOWN_BLOCK = "unknown block"
    PART = "part of several"
    LOCATION = "location"
    ACTION = "action"
    UNDATED = "no business date"
    UNWRITABLE = "unwritable"


class NaxmlError(SyncError):
    """
    A file of NAXML can't be used as a whole; nothing of it is applied.

    Attributes:
        fault: Its name.
        line: Where it was found; None where that is no matter of lines.
    """

    def __init__(self, fault: Fault, message: str, *, line: int | None = None) -> None:
        where = "" if line is None else f"line {line}: "
        super().__init__(f"{where}{message} ({fault})")
        self.fault = fault
        self.line = line


class RecordError(ValueError):
    """
    One record can't be used; its text says why.
    """
