"""
All statements of the stores, found in their source.
"""

import ast
import importlib
from pathlib import Path

from conexxus_sync import stores


FOLDER = Path(stores.__file__).parent

# Methods of a session, a repository and a comparison that take statements.
TAKERS = {"stream", "execute", "executemany", "insert_columns", "value", "create_temporary"}

# Where a statement is a parameter, or one of several.
ALTERNATIVES = (
    *("_NEXT", "_NEXT_RESTED", "_ALL_ITEMS", "_PRESENT_ITEMS"),
    *("_KNOWN_SKUS", "_NEW_SKUS", "_ABSENT", "_ABSENT_OF_VANISHED", "_HIGHEST"),
)


def statements():
    """
    Every statement, by module and line.

    Raises:
        AssertionError: One is put together when it is executed, so that it
            can't be looked at before.
    """
    found = {}

    for path in sorted(FOLDER.glob("_*.py")):
        tree = ast.parse(path.read_text())
        module = importlib.import_module(f"conexxus_sync.stores.{path.stem}")
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if call.func.attr not in TAKERS or not call.args:
                continue
            taken = call.args if call.func.attr == "create_temporary" else call.args[:1]
            for number, argument in enumerate(taken):
                for text in _texts(argument, module):
                    found[f"{path.stem}:{call.lineno}:{number}:{len(found)}"] = text

    return found


def _texts(argument, module):
    if isinstance(argument, ast.Starred):
        argument = argument.value
    if isinstance(argument, ast.IfExp):
        return [*_texts(argument.body, module), *_texts(argument.orelse, module)]
    if isinstance(argument, ast.Subscript):
        return list(getattr(module, argument.value.id).values())
    if isinstance(argument, ast.Name):
        value = getattr(module, argument.id, None)
        if isinstance(value, str):
            return [value]
        if isinstance(value, tuple):
            return list(value)
        # A parameter that is handed on, or one of two constants.
        assert argument.id in {"statement", "statements"}, (module.__name__, argument.id)
        found = [getattr(module, name) for name in ALTERNATIVES if hasattr(module, name)]
        return [text for it in found for text in (it.values() if isinstance(it, dict) else [it])]
    assert isinstance(argument, ast.Constant), (module.__name__, argument.lineno)
    return [argument.value] if isinstance(argument.value, str) else []
