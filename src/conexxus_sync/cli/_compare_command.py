"""
`conexxus compare`: a file of NAXML and the catalogue of the back office, before a cut-over.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conexxus_client import ConfigurationError
from conexxus_sync.model.formatting import counted

from ._console import needing, write_json, write_lines
from ._csv import write_compared_csv
from ._exit_codes import ExitCode
from ._naxml_commands import dialect_and_digit, opened_maintenance
from ._session import Session
from ._store_file import opened


if TYPE_CHECKING:
    # With an extra of its own.
    from conexxus_sync.sources.naxml import Comparison, Difference

SHOWN_OF_A_KIND = 20
_TITLES = {
    "only_in_file": "only in the file",
    "only_in_catalogue": "only in the catalogue",
    "deleted": "deleted by the file, and in the catalogue",
    "price": "price differs",
    "name": "name differs",
    "code": "code differs only in zeros or check digit",
    "ambiguous": "code may be several of the file",
    "collision": "two codes of the file are one",
}


def compare(
    file: str,
    *,
    dialect: str | None = None,
    ages: str | None = None,
    check_digit: str = "auto",
    zero_open_prices: bool = False,
    csv: bool = False,
    session: Session,
) -> ExitCode:
    """
    Compare a file of ItemMaintenance with the catalogue that was pulled last.

    Items are matched by SKU, else by canonical code and modifier. Nothing is
    changed. Exits with 3 if something differs, or a record can't be used.

    ```
    conexxus compare ITT20261101.xml --dialect passport
    conexxus compare ITT20261101.xml --dialect passport --csv > differences.csv
    conexxus compare ITT20261101.xml --dialect passport --json | jq .counts
    ```

    Args:
        file: To compare.
        dialect: As for `naxml show`.
        ages: Likewise.
        check_digit: Whether codes end with one: present, absent, or auto where exactly one
            reading is possible.
        zero_open_prices: An item whose price is asked for at the till has the price 0.
        csv: All differences as a table for spreadsheets.
    """
    if csv and session.json:
        raise ConfigurationError(["--csv and --json can't go together"])

    with needing("naxml"):
        from conexxus_sync.sources.naxml import Comparison

    chosen = dialect_and_digit(dialect, ages, check_digit)
    read = opened_maintenance(Path(file), chosen, session, zero=zero_open_prices)
    config, store = opened(session)

    with store.read() as state:
        if state.mirror.is_empty():
            msg = f"location {config.location_id} has no catalogue yet: `conexxus pull` fetches it"
            raise ConfigurationError([msg])
        found = Comparison.of(read, (entry.item for entry in state.mirror.items()))

    if session.json:
        write_json(_document(found))
    elif csv:
        write_compared_csv(found.differences)
    else:
        write_lines(_lines(found, config.location_id))

    return ExitCode.SUCCESS if found.agrees else ExitCode.PARTIAL


def _document(found: "Comparison") -> dict[str, Any]:
    return {
        "mode": found.file.mode,
        "store": found.file.store,
        "fileItems": found.file_items,
        "catalogueItems": found.catalogue_items,
        "equal": found.equal,
        "counts": {str(kind): count for kind, count in found.counts.items()},
        "differences": [_difference_document(it) for it in found.differences],
        "problems": [{"line": it.line, "sku": it.sku, "problem": it.reason} for it in found.bad],
    }


def _difference_document(it: "Difference") -> dict[str, Any]:
    return {
        "kind": it.kind,
        "name": it.name,
        "line": it.line,
        "fileSku": it.file_sku,
        "catalogueSku": it.catalogue_sku,
        "inFile": _text(it.in_file),
        "inCatalogue": _text(it.in_catalogue),
    }


def _text(value: object) -> str | None:
    # Prices with their digits.
    return None if value is None else str(value)


def _lines(found: "Comparison", location: str) -> Iterator[str]:
    store = found.file.store or "not named"
    yield f"File ({found.file.mode}, store {store}): {counted(found.file_items, 'item')}."
    yield f"Catalogue of location {location}: {counted(found.catalogue_items, 'item')}."
    yield f"{found.equal:,} equal"

    for kind, count in found.counts.items():
        if count:
            yield f"{count:,} {_TITLES[kind]}"
            of_kind = [it for it in found.differences if it.kind is kind]
            yield from (f"  {_difference_line(it)}" for it in of_kind[:SHOWN_OF_A_KIND])
            if count > SHOWN_OF_A_KIND:
                yield "  … and more; all of them: --csv or --json"
    if found.bad:
        yield f"{counted(len(found.bad), 'record')} of the file can't be used"
        for bad in found.bad[:SHOWN_OF_A_KIND]:
            yield f"  line {bad.line}: {bad.sku or 'without a code'}: {bad.reason}"

    yield "They agree." if found.agrees else "They do not agree."


def _difference_line(it: "Difference") -> str:
    named = f"{it.file_sku or it.catalogue_sku}  {it.name or '-'}"
    sides = (("file", it.in_file), ("catalogue", it.in_catalogue))
    values = ", ".join(f"{value} in the {side}" for side, value in sides if value is not None)

    return f"{named}: {values}" if values else named
