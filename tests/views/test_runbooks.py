"""
Every alert has a runbook, and what it tells to type exists.
"""

import re
import shlex
from pathlib import Path

import pytest

from conexxus_sync.cli._cyclopts_parser import app
from conexxus_sync.model.alerts import SEVERITIES, AlertName
from conexxus_sync.views import runbooks
from conexxus_sync.views.runbooks import DOWN, RUNBOOKS, runbook_for


ROOT = Path(__file__).parents[2]
FILES = ROOT / "src/conexxus_sync/views/runbooks"
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
    tokens = [token for token in tokens if token not in ("--json", "--create-store")]

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


@pytest.mark.parametrize(("name", "runbook"), RUNBOOKS.items())
def test_all_sections_are_filled(name, runbook):
    """
    Each has causes, steps and an end; commands stay out of what is prose.
    """
    assert all([runbook.title, runbook.meaning, *runbook.causes, runbook.clears])
    assert all(step.text for step in runbook.steps)
    assert len(runbook.steps) == len(re.findall(r"(?m)^\d+\. ", page_of(name)))
    assert sum(bool(step.command) for step in runbook.steps) == page_of(name).count("    ```sh\n")


@pytest.mark.parametrize("name", RUNBOOKS)
def test_severity_is_that_of_the_alert(name):
    """
    A file names its own alert, and how grave it is; `ConexxusDown` is critical.
    """
    severity = SEVERITIES[AlertName(name)] if name in set(AlertName) else "critical"

    assert f"\nAlert `{name}`, severity {severity}.\n" in page_of(name)


def test_no_other_files():
    """
    No file is about an alert that is gone, and each is in the navigation.
    """
    assert {file.stem for file in FILES.glob("*.md")} == set(RUNBOOKS)

    navigation = (ROOT / "mkdocs.yml").read_text()
    assert [name for name in RUNBOOKS if f"runbooks/{name}.md" not in navigation] == []


def test_file_without_its_sections(tmp_path, monkeypatch):
    """
    A file that is no runbook is refused by its name.
    """
    (tmp_path / "X.md").write_text("# Half of one\n")
    monkeypatch.setattr(runbooks, "files", lambda package: tmp_path)

    with pytest.raises(ValueError, match=r"X\.md does not have the sections"):
        runbooks._read("X")


def page_of(name: str) -> str:
    return (FILES / f"{name}.md").read_text()
