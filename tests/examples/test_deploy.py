"""
The units to deploy start what there is.
"""

import configparser
import shlex
from pathlib import Path

import pytest

from conexxus_sync.cli import main


DEPLOY = Path(__file__).parents[2] / "examples/deploy"


def unit(name):
    parser = configparser.ConfigParser(interpolation=None, strict=True)
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
