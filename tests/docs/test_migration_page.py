"""
The page about the migration from files: its commands write what it shows.
"""

import json
import os
import re
import shlex
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.cli import main
from conexxus_sync.model.shadow import ShadowLook
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores.sqlite import SqliteStore


PAGE = (Path(__file__).parents[2] / "docs/how-to/migrate-from-naxml.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)


FOLDER, MOMENT = "/srv/inbox", re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


@pytest.fixture
def inbox(tmp_path):
    """
    The folder of the page, with its file, which was written a while ago.
    """
    folder = tmp_path / "inbox"
    folder.mkdir()
    file = folder / "ITT.xml"
    file.write_text(dict(BLOCKS)["xml"])
    os.utime(file, (1_000_000_000, 1_000_000_000))

    return folder


@pytest.fixture
def store(tmp_path, inbox, monkeypatch):
    """
    A store's computer, with the file and the back office of the page.
    """
    (tmp_path / "sales.ndjson").write_text("")
    (tmp_path / "ITT.xml").write_text((inbox / "ITT.xml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCATION_ID", "loc-001")
    monkeypatch.setenv("CONEXXUS_TIMEZONE", "America/New_York")

    with SandboxServer(BackOffice(json.loads(dict(BLOCKS)["json"]))) as server:
        for variable, text in server.env.items():
            monkeypatch.setenv(variable, text)
        yield


def typed(text, inbox):
    """
    The commands with the reader's own folder, order source and date.
    """
    text = text.replace(FOLDER, str(inbox))

    return text.replace("ORDERS", "sales.ndjson").replace("DATE", "2026-01-02")


def a_week_later():
    """
    Comparisons of eight days, two a day, in which nothing differed.
    """
    now = SystemClock().now()

    with SqliteStore("conexxus.db").at("loc-001").write() as state:
        state.session.execute("DELETE FROM shadow_looks", ())
        for hours in range(187, 0, -12):
            state.shadow_looks.record(ShadowLook(at=now - timedelta(hours=hours)))


@pytest.mark.usefixtures("store")
def test_commands(capsys, inbox):
    """
    One after the other, each writes what is shown, but for moments.
    """
    shown, seen = 0, set()

    for (kind, text), (what, output) in pairwise([*BLOCKS, ("", "")]):
        if kind != "sh":
            continue
        if text in seen:
            a_week_later()
        seen.add(text)
        for line in typed(text, inbox).splitlines():
            code = main(shlex.split(line)[1:])
            written = capsys.readouterr().out
            assert code == 0 or what == "text"
        if what == "text":
            assert MOMENT.sub("MOMENT", written) == MOMENT.sub("MOMENT", output)
            shown += 1

    assert shown == 5
