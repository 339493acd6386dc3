"""
Import paths and names of before, kept for hosts that use them.

Each works as it did, with a `DeprecationWarning` that names the new one.
"""

import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


# The old path of a public module, and the new one.
MODULES = {
    "conexxus_sync.alerts": "conexxus_sync.model.alerts",
    "conexxus_sync.calendar": "conexxus_sync.model.calendar",
    "conexxus_sync.collectors.otel": "conexxus_sync.metrics.otel",
    "conexxus_sync.collectors.prometheus": "conexxus_sync.metrics.prometheus",
    "conexxus_sync.guards": "conexxus_sync.model.guards",
    "conexxus_sync.leases": "conexxus_sync.model.leases",
    "conexxus_sync.mirror": "conexxus_sync.model.catalogue",
    "conexxus_sync.notices": "conexxus_sync.notifications",
    "conexxus_sync.orders": "conexxus_sync.sources.ndjson",
    "conexxus_sync.outbox": "conexxus_sync.model.sales",
    "conexxus_sync.runbooks": "conexxus_sync.views.runbooks",
    "conexxus_sync.runs": "conexxus_sync.model.runs",
}


class MovedModule(ModuleType):
    """
    Stands where a module was, and reads from where it is.
    """

    def __getattr__(self, name: str) -> Any:
        # The import system asks every module for names like `__path__`.
        if name.startswith("__"):
            raise AttributeError(name)

        target = MODULES[self.__name__]
        found = getattr(import_module(target), name)
        _warn(f"{self.__name__}.{name}", f"{target}.{name}")

        return found


def register() -> None:
    """
    Make the old paths importable.

    The import system looks into `sys.modules` once it has imported the
    parent: `import conexxus_sync.outbox` finds what is put there.
    """
    for path in MODULES:
        parent, _, name = path.rpartition(".")
        module = sys.modules.setdefault(path, MovedModule(path))
        setattr(sys.modules[parent], name, module)


def renamed(module: str, name: str, names: Mapping[str, str]) -> Any:
    """
    What a module's `__getattr__` finds under a name that has changed.

    Args:
        module: Its `__name__`.
        names: The old names, each with the new one in the same module.

    Raises:
        AttributeError: The module never had that name.
    """
    if name not in names:
        msg = f"module {module!r} has no attribute {name!r}"
        raise AttributeError(msg)

    _warn(f"{module}.{name}", f"{module}.{names[name]}", above=2)

    return getattr(import_module(module), names[name])


def _warn(old: str, new: str, *, above: int = 1) -> None:
    # The warning is about the host's line, above the `__getattr__`.
    warnings.warn(f"{old} has moved: use {new}", DeprecationWarning, stacklevel=above + 2)
