"""
A shell completes commands and options.
"""

import re
import shutil
import subprocess
from functools import cache, partial

import pytest
from cyclopts import App
from cyclopts.completion import fish, zsh

from conexxus_client.settings import SETTINGS
from conexxus_sync.cli._command_table import COMMANDS
from conexxus_sync.cli._cyclopts_parser import app


# As bash calls it, at a tab after the last word; each answer on a line.
TAB = r"""
source "$1"
shift
[[ $(complete -p conexxus) =~ -F\ ([^ ]+) ]]
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=$((${#COMP_LINE}))
"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module", autouse=True)
def read_once():
    """
    What many options say is read once, and each script is written once.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (fish, zsh):
            patch.setattr(module, "strip_markup", cache(module.strip_markup))
        written = cache(partial(App.generate_completion, app))
        patch.setattr(App, "generate_completion", lambda _, shell: written(shell=shell))
        yield


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """
    What the command writes for bash.
    """
    if shutil.which("bash") is None:
        pytest.skip("needs bash")

    path = tmp_path_factory.mktemp("bash") / "conexxus"
    path.write_text(app.generate_completion(shell="bash"))
    return path


@pytest.fixture
def tab(script):
    """
    What bash offers behind words.
    """

    def complete(*words):
        command = ["bash", "-c", TAB, "bash", str(script), "conexxus", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        return {*done.stdout.split()}

    return complete


def test_commands(tab):
    """
    Each command is offered, and those of a group behind it.
    """
    assert tab("") == {name.partition(" ")[0] for name in COMMANDS}
    assert tab("outbox", "re") == {"resend", "resolve"}
    for group in ("config", "store", "quarantine"):
        below = {name.partition(" ")[2] for name in COMMANDS if name.startswith(f"{group} ")}
        assert tab(group, "") == below


def test_options(tab):
    """
    Options are those of the command, of its settings and of every command,
    also behind others; no secret is one.
    """
    offered = tab("pull", "--store", "sqlite:///x.db", "--plan", "--")
    secrets = {it.option for it in SETTINGS if it.is_secret}

    assert {"--accept", "--guards-gone", "--json", "--location"} <= offered
    assert "--delivered" not in offered
    assert tab("pull", "--accept-ch") == set()
    assert tab("push", "--date", "2026-01-02", "--accept-ch") == {"--accept-changes"}
    assert offered & secrets == set()


@pytest.mark.parametrize(
    ("shell_name", "start"),
    [
        ("bash", r"_conexxus\(\)"),
        ("zsh", r"#compdef conexxus"),
        ("fish", r"complete -c conexxus .*outbox"),
    ],
)
def test_script(cli, shell_name, start):
    """
    The command writes the script of each shell, and nothing else.
    """
    code, out, err = cli("completion", shell_name)

    assert (code, err) == (0, "")
    assert re.search(start, out)


def test_other_shell(cli):
    """
    Another shell is wrong use, and those that there are are named.
    """
    code, _, err = cli("completion", "tcsh")

    assert code == 2
    assert all(name in err for name in ("bash", "zsh", "fish"))
