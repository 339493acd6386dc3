"""
What a setting says of a folder of files: `naxml:/path?dialect=passport`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import attrs

from conexxus_client import ConfigurationError

from ._dialects import DIALECTS, CheckDigit, Dialect


SCHEME = "naxml:"
_OPTIONS = ("dialect", "ages", "store", "check_digit", "open_price")


@attrs.frozen(kw_only=True)
class FolderAddress:
    """
    A folder, and how the files in it are read.

    Attributes:
        dialect: With what the store's setting says of ages.
        store: The StoreLocationID that they have; None for the location's own id.
        open_price: The price of an item whose price is asked for at the till;
            None: such an item is set aside.
    """

    folder: Path
    dialect: Dialect
    store: str | None = None
    check_digit: CheckDigit = CheckDigit.AUTO
    open_price: Decimal | None = None

    @classmethod
    def of(cls, text: str, variable: str) -> "FolderAddress":
        """
        Read what *variable* says.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        path, mark, query = text.removeprefix(SCHEME).rpartition("?")
        options = dict(parse_qsl(query, keep_blank_values=True)) if mark else {}
        folder = path if mark else query
        problems = [f"{variable} {it}" for it in _problems(text, folder, options)]
        if problems:
            raise ConfigurationError(problems)

        return cls(
            folder=Path(folder),
            dialect=DIALECTS[options["dialect"]].with_ages(options.get("ages")),
            store=options.get("store"),
            check_digit=CheckDigit(options.get("check_digit", CheckDigit.AUTO)),
            open_price=Decimal(0) if "open_price" in options else None,
        )


def _problems(text: str, folder: str, options: Mapping[str, str]) -> Iterator[str]:
    if not text.startswith(SCHEME) or not folder:
        yield f"must be {SCHEME}/path?dialect=DIALECT, got {text[:60]!r}"
        return
    if not Path(folder).is_absolute():
        yield f"must name an absolute path, got {folder[:60]!r}"
    if (dialect := options.get("dialect")) not in DIALECTS:
        given = "names no dialect" if dialect is None else f"names the dialect {dialect[:30]!r}"
        yield f"{given}: it must be one of {', '.join(DIALECTS)}"
    try:
        DIALECTS.get(dialect or "", DIALECTS["generic"]).with_ages(options.get("ages"))
    except ValueError as exc:
        yield f"is wrong: {exc}"
    if options.get("check_digit", CheckDigit.AUTO) not in tuple(CheckDigit):
        yield f"has another check_digit than {', '.join(CheckDigit)}"
    if options.get("open_price", "zero") != "zero":
        yield "has another open_price than zero"
    for name in sorted(options.keys() - set(_OPTIONS)):
        yield f"has an option that is not known: {name[:30]}"
