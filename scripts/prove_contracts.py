"""
Show that each import contract fails when it is broken.

A contract that cannot fail protects nothing: a renamed package or a mistyped
pattern leaves it green for ever. So, in a copy of the sources, this plants one
forbidden import for each contract and expects import-linter to refuse it.
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

# The contract's id, a module to spoil, and the line that spoils it.
SABOTAGE = {
    "layers": ("src/conexxus_client/models.py", "import conexxus_sync"),
    "private": ("src/conexxus_sync/runs.py", "from conexxus_client import _wire"),
    "http-families": ("src/conexxus_client/_wire.py", "import httpx"),
    "codecs": ("src/conexxus_client/models.py", "import msgspec"),
    "databases": ("src/conexxus_sync/runs.py", "import sqlite3"),
    "web": ("src/conexxus_sync/runs.py", "import starlette"),
}


def main() -> int:
    """
    Spoil one module for each contract; return how many went unnoticed.
    """
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = {each["id"] for each in contracts["tool"]["importlinter"]["contracts"]}
    unproven = declared ^ SABOTAGE.keys()
    unnoticed = sorted(unproven | {each for each in SABOTAGE if not _is_noticed(each)})

    for contract in sorted(declared):
        print(f"  {contract}: {'NOT noticed' if contract in unnoticed else 'noticed'}")
    return len(unnoticed)


def _is_noticed(contract: str) -> bool:
    spoiled, line = SABOTAGE[contract]
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in ("src", "examples", "scripts"):
            skip = shutil.ignore_patterns("__pycache__", "*.db*")
            shutil.copytree(ROOT / part, copy / part, ignore=skip)
        shutil.copy(ROOT / "pyproject.toml", copy)
        # Only the import may make the difference: whole before, broken after.
        if _lint(copy, contract) != 0:
            return False
        with (copy / spoiled).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
        return _lint(copy, contract) == 1


def _lint(copy: Path, contract: str) -> int:
    tool = Path(sys.executable).with_name("lint-imports")
    search = os.pathsep.join([str(copy / "src"), str(copy)])
    return subprocess.run(
        [tool, "--no-logo", "--no-cache", "--contract", contract],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": search},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
