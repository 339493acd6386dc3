"""
Docstrings describe what is there: a name that has changed has changed in them.
"""

import ast
import re
from pathlib import Path

import pytest


SOURCES = Path(__file__).parents[2] / "src"
MODULES = sorted(SOURCES.rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def section(docstring: str, title: str) -> list[str]:
    """
    The names that a section of a docstring, like `Args:`, describes.
    """
    found = re.search(rf"^{title}:\n((?: {{4}}.*\n?|\n)+)", docstring, re.MULTILINE)

    return re.findall(r"^ {4}(\w+):", found[1], re.MULTILINE) if found else []


def parameters(function: Function) -> set[str]:
    it = function.args
    named = [*it.posonlyargs, *it.args, *it.kwonlyargs, it.vararg, it.kwarg]

    return {each.arg for each in named if each is not None}


def attributes(cls: ast.ClassDef) -> set[str]:
    fields = {
        it.target.id
        for it in ast.walk(cls)
        if isinstance(it, ast.AnnAssign) and isinstance(it.target, ast.Name)
    }
    methods = {it.name for it in cls.body if isinstance(it, Function)}
    assigned = {
        it.attr
        for it in ast.walk(cls)
        if isinstance(it, ast.Attribute)
        and isinstance(it.value, ast.Name)
        and it.value.id == "self"
    }

    return fields | methods | assigned


def unknown_names(module: Path) -> list[tuple[str, str]]:
    """
    What the docstrings of *module* describe, and the code does not have.
    """
    found = []

    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, Function):
            docstring, known = ast.get_docstring(node) or "", parameters(node)
            described = [*section(docstring, "Args"), *re.findall(r"(?<!\*)\*(\w+)\*", docstring)]
        elif isinstance(node, ast.ClassDef):
            described, known = section(ast.get_docstring(node) or "", "Attributes"), set()
            # A base may bring them; without one, the class has to have them.
            if all(isinstance(it, ast.Name) and it.id == "Protocol" for it in node.bases):
                known = attributes(node)
            else:
                described = []
        else:
            continue
        found += [(node.name, name) for name in described if name not in known]

    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCES)))
def test_described_names_exist(module):
    """
    Each argument and attribute that a docstring describes exists.
    """
    assert unknown_names(module) == []


def test_an_old_name_is_found(tmp_path):
    """
    The check can fail: it finds what was renamed in the code alone.
    """
    module = tmp_path / "module.py"
    module.write_text(
        'def push(day):\n    """\n    Push *date*.\n\n    Args:\n        dates: All.\n    """\n'
        'class Run:\n    """\n    One.\n\n    Attributes:\n        began: When.\n    """\n'
        "    start: int\n"
    )

    assert unknown_names(module) == [("push", "dates"), ("push", "date"), ("Run", "began")]
