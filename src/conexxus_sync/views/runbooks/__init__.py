"""
Runbooks: what to do about each alert.

One text for the page, for the documentation and for whatever else shows it.
"""

from ._catalogue_runbooks import CATALOGUE
from ._runbook import Runbook, Step
from ._sales_runbooks import SALES
from ._service_runbooks import WHOLE


# The alert that only a watcher from outside can have: nothing answers here.
DOWN = "ConexxusDown"

RUNBOOKS: dict[str, Runbook] = {**WHOLE, **CATALOGUE, **SALES}


def runbook_for(name: str) -> Runbook | None:
    """
    What to do about the alert of this name; None if there is no such alert.
    """
    return RUNBOOKS.get(name)


__all__ = ["DOWN", "RUNBOOKS", "Runbook", "Step", "runbook_for"]
