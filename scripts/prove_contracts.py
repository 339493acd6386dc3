"""
Show that each import contract fails when it is broken.

A contract that cannot fail protects nothing: a renamed package or a mistyped
pattern leaves it green for ever. So, in a copy of the sources, this plants one
forbidden import after the other and expects a refusal of each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent

# The contract's id, a module to spoil or to add, and the lines that spoil it.
SABOTAGE = [
    ("layers", "src/conexxus_client/models.py", "import conexxus_sync"),
    ("floors", "src/conexxus_sync/model/runs.py", "import conexxus_sync.stores"),
    # For types alone, and within a function: both are imports.
    (
        "floors",
        "src/conexxus_sync/runtime/clock.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import conexxus_sync.service",
    ),
    (
        "floors",
        "src/conexxus_sync/stores/_lease_table.py",
        "def late() -> None:\n    import conexxus_sync.sales",
    ),
    # On one floor, and so none knows of the other.
    ("floors", "src/conexxus_sync/metrics/otel.py", "import conexxus_sync.fleet"),
    # A package that has no place in the layers.
    ("floors", "src/conexxus_sync/cellar/__init__.py", ""),
    (
        "circles",
        "src/conexxus_sync/inventory/_validation.py",
        "from ._sync import InventorySync",
    ),
    ("circles", "src/conexxus_client/models.py", "from ._client import ConexxusClient"),
    (
        "circles",
        "src/conexxus_client/_calls/_retries.py",
        "from conexxus_client._catalogue._pagination import Pagination",
    ),
    ("private", "src/conexxus_sync/model/runs.py", "from conexxus_client import _client"),
    ("http-families", "src/conexxus_client/models.py", "import httpx"),
    ("codecs", "src/conexxus_client/models.py", "import msgspec"),
    ("databases", "src/conexxus_sync/model/runs.py", "import sqlite3"),
    ("web", "src/conexxus_sync/model/runs.py", "import starlette"),
    ("contrib", "src/conexxus_sync/contrib/flask.py", "import conexxus_sync.contrib.sql"),
    ("sqlalchemy", "src/conexxus_sync/model/runs.py", "import sqlalchemy"),
    ("django", "src/conexxus_sync/model/runs.py", "import django"),
    ("xml", "src/conexxus_sync/sources/ndjson.py", "import lxml"),
    (
        "modules",
        "src/conexxus_sync/inventory/_results.py",
        "def late() -> None:\n    from conexxus_sync.inventory import InventorySync",
    ),
    (
        "modules",
        "src/conexxus_sync/inventory/_results.py",
        'late = __import__("conexxus_sync.inventory")',
    ),
    (
        "modules",
        "src/conexxus_sync/inventory/_results.py",
        "from importlib import import_module\nlate = import_module(__name__[:-9])",
    ),
]

# `import_circles.py` is a contract as well, though not one of import-linter's.
MODULES = "modules"


def main() -> int:
    """
    Spoil one module after the other; return how many went unnoticed.
    """
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = {each["id"] for each in contracts["tool"]["importlinter"]["contracts"]}
    unnoticed = 0

    for contract in sorted((declared | {MODULES}) ^ {contract for contract, _, _ in SABOTAGE}):
        print(f"  {contract}: NOT declared, or never spoiled")
        unnoticed += 1

    for contract, spoiled, lines in SABOTAGE:
        noticed = _is_noticed(contract, spoiled, lines)
        unnoticed += not noticed
        print(f"  {contract}: {'noticed' if noticed else 'NOT noticed'} in {spoiled}")
    return unnoticed


def _is_noticed(contract: str, spoiled: str, lines: str) -> bool:
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in ("src", "examples", "scripts"):
            skip = shutil.ignore_patterns("__pycache__", "*.db*")
            shutil.copytree(ROOT / part, copy / part, ignore=skip)
        shutil.copy(ROOT / "pyproject.toml", copy)
        # Only the import may make the difference: whole before, broken after.
        if _verdict(copy, contract) != 0:
            return False
        (copy / spoiled).parent.mkdir(exist_ok=True)
        with (copy / spoiled).open("a", encoding="utf-8") as module:
            module.write(f"\n{lines}\n")
        return _verdict(copy, contract) == 1


def _verdict(copy: Path, contract: str) -> int:
    if contract == MODULES:
        command = [sys.executable, copy / "scripts" / "import_circles.py"]
    else:
        tool = Path(sys.executable).with_name("lint-imports")
        command = [tool, "--no-logo", "--no-cache", "--contract", contract]
    search = os.pathsep.join([str(copy / "src"), str(copy)])
    return subprocess.run(
        command,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": search},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
