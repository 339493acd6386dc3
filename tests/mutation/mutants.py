"""
Mutants: a copy of the sources that holds all of them, made by mutmut.

Each function that is mutated is there in all its variants, and which one is
called is decided when it is called.  Mutants have names, which are numbered,
and a change, which stays the same when the function has others.
"""

import difflib
import shutil
from collections.abc import Iterable
from pathlib import Path

import attrs
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents


SEPARATOR = "__mutmut_"
CLASS = "ǁ"


@attrs.frozen(kw_only=True)
class Mutant:
    """
    One mutant.

    Attributes:
        name: By which it is called.
        function: The name of its function, as mutmut records that it was called.
        change: The function, what is no longer there, and what is instead.
    """

    name: str
    function: str
    change: str


def mutated_copy(source: Path, target: Path, paths: Iterable[Path]) -> list[Mutant]:
    """
    Copy *source* to *target*, with all mutants of the modules in *paths*.
    """
    # With what is compiled: it is not compiled again.
    shutil.copytree(source, target)

    return [mutant for path in paths for mutant in _mutated_module(source, target, path)]


def _mutated_module(source: Path, target: Path, path: Path) -> list[Mutant]:
    place = path.relative_to(source)
    module = ".".join(place.with_suffix("").parts)
    file = mutate_file_contents(str(place), path.read_text())
    (target / place).write_text(file.code)
    lines = file.code.splitlines()

    return [_mutant(module, name, file, lines) for name in file.mutant_names]


def _mutant(module: str, name: str, file: MutatedFile, lines: list[str]) -> Mutant:
    function = name.rpartition(SEPARATOR)[0]
    spans = file.line_span_by_function_name
    before, after = (
        [line.strip().replace(each, "") for line in lines[span.start - 1 : span.end]]
        for each, span in (
            (f"{function}{SEPARATOR}orig", spans[f"{function}{SEPARATOR}orig"]),
            (name, spans[name]),
        )
    )
    gone, there = [], []
    for line in difflib.ndiff(before, after):
        if line.startswith("- "):
            gone.append(line[2:])
        elif line.startswith("+ "):
            there.append(line[2:])

    place = function.removeprefix(f"x{CLASS}").removeprefix("x_").replace(CLASS, ".")

    return Mutant(
        name=f"{module}.{name}",
        function=f"{module}.{function}",
        change=f"{module}.{place}: {' '.join(gone)} → {' '.join(there)}",
    )
