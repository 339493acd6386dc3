"""
Runbooks: what to do about each alert, one Markdown file each.

The documentation has the files as they are; the page shows their parts.
"""

import re
from importlib.resources import files

import attrs

from conexxus_sync.model.alerts import AlertName


# The alert that only a watcher from outside can have: nothing answers here.
DOWN = "ConexxusDown"

_SECTIONS = re.compile(
    r"# (?P<title>.+)\n\nAlert .+\n\n(?P<meaning>.+)\n\n"
    r"## What it usually is\n\n(?P<causes>.+)\n\n"
    r"## What to do\n\n(?P<steps>.+)\n\nReplace the words in capitals\.\n\n"
    r"## When it ends\n\n(?P<clears>.+)\n",
    re.DOTALL,
)
_STEP = re.compile(r"^\d+\. (?P<text>.+)(?:\n\n    ```sh\n    (?P<command>.+)\n)?", re.M)


@attrs.frozen
class Step:
    """
    One thing to do.

    Attributes:
        text: In words; `backticks` mark what is typed or printed.
        command: To copy, if there is one.  Replace the words in
            capitals.
    """

    text: str
    command: str = ""


@attrs.frozen(kw_only=True)
class Runbook:
    """
    What an alert means, and what to do about it.

    Attributes:
        title: The alert in a few words.
        meaning: What is wrong, and what it does to the shop.
        causes: What it usually is, most likely first.
        steps: What to do, in order.
        clears: When the alert ends.
    """

    title: str
    meaning: str
    causes: tuple[str, ...]
    steps: tuple[Step, ...]
    clears: str


def runbook_for(name: str) -> Runbook | None:
    """
    What to do about the alert of this name; None if there is no such alert.
    """
    return RUNBOOKS.get(name)


def _read(name: str) -> Runbook:
    text = (files(__name__) / f"{name}.md").read_text("utf-8")
    parts = _SECTIONS.fullmatch(text)
    if parts is None:
        msg = f"the runbook {name}.md does not have the sections of a runbook"
        raise ValueError(msg)

    return Runbook(
        title=parts["title"],
        meaning=parts["meaning"].replace("\n", " "),
        causes=tuple(line.removeprefix("- ") for line in parts["causes"].split("\n")),
        steps=tuple(Step(*step.groups(default="")) for step in _STEP.finditer(parts["steps"])),
        clears=parts["clears"],
    )


RUNBOOKS: dict[str, Runbook] = {name: _read(name) for name in (*AlertName, DOWN)}
