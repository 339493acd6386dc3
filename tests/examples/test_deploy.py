"""
The units to deploy start what there is.
"""

import configparser
import getpass
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conexxus_sync.cli import main


DEPLOY = Path(__file__).parents[2] / "examples/deploy"


def unit(name):
    # Some keys of systemd are given twice.
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    assert parser.read(DEPLOY / name)
    return parser


@pytest.mark.parametrize("name", ["conexxus.service", "conexxus-once.service"])
def test_commands_exist(name, capsys):
    """
    Each option of a unit's command is one that the command knows.
    """
    command, *options = shlex.split(unit(name)["Service"]["ExecStart"])[1:]

    assert main([command, "--help"]) == 0
    help_text = capsys.readouterr().out
    assert {
        option for option in options if option.startswith("--") and option not in help_text
    } == set()


def test_timer_starts_the_service():
    """
    The timer has a service of its own name, and makes up for missed times.
    """
    timer = unit("conexxus-once.timer")["Timer"]

    assert (DEPLOY / "conexxus-once.service").exists()
    assert timer["Persistent"] == "true"


def test_command_with_the_settings_of_the_service(tmp_path):
    """
    The wrapper for people works with the settings, and in the folder, of the
    service, whoever calls it from where.
    """
    settings, folder = tmp_path / "conexxus.env", tmp_path / "var"
    folder.mkdir()
    settings.write_text(
        "CONEXXUS_API_URL=http://127.0.0.1:9\nCONEXXUS_API_KEY=k\n"
        "CONEXXUS_TIMEZONE=Europe/Berlin\nLOCATION_ID='shop 7'\n"
    )
    there = {
        "user=shop": f"user={getpass.getuser()}",
        "/etc/conexxus.env": str(settings),
        "/var/lib/conexxus": str(folder),
        "/opt/conexxus/bin/conexxus": f"{Path(sys.executable).parent}/conexxus",
    }
    script = (DEPLOY / "conexxus").read_text()
    for place, instead in there.items():
        assert script.count(place) == 1
        script = script.replace(place, instead)

    told = subprocess.run(
        ["/bin/sh", "-c", script, "conexxus", "--json", "status"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert json.loads(told.stdout)["locationId"] == "shop 7", told.stderr
    assert str(folder / "conexxus.db") in told.stderr


def test_wrapper_of_the_docs_is_the_example():
    """
    What the page shows is what the folder has.
    """
    page = Path(__file__).parents[2] / "docs/how-to/run-unattended.md"

    assert (DEPLOY / "conexxus").read_text() in page.read_text()
    assert (DEPLOY / "conexxus.service").read_text() in page.read_text()


@pytest.mark.parametrize("name", ["conexxus.service", "conexxus-once.service"])
def test_units_are_closed(name):
    """
    A unit may do little more than the SDK needs, as systemd itself rates it.
    """
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("there is no systemd-analyze here")

    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", DEPLOY / name],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert name in done.stdout
