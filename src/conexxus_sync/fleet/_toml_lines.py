"""
On which line of a TOML file each key is: `tomllib` does not say.
"""

import re
from collections.abc import Iterator

import attrs


_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_LONG = re.compile(r'"""|\'\'\'')


@attrs.define
class TableLines:
    """
    One `[table]`, or one element of `[[tables]]`.

    Attributes:
        name: Without brackets.
        line: Of its header, from 1.
        keys: The line of each key, with those of tables within.
    """

    name: str
    line: int
    keys: dict[str, int] = attrs.field(factory=dict)


def table_lines(text: str) -> list[TableLines]:
    """
    The tables of a valid file of TOML, in their order, with the lines of their keys.

    `[store.api]` belongs to the `[[store]]` before it.
    """
    tables = [TableLines("", 0)]
    before = ""

    for number, line in _lines(text):
        if header := _HEADER.match(line):
            name = _dotted(header[2])
            last = tables[-1].name
            within = last and name.startswith(f"{last}.")
            before = name.removeprefix(f"{last}.") + "." if within else ""
            if not within:
                tables.append(TableLines(name, number))
        elif key := _KEY.match(line):
            tables[-1].keys[f"{before}{_dotted(key[1])}"] = number

    return tables


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """
    The lines on which no text is that began on one before.
    """
    is_within = False

    for number, line in enumerate(text.split("\n"), 1):
        if not is_within:
            yield number, line
        is_within ^= len(_LONG.findall(line)) % 2 == 1


def _dotted(key: str) -> str:
    return ".".join(part.strip("\"'") for part in _PART.findall(key))
