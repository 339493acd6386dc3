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
        reason: What is wrong, in words.
        line: Where it was found; None where that is no matter of lines.
        file: Its name.
    """

    def __init__(
        self, fault: Fault, message: str, *, line: int | None = None, file: str | None = None
    ) -> None:
        name = "" if file is None else f"{file}: "
        where = "" if line is None else f"line {line}: "
        super().__init__(f"{name}{where}{message} ({fault})")
        self.fault = fault
        self.reason = message
        self.line = line
        self.file = file

    def of_file(self, file: str, more: str = "") -> "NaxmlError":
        """
        The same one, with the name of the file, and what follows of it.
        """
        return NaxmlError(self.fault, f"{self.reason}{more}", line=self.line, file=file)


class RecordError(ValueError):
    """
    One record can't be used; its text says why.
    """
