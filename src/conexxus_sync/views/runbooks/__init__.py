"""
What to do about each alert, for whoever is called when it holds.

One text for the page, for the documentation and for whatever else shows it.
"""

from ._catalogue import CATALOGUE
from ._runbook import Runbook, Step
from ._sales import SALES
from ._service import WHOLE


# The alert that only a watcher from outside can have: nothing answers here.
DOWN = "ConexxusDown"

RUNBOOKS: dict[str, Runbook] = {**WHOLE, **CATALOGUE, **SALES}


def runbook_for(name: str) -> Runbook | None:
    """
    What to do about the alert of this name; None if there is no such alert.
    """
    return RUNBOOKS.get(name)


__all__ = ["DOWN", "RUNBOOKS", "Runbook", "Step", "runbook_for"]
