"""
Import paths and names of before, kept for hosts that use them.

Each works as it did, with a `DeprecationWarning` that names the new one.
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast


if TYPE_CHECKING:
    from importlib.abc import Loader


# The old path of a public module, and the new one.  These are imported when a
# host asks for an old path, and never by the SDK itself.
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

# Names that changed as well, by the old path of their module.
NAMES = {
    "conexxus_sync.mirror": {
        "Figures": "CatalogueDiff",
        "Quarantined": "QuarantinedItem",
        "SetAside": "RejectedElement",
    },
    "conexxus_sync.notices": {
        "NoticeWatch": "NoticeMonitor",
        "StandingAlert": "ActiveAlert",
        "ToldNight": "SentReport",
        "notice_now": "notify_once",
        "noticing": "notify_in_background",
        "trial": "trial_notice",
    },
    "conexxus_sync.outbox": {
        "DateSums": "DateTotals",
        "Delivered": "DeliveredTransaction",
        "Found": "FoundDiscrepancy",
        "Handing": "BatchMembership",
        "Story": "TransactionHistory",
        "Visit": "DateVisit",
    },
}


class MovedModules:
    """
    Finds modules under their old paths, as modules that read from the new ones.

    A finder and a loader by their methods: to import their base classes takes
    longer than the rest of this package's start.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """
        Only for the old paths; every other module is found by somebody else.
        """
        return ModuleSpec(fullname, cast("Loader", self)) if fullname in MODULES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """
        An ordinary module.
        """
        return None

    def exec_module(self, module: ModuleType) -> None:
        """
        Let *module* read from where its content is now.

        Raises:
            ImportError: The new module needs an extra that is not installed.
        """
        old, new = module.__name__, MODULES[module.__name__]
        target, renamed_here = import_module(new), NAMES.get(old, {})
        public = getattr(target, "__all__", [name for name in dir(target) if name[0] != "_"])

        def read(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)

            current = renamed_here.get(name, name)
            found = getattr(target, current)
            _warn(f"{old}.{name}", f"{new}.{current}")

            return found

        vars(module).update(__getattr__=read, __all__=[*public, *renamed_here])


def register() -> None:
    """
    Make the old paths importable.
    """
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())


def renamed(namespace: Mapping[str, Any], name: str, names: Mapping[str, str]) -> Any:
    """
    What a module's `__getattr__` finds under a name that has changed.

    Args:
        namespace: The module's `globals()`.
        names: The old names, each with the new one in the same module.

    Raises:
        AttributeError: The module never had that name.
    """
    module = namespace["__name__"]

    if name not in names:
        msg = f"module {module!r} has no attribute {name!r}"
        raise AttributeError(msg)

    _warn(f"{module}.{name}", f"{module}.{names[name]}", above=2)

    return getattr(sys.modules[module], names[name])


def _warn(old: str, new: str, *, above: int = 1) -> None:
    # The warning is about the host's line, above the `__getattr__`.
    warnings.warn(f"{old} has moved: use {new}", DeprecationWarning, stacklevel=above + 2)
