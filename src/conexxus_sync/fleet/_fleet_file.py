"""
Reads `fleet.toml`: what holds for all stores, and each of them.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from conexxus_client import ConfigurationError
from conexxus_client.settings import Document

from ._fleet_options import FleetOptions, read_options
from ._store_settings import StoreSettings, WrongStore, read_store
from ._toml_lines import TableLines, table_lines


_TABLES = ("fleet", "defaults", "store")


@attrs.frozen(kw_only=True)
class FleetFile:
    """
    What a `fleet.toml` says.

    Attributes:
        stores: Those that can start.
        wrong: Those that can't, and why.
    """

    path: Path
    options: FleetOptions
    stores: tuple[StoreSettings, ...]
    wrong: tuple[WrongStore, ...]

    def startable(self) -> tuple[StoreSettings, ...]:
        """
        The stores that can start.

        Raises:
            ConfigurationError: There is none.
        """
        if not self.stores:
            problems = [text for it in self.wrong for text in it.problems]
            raise ConfigurationError(problems or [f"there is no [[store]] in {self.path}"])

        return self.stores


def read_fleet_file(path: Path | str, environ: Mapping[str, str] | None = None) -> FleetFile:
    """
    Read the file at *path*.

    Args:
        environ: Instead of the process's own environment.

    Raises:
        ConfigurationError: It is no TOML, or what it says of all stores is wrong.
    """
    path = Path(path)
    environ = os.environ if environ is None else environ
    text, content = _content(path)
    lines = table_lines(text)
    problems = [f"{name} in {path.name} is no table of a fleet: it has fleet, defaults and store"
                for name in content if name not in _TABLES]  # fmt: skip
    options = read_options(_document(path, content, lines, "fleet"), problems)

    if problems:
        raise ConfigurationError(problems)

    defaults = _document(path, content, lines, "defaults")
    stores, wrong, seen = list[StoreSettings](), list[WrongStore](), set[str]()

    for name, row, header in _rows(path, content.get("store", []), lines):
        try:
            store = read_store(row, defaults, environ, header)
        except ConfigurationError as exc:
            wrong.append(WrongStore(name=name, problems=exc.problems))
            continue
        if store.location_id in seen:
            problem = f"{row.place('location')} is that of another store, too"
            wrong.append(WrongStore(name=name, problems=(problem,)))
            continue
        seen.add(store.location_id)
        stores.append(store)

    return FleetFile(path=path, options=options, stores=tuple(stores), wrong=tuple(wrong))


def _content(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text("utf-8-sig")
        return text, tomllib.loads(text, parse_float=str)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise ConfigurationError([f"{path} can't be read: {reason}"]) from exc


def _document(
    path: Path, content: Mapping[str, Any], lines: list[TableLines], name: str
) -> Document:
    found = next((it.keys for it in lines if it.name == name), {})
    values = content.get(name, {})

    if not isinstance(values, dict):
        raise ConfigurationError([f"{name} in {path.name} must be a table, like [{name}]"])

    return Document(path.name, values, found)


def _rows(path: Path, rows: Any, lines: list[TableLines]) -> Iterator[tuple[str, Document, str]]:
    """
    The stores: the name of each, what it says, and how its header is named.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError([f"store in {path.name} must be tables, like [[store]]"])

    # Written in one line each, they have none of their own.
    headers = [it for it in lines if it.name == "store"]
    places = headers if len(headers) == len(rows) else [TableLines("store", 0) for _ in rows]

    for number, (row, place) in enumerate(zip(rows, places, strict=True), 1):
        where = f"line {place.line}" if place.line else f"number {number}"
        header = f"[[store]] in {path.name}, {where},"
        yield str(row.get("location") or where), Document(path.name, row, place.keys), header
