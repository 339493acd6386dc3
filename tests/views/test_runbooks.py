"""
Every alert has a runbook, and what it tells to type exists.
"""

import os
import re
import shlex
from pathlib import Path

import pytest

from conexxus_sync.cli._command_line import app
from conexxus_sync.model.alerts import SEVERITIES, AlertName
from conexxus_sync.views.runbooks import DOWN, RUNBOOKS, Runbook, runbook_for


ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/runbooks"
COMMANDS = [
    (name, step.command)
    for name, runbook in RUNBOOKS.items()
    for step in runbook.steps
    if step.command.startswith("conexxus ")
]


def test_every_alert_has_a_runbook():
    """
    There is one for each alert, and one for when nothing answers.
    """
    assert set(RUNBOOKS) == {*AlertName, DOWN}
    assert runbook_for("ConexxusNoSuchAlert") is None


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_commands_exist(name, command):
    """
    Each command of ours, with its options, is one that the command line takes.
    """
    tokens = shlex.split(command)[1:]
    tokens = [token for token in tokens if token != "--json"]

    app.parse_args(tokens, exit_on_error=False, print_error=False)


def test_words_in_backticks_are_ours():
    """
    What a text names in passing as a command is one, too.
    """
    texts = [
        text
        for runbook in RUNBOOKS.values()
        for text in (runbook.meaning, *runbook.causes, *(step.text for step in runbook.steps))
    ]
    named = {word for text in texts for word in re.findall(r"`conexxus ([a-z]+)", text)}

    assert named <= set(app)


@pytest.mark.parametrize("name", RUNBOOKS)
def test_page_is_the_code(name):
    """
    The page in the documentation is written from the runbook; with
    CONEXXUS_WRITE_DOCS=1 it is written anew.
    """
    page = PAGES / f"{name}.md"

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        page.write_text(page_of(name, RUNBOOKS[name]))

    assert page.read_text() == page_of(name, RUNBOOKS[name])


def test_no_other_pages():
    """
    No page speaks of an alert that is gone, and each is in the navigation.
    """
    assert {page.stem for page in PAGES.glob("*.md")} == set(RUNBOOKS)

    navigation = (ROOT / "mkdocs.yml").read_text()
    assert [name for name in RUNBOOKS if f"runbooks/{name}.md" not in navigation] == []


def page_of(name: str, runbook: Runbook) -> str:
    """
    A runbook in Markdown.
    """
    severity = SEVERITIES[AlertName(name)] if name in set(AlertName) else "critical"
    lines = [f"# {runbook.title}", "", f"Alert `{name}`, severity {severity}.", ""]
    lines += [runbook.meaning.replace(". ", ".\n"), "", "## What it usually is", ""]
    lines += [f"- {cause}" for cause in runbook.causes]
    lines += ["", "## What to do", ""]

    for number, step in enumerate(runbook.steps, 1):
        lines += [f"{number}. {step.text}", ""]
        if step.command:
            lines += [f"    ```console\n    $ {step.command}\n    ```", ""]

    lines += ["Words in capitals are to be replaced.", "", "## When it ends", "", runbook.clears]

    return "\n".join(lines) + "\n"
