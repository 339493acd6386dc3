"""
The page about dependencies says what the metadata says.
"""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheels import closure


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/dependencies.md").read_text()
OURS = distribution("conexxus-sdk")


def rows(title):
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return [[cell.strip("` ") for cell in row] for row in cells[2:]]


def bounds(requirement):
    return {str(it) for it in requirement.specifier}


def test_core():
    """
    Each requirement has a row with its bound, and the others are named.
    """
    direct = {it.name: it for it in map(Requirement, OURS.requires) if it.marker is None}
    brought = {canonicalize_name(it.name) for it in closure(OURS, [Requirement(OURS.name)])}
    indirect = brought - {"conexxus-sdk", *direct}

    said = {package: set(bound.split(",")) for package, bound, _ in rows("Core")}
    (also,) = re.findall(r"and (anyio[^.]*), which they need", PAGE)

    assert said == {name: bounds(it) for name, it in direct.items()}
    assert set(re.split(", | and ", also)) == indirect
    assert f"installs {len(direct | dict.fromkeys(indirect))} packages" in PAGE


def test_extras():
    """
    Each package of an extra has a row, once.
    """
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        (extra, it.name, frozenset(bounds(it)))
        for extra, texts in extras["optional-dependencies"].items()
        for it in map(Requirement, texts)
        if it.name != OURS.name
    }

    said = {
        (extra, package, frozenset(bound.split(","))) for extra, package, bound, _ in rows("Extras")
    }

    assert said == wanted
