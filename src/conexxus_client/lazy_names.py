"""
Public names that are imported when they are first read (PEP 562).

A package lists its names twice: for type checkers, and for the interpreter.

```python
if TYPE_CHECKING:
    from .models import Item
else:
    __getattr__, __dir__ = lazy_names(__name__, {"models": ("Item",)})
```
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """
    `__getattr__` and `__dir__` of *package*, for the branch that no type checker reads.

    Args:
        modules: Each module of the package, with the names that are read from
            it. Every other name may be that of a submodule.
    """
    homes = {name: module for module, names in modules.items() for name in names}
    namespace = vars(sys.modules[package])

    def read(name: str) -> Any:
        path = f"{package}.{homes.get(name, name)}"

        try:
            found = import_module(path)
        except ModuleNotFoundError as exc:
            if exc.name != path:
                raise
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg) from None

        namespace[name] = getattr(found, name) if name in homes else found
        return namespace[name]

    return read, lambda: sorted({*namespace, *homes})
