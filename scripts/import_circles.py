"""
Show that no module imports itself by way of others.

import-linter sees packages; this looks at each module, and at every import
that its text holds: those for types alone, those inside functions, and those
by a string (`import_module("…")`).
"""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator


SOURCES = Path(__file__).resolve().parent.parent / "src"


def main() -> int:
    """
    Print the first circle, or how much was looked at; return 1 for a circle.
    """
    sources = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCES
    modules = {_name(path, sources): path for path in sorted(sources.rglob("*.py"))}
    graph = {name: set(_imports(name, path, modules)) for name, path in modules.items()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        print("  a circle: " + " imports ".join(reversed(exc.args[1])))
        return 1

    print(f"  {len(graph)} modules, {sum(map(len, graph.values()))} imports, no circle")
    return 0


def _name(path: Path, sources: Path) -> str:
    parts = path.relative_to(sources).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]

    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.ImportFrom():
                base = _absolute(package, node.module or "", node.level)
                # `from package import name` may mean a module of that package.
                found = [f"{base}.{each.name}" for each in node.names]
                found = [each if each in modules else base for each in found]
            case ast.Import():
                found = [each.name for each in node.names]
            case ast.Call(
                func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(text)), *_],
            ):
                dots = len(text) - len(text.lstrip("."))
                found = [_absolute(package, text.lstrip("."), dots)]
            case _:
                continue
        yield from (each for each in found if each in modules)


def _absolute(package: str, module: str, level: int) -> str:
    if not level:
        return module
    base = package.split(".")
    return ".".join([*base[: len(base) - level + 1], *filter(None, [module])])


if __name__ == "__main__":
    sys.exit(main())
