"""
Reading settings from environment variables.
"""

from collections.abc import Callable, Mapping
from typing import Any


# The longest number that any setting takes: int() takes its time on some.
_MAX_DIGITS = 8


class Environment:
    """
    Reads environment variables and collects what is wrong with them.

    Attributes:
        values: What was set and could be read, by the name of the setting.
        problems: One sentence for each variable that could not.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []

    def read(
        self,
        variable: str,
        name: str,
        parse: Callable[[str], Any] = str,
        *,
        required: bool = False,
    ) -> None:
        """
        Read *variable* into `values[name]`.
        """
        text = self._environ.get(variable, "")

        if not text:
            if required:
                self.problems.append(f"{variable} is not configured")
            return

        try:
            self.values[name] = parse(text)
        except ValueError as exc:
            self.problems.append(f"{variable} {exc}")


def milliseconds(text: str) -> int:
    """
    Read a whole number of milliseconds.
    """
    return _whole(text, "must be a whole number of milliseconds")


def count(text: str) -> int:
    """
    Read a whole number.
    """
    return _whole(text, "must be a whole number from 0 to 100")


def _whole(text: str, said: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        msg = f"{said}, got {text[:40]!r}"
        raise ValueError(msg)

    return int(text)


def flag(text: str) -> bool:
    """
    Read `1` or `0`.
    """
    if text not in ("0", "1"):
        msg = f"must be 1 or 0, got {text[:40]!r}"
        raise ValueError(msg)

    return text == "1"
