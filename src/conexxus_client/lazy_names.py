"""
Public names that are imported when they are first read (PEP 562).

A package lists its names twice: for type checkers, and for the interpreter.

```python
if TYPE_CHECKING:
    from .models import InvalidItem, Item
else:
    __getattr__, __dir__ = lazy_names(__name__, {"models": "InvalidItem Item"})
```
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """
    `__getattr__` and `__dir__` of *package*, for the branch that no type checker reads.

    Args:
        modules: Each module, as after the first dot of a relative import, with
            the names that are read from it, with spaces between them. Every other name
            may be that of a submodule.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}
    namespace = vars(sys.modules[package])

    def read(name: str) -> Any:
        if name in homes:
            found = getattr(import_module(f".{homes[name]}", package), name)
        else:
            found = _submodule(package, name)

        namespace[name] = found
        return found

    return read, lambda: sorted({*namespace, *homes})


def _submodule(package: str, name: str) -> ModuleType:
    try:
        return import_module(f".{name}", package)
    except ModuleNotFoundError as exc:
        if exc.name != f"{package}.{name}":
            raise
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg) from None
