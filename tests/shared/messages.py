"""
The texts that the project prints, and the commands in them.
"""

import ast
import re
from pathlib import Path


ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PAGE = ROOT / "docs/how-to/troubleshoot.md"


def texts():
    """
    Every text of the source that is no docstring, with X for what is filled
    in, and those of runbooks and page.
    """
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        ignored = {
            id(it)
            for node in ast.walk(tree)
            for it in ([node.value] if isinstance(node, ast.Expr) else getattr(node, "values", []))
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    it.value if isinstance(it, ast.Constant) else "X" for it in node.values
                )
            elif isinstance(getattr(node, "value", None), str) and id(node) not in ignored:
                yield node.value
    for path in [PAGE, *(ROOT / "src").rglob("runbooks/*.md")]:
        yield path.read_text()


def commands():
    """
    The commands that are named, without the first word.
    """
    for text in texts():
        for spoken, typed in re.findall(r"`conexxus ([^`]+)`|^ *conexxus ([a-z].+)$", text, re.M):
            yield (spoken or typed).partition(" |")[0].strip()


def settings():
    """
    The variables that are named.
    """
    for text in texts():
        yield from re.findall(r"\bCONEXXUS_[A-Z_]+[A-Z]\b", text)
