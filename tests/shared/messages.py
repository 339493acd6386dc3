"""
The texts that the project prints, and the commands in them.
"""

import ast
import re
from functools import cache
from pathlib import Path


ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
NAMED = re.compile(r"\bconexxus [^\n`]|CONEXXUS_[A-Z]")
PAGE = ROOT / "docs/how-to/troubleshoot.md"


@cache
def texts():
    """
    Every text of the source that is no docstring, with X for what is filled
    in, and those of runbooks and page, where they name a command or a setting.
    """
    found = [path.read_text() for path in [PAGE, *(ROOT / "src").rglob("runbooks/*.md")]]
    for source in (path.read_text() for path in SOURCES):
        if NAMED.search(source):
            found += _texts_of(ast.parse(source))

    return found


def _texts_of(tree):
    ignored = set()

    # Parents come first.
    for node in ast.walk(tree):
        parts = [node.value] if isinstance(node, ast.Expr) else getattr(node, "values", [])
        ignored |= {id(part) for part in parts}
        if isinstance(node, ast.JoinedStr):
            yield "".join(it.value if isinstance(it, ast.Constant) else "X" for it in node.values)
        elif isinstance(getattr(node, "value", None), str) and id(node) not in ignored:
            yield node.value


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
