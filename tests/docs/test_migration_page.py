"""
The page about the migration from files: its commands write what it shows.
"""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.cli import main


PAGE = (Path(__file__).parents[2] / "docs/how-to/migrate-from-naxml.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """
    A store's computer, with the file and the back office of the page.
    """
    (tmp_path / "ITT.xml").write_text(dict(BLOCKS)["xml"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCATION_ID", "loc-001")
    monkeypatch.setenv("CONEXXUS_TIMEZONE", "America/New_York")

    with SandboxServer(BackOffice(json.loads(dict(BLOCKS)["json"]))) as server:
        for variable, text in server.env.items():
            monkeypatch.setenv(variable, text)
        yield


@pytest.mark.usefixtures("store")
def test_commands(capsys):
    """
    One after the other, each writes exactly what is shown.
    """
    shown = 0

    for (kind, text), (what, output) in pairwise([*BLOCKS, ("", "")]):
        if kind == "sh":
            code = main(shlex.split(text)[1:])
            written = capsys.readouterr().out
            assert code == 0 or what == "text"
            if what == "text":
                assert written == output
                shown += 1

    assert shown == 3
