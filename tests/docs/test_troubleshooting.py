"""
Each message has an entry that says what to do, and what a message says works.
"""

import os
import re

import pytest
from messages import PAGE, ROOT, commands, settings

import conexxus_sync.errors
import conexxus_sync.fleet._work_item
import conexxus_sync.model.sales
import conexxus_sync.sources.naxml
from conexxus_client import ConexxusError
from conexxus_sync.cli._arguments import UsageError, plain_invocation
from conexxus_sync.cli._check_result import failure
from conexxus_sync.cli._cyclopts_parser import invocation
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.views.runbooks import RUNBOOKS


ENTRY = re.compile(r"^### ([^\n]+)\n\n(.*?)(?=^##)", re.M | re.S)


def errors(base=ConexxusError):
    """
    Every error that users may meet.
    """
    for cls in base.__subclasses__():
        if cls.__module__.startswith("conexxus_"):
            yield cls
            yield from errors(cls)


def checks():
    """
    The names of doctor's checks.
    """
    source = "".join(path.read_text() for path in (ROOT / "src/conexxus_sync/cli").glob("*.py"))
    calls = re.findall(
        r'\b(?:check=|failure\(\s*|misconfigured\(\s*|_host_object\(\s*)"([^"]+)"', source
    )
    return set(calls)


def test_entries():
    """
    Each error and each check has an entry, and each entry is of one.
    """
    entries = [name.strip("`") for name, _ in ENTRY.findall(PAGE.read_text())]

    wanted = {cls.__name__ for cls in errors()} | {f"doctor: {name}" for name in checks()}
    assert set(entries) == wanted
    assert len(entries) == len(set(entries))


def test_anchors():
    """
    An error, and a check that found something, name the heading's anchor.
    """
    anchors = {
        re.sub(r"[^a-z0-9-]", "", name.lower().replace(" ", "-"))
        for name, _ in ENTRY.findall(PAGE.read_text())
    }
    named = {cls.help.fget(cls.__new__(cls)) for cls in errors()}
    named |= {failure(name, "").help for name in checks()}

    assert {"how-to/troubleshoot.md#" + anchor for anchor in anchors} == named


def test_error_of_a_host():
    """
    A class of one's own has the entry of its base.
    """

    class ShopError(conexxus_sync.HostError):
        """
        A host's.
        """

    assert ShopError("closed").help == "how-to/troubleshoot.md#hosterror"


def test_parts_of_entries():
    """
    An entry says what the message means, how to check it, and how to mend it.
    """
    for name, body in ENTRY.findall(PAGE.read_text()):
        parts = re.findall(r"^- \*\*(\w+):\*\* \S", body, re.M)
        assert parts == ["Means", "Check", "Mend"], name


def test_alerts():
    """
    Each alert has a row with its runbook; with CONEXXUS_WRITE_DOCS=1 they are
    written anew.
    """
    before, head, _ = PAGE.read_text().partition("| Alert | Meaning and steps |\n|---|---|\n")
    rows = [f"| `{it}` | [{RUNBOOKS[it].title}](../runbooks/{it}.md) |\n" for it in AlertName]
    wanted = before + head + "".join(rows)

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(wanted)

    assert PAGE.read_text() == wanted


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_commands(command):
    """
    The command line takes each command that a message, a runbook or the page
    has.
    """
    words = re.findall(r"'[^']*'|\"[^\"]*\"|\S+", command.replace("DATE", "2026-01-02"))

    if words[0] in ("--version", "--help") or "…" in words:
        return
    try:
        assert plain_invocation(words) or invocation(words) or len(words) == 1
    except UsageError as exc:
        pytest.fail(f"conexxus {command}: {exc}")


def test_settings():
    """
    Each setting that a message, a runbook or the page names is read.
    """
    table = (ROOT / "docs/reference/configuration.md").read_text()
    read = set(re.findall(r"CONEXXUS_[A-Z_]+[A-Z]", table))

    assert {*settings()} - read == set()
