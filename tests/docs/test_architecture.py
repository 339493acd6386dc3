"""
The map of the code is the code: floors, ways through it, and every module.
"""

import ast
import os
import re
import tomllib
from collections import Counter
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

from conexxus_sync import InventorySync, OutboxOperator, SalesPush
from conexxus_sync.inventory._pull import Pull
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay


ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
PAGE = ROOT / "docs/explanation/architecture.md"
TITLE = "## Every module\n"

PACKAGES = ("conexxus_client", "conexxus_sync")
MODULES = sorted(path for path in SOURCES.rglob("*.py") if path.name != "__init__.py")
STATIONS = re.findall(r"`(conexxus_\w+(?:\.\w+)+)` · `([\w.]+)`", PAGE.read_text("utf-8"))


def lines_of(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.split("\n\n")[0].replace("\n", " ")


def every_module() -> str:
    """
    The last section of the page: a table for each package.
    """
    parts = []

    for package in sorted({path.parent for path in SOURCES.rglob("__init__.py")}):
        name = ".".join(package.relative_to(SOURCES).parts)
        rows = [
            f"| `{path.stem}` | {first_line(path)} |"
            for path in sorted(package.glob("*.py"))
            if path.name not in ("__init__.py", "__main__.py")
        ]
        parts += [f"\n### {name}\n", f"{first_line(package / '__init__.py')}\n"]
        parts += ["| Module | What it holds |\n|---|---|", *rows, ""] if rows else []

    return "\n".join(parts).rstrip("\n") + "\n"


def test_floors():
    """
    The diagram shows the floors of the import contract, in their order.
    """
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(it["layers"] for it in contracts["contracts"] if it["id"] == "floors")
    block = re.search(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    floors = [re.split(r"\s{2,}", line)[0] for line in block[1].splitlines()]

    assert floors == [*layers, "conexxus_client"]


def test_ways_are_long():
    """
    The pattern finds the stations: an empty list proves nothing.
    """
    assert len(STATIONS) > 35


@pytest.mark.parametrize(("module", "name"), STATIONS)
def test_station(module, name):
    """
    Each station of a way is where the page says.
    """
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)

    assert getattr(found, "__module__", module) == module


def test_every_module_is_listed():
    """
    The page lists each package and module, with the first line of its
    docstring; with CONEXXUS_WRITE_DOCS=1 the list is written.
    """
    before = PAGE.read_text("utf-8").partition(TITLE)[0]
    written = f"{before}{TITLE}{every_module()}"

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(written, "utf-8")

    assert PAGE.read_text("utf-8") == written


@pytest.mark.parametrize(("package", "most"), [("conexxus_client", 9), ("conexxus_sync", 4)])
def test_few_modules_at_the_top(package, most):
    """
    The top of a package holds its public modules; the rest lies in rooms.
    """
    top = [path.name for path in (SOURCES / package).glob("*.py") if path.name != "__init__.py"]

    assert len(top) <= most, top


def test_no_module_is_long():
    """
    A module fits the head of a reader: at most 400 lines.
    """
    assert [path.name for path in SOURCES.rglob("*.py") if lines_of(path) > 400] == []


def test_few_modules_are_short():
    """
    What changes together lies together: few modules have under 40 lines.
    """
    short = [str(path.relative_to(SOURCES)) for path in MODULES if lines_of(path) < 40]

    assert len(short) <= 8, short


def test_names_are_unique():
    """
    No two modules of `conexxus_sync` have one name, with or without underscore.
    """
    names = Counter(
        path.stem.lstrip("_") for path in MODULES if path.is_relative_to(SOURCES / "conexxus_sync")
    )

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    "engine", [InventorySync, Pull, QuarantineReplay, SalesPush, OutboxOperator]
)
def test_engines_take_few_arguments(engine):
    """
    What they share is one argument: an `EngineContext`.
    """
    assert len(signature(engine).parameters) <= 6


def test_connections_stay_in_the_stores():
    """
    Above the stores, nothing is handed a connection but what the host applies
    changes with, which is fixed.
    """
    takers = [
        f"{path.relative_to(SOURCES)}: {node.name}"
        for path in MODULES
        if path.is_relative_to(SOURCES / "conexxus_sync") and "stores" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and "connection" in {it.arg for it in (*node.args.args, *node.args.kwonlyargs)}
    ]

    storages = ("django/_model_catalog", "sql/_catalog_storage")
    assert sorted(takers) == [
        *(
            f"conexxus_sync/contrib/{storage}.py: {name}"
            for storage in storages
            for name in ("apply_in", "shares")
        ),
        "conexxus_sync/protocols.py: apply_in",
    ]
