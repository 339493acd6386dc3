"""
Show that no module imports itself by way of others.

import-linter sees packages; this looks at each module, and at every import
that its text holds: those for types alone, those inside functions, and those
by a string (`import_module("…")`, `__import__("…")`). An import by a name that
is computed has to be listed here, with its reason.
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

# Modules that import by a computed name, and what they import by it.
COMPUTED = {
    "conexxus_client.lazy_names": "what the package that asks lists for type checkers, too",
    "conexxus_client.transports._connection_options": "httpcore or httpcore2",
    "conexxus_sync._moved": "what a host asks for under an old path",
    "conexxus_sync.cli._arguments": "the module of the command that runs",
    "conexxus_client.settings._setting_values": "the host's own modules",
    "conexxus_sync.service._import_factory": "the host's own modules",
    "conexxus_sync.stores._state": "the repositories that it lists for type checkers, too",
    "conexxus_sync.service._named_profile": "the host's own module with its profile",
}

IMPORTERS = ("import_module", "__import__")


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
        # An import under another name would be overlooked.
        if isinstance(node, ast.alias) and node.name == "import_module" and node.asname:
            sys.exit(f"  {name}: imports import_module under another name")
        match node:
            case ast.ImportFrom():
                base = _absolute(package, node.module or "", node.level)
                # `from package import name` may mean a module of that package.
                found = [f"{base}.{each.name}" for each in node.names]
                found = [each if each in modules else base for each in found]
            case ast.Import():
                found = [each.name for each in node.names]
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if (
                called in IMPORTERS
            ):
                found = [_by_string(name, package, node)]
            case _:
                continue
        yield from (each for each in found if each in modules)


def _by_string(name: str, package: str, call: ast.Call) -> str:
    """
    The module that *call* imports; an empty string if its name is computed.

    Raises:
        SystemExit: It is computed, in a module that may not.
    """
    values = [*call.args, *(each.value for each in call.keywords)]

    if not all(isinstance(each, ast.Constant) for each in values) or not values:
        if name not in COMPUTED:
            sys.exit(
                f"  {name}, line {call.lineno}: imports by a computed name; list it in COMPUTED"
            )
        return ""

    text, *rest = (str(each.value) for each in values if isinstance(each, ast.Constant))
    dots = len(text) - len(text.lstrip("."))

    return _absolute(rest[0] if rest else package, text.lstrip("."), dots)


def _absolute(package: str, module: str, level: int) -> str:
    if not level:
        return module
    base = package.split(".")
    return ".".join([*base[: len(base) - level + 1], *filter(None, [module])])


if __name__ == "__main__":
    sys.exit(main())
