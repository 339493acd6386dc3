"""
Facts about the settings of the engines: where the store is, and in which zone.
"""

import os
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest

from conexxus_client import ConfigurationError
from conexxus_client.settings import _setting_values
from conexxus_sync.config import SyncConfig, system_zone
from conexxus_sync.stores import open_store


@pytest.mark.case(
    "D5",
    "`CONEXXUS_STORE` names a database in memory",
    "it is refused: each connection would have another",
)
@pytest.mark.parametrize(
    "url", ["sqlite:///:memory:", "sqlite:///file::memory:", "sqlite:///file:a?mode=memory"]
)
def test_store_in_memory(url):
    with pytest.raises(ConfigurationError, match="CONEXXUS_STORE must name a file"):
        SyncConfig.from_env({"CONEXXUS_STORE": url})


def test_opening_a_store_in_memory():
    with pytest.raises(ConfigurationError):
        open_store("sqlite:///:memory:")


@pytest.mark.case(
    "D5",
    "`TZ` or `/etc/localtime` names the zone as a file, whatever folder the database is in",
    "the zone is found",
)
@pytest.mark.parametrize(
    "name",
    [
        "America/New_York",
        ":America/New_York",
        "/usr/share/zoneinfo/America/New_York",
        ":/usr/share/zoneinfo/America/New_York",
        "/usr/share/zoneinfo/posix/America/New_York",
        "/var/db/timezone/zoneinfo/America/New_York",
    ],
)
def test_zone_of_the_system(monkeypatch, name):
    monkeypatch.setenv("TZ", name)

    assert system_zone().key == "America/New_York"


@pytest.mark.parametrize("name", ["EST5EDT,M3.2.0,M11.1.0", "/etc/shells", "UTC", "/a/zoneinfo/"])
def test_zone_without_a_name(monkeypatch, name):
    monkeypatch.setenv("TZ", name)

    assert system_zone() is None


@pytest.mark.parametrize("text", ["America/Denver\n", "nonsense", ""])
def test_copied_localtime(monkeypatch, text):
    """
    Where `/etc/localtime` is no link, `/etc/timezone` says what it is a copy of.
    """
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    monkeypatch.setattr(Path, "read_text", lambda *_: text)

    found = system_zone()

    assert (found and found.key) == ("America/Denver" if text.startswith("A") else None)


@pytest.mark.case(
    "D5",
    "there is no time zone database",
    "a zone is refused with what to install, and `--help` and commands without a zone work",
)
def test_no_zone_database(monkeypatch):
    def missing(name):
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(_setting_values, "ZoneInfo", missing)
    monkeypatch.setattr(_setting_values, "available_timezones", set)

    with pytest.raises(ConfigurationError, match=r"no time zone database.*pip install tzdata"):
        SyncConfig.from_env({"CONEXXUS_TIMEZONE": "America/New_York"})
    assert SyncConfig.from_env({}).timezone is None


HELP = """
import sys
sys.modules["tzdata"] = None
from conexxus_sync.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["--help", "demo --help", "status"])
def test_commands_without_a_zone_database(tmp_path, command):
    env = {"PATH": os.environ["PATH"], "PYTHONTZPATH": ""}
    program = [sys.executable, "-c", HELP, *command.split()]
    ended = subprocess.run(
        program, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60
    )

    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
