"""
Facts about options of commands that stand for a setting.
"""

import pytest


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--once", "--sync-every", "5"], "--sync-every must be an interval like 30m or 1h"),
        (["run", "--once", "--sync-every", "30s"], "--sync-every must be from 1m to 7d"),
        (["run", "--once", "--removals", "delete"], "--removals must be keep or deactivate"),
        (["pull", "--removals", "delete"], "--removals must be keep or deactivate"),
    ],
)
def test_wrong_values(cli, arguments, named):
    """
    They exit with 2, and the message names the option.
    """
    code, _, err = cli(*arguments)

    assert code == 2
    assert named in err


@pytest.mark.parametrize(
    ("variable", "text"), [("CONEXXUS_SYNC_EVERY", "hourly"), ("CONEXXUS_REMOVALS", "drop")]
)
def test_wrong_variables(cli, monkeypatch, variable, text):
    """
    So does the variable, by its name; the option goes before it.
    """
    monkeypatch.setenv(variable, text)

    code, _, err = cli("run", "--once")

    assert code == 2
    assert f"{variable} must be" in err
    assert cli("run", "--once", "--sync-every", "30m", "--removals", "deactivate")[0] == 0


def test_interval_of_a_command(cli, office, monkeypatch):
    """
    `run --once` from cron keeps to the option's interval, and the option goes
    before the variable.
    """
    monkeypatch.setenv("CONEXXUS_SYNC_EVERY", "1m")

    for _ in range(2):
        assert cli("run", "--once", "--sync-every", "7d")[0] == 0

    assert office.requests["catalog"] == 1
