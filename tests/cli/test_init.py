"""
`conexxus init` writes a settings file and a service that run.
"""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conexxus_client import ApiProfile, ClientConfig
from conexxus_client.settings import SETTINGS, Settings
from conexxus_sync import SyncConfig


REQUIRED = {"CONEXXUS_API_URL": "https://office.example", "CONEXXUS_API_KEY": "a-key"}


@pytest.fixture
def made(cli, shell):
    """
    The folder in which it wrote, and what it printed.
    """
    code, out, _ = cli("init", "my shop")
    assert code == 0
    return shell.folder / "my shop", out


def commands(text):
    """
    The lines that stand alone to be copied.
    """
    return [line for line in text.splitlines() if re.match(r"(cd|export|conexxus|python) \S", line)]


def in_a_shell(bare_shell, lines):
    """
    Lines as an operator pastes them, until one fails.
    """
    environ = {**bare_shell.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        cwd=bare_shell.folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def fill_in(file, answers):
    text = file.read_text()
    for key, answer in answers.items():
        text = text.replace(f'{key} = ""\n', f'{key} = "{answer}"\n', 1)
    file.write_text(text)


def test_printed_steps(bare_shell, server, office):
    """
    In a fresh folder, with the four settings that the text names filled in, the
    printed commands pull the catalogue and push a sale; the service runs.
    """
    said = bare_shell.run("init", "my shop").stdout
    fill_in(
        bare_shell.folder / "my shop/conexxus.toml",
        {
            "api.url": server.url,
            "api.key": server.api_key,
            "timezone": "America/New_York",
            "location": "loc-7",
        },
    )
    *steps, service = commands(said)

    tried = in_a_shell(bare_shell, steps)
    assert tried.returncode == 0, tried.stderr
    assert "30 new" in tried.stdout
    (push,) = commands(tried.stdout)
    pushed = in_a_shell(bare_shell, [*steps[:2], push, f"{service} --once"])

    assert pushed.returncode == 0, pushed.stderr
    (entry,) = office.ledger.transactions()
    assert entry.times == 1
    assert "Conexxus inventory sync" in tried.stderr


def test_service_stops(bare_shell, server):
    """
    The service follows its schedule until SIGTERM, and ends with 0.
    """
    bare_shell.run("init", ".")
    bare_shell.environ.update(server.env, CONEXXUS_TIMEZONE="America/New_York")
    command = [sys.executable, "conexxus_shop.py"]

    with subprocess.Popen(
        command, cwd=bare_shell.folder, env=bare_shell.environ, stderr=subprocess.PIPE, text=True
    ) as service:
        try:
            first = service.stderr.readline()
            service.terminate()
            service.communicate(timeout=20)
        finally:
            service.kill()  # one that hangs; the others have ended

    assert "Conexxus" in first
    assert service.returncode == 0


def test_every_setting(made, shell):
    """
    The file has every setting once, those that a shop has to say first; with all
    lines counted, what has a default has that default.
    """
    folder, _ = made
    text = (folder / "conexxus.toml").read_text()
    lines = re.findall(r"(?m)^(#?)([\w.]+) = ", text)
    (folder / "conexxus.toml").write_text(re.sub(r"(?m)^#(?=[\w.]+ = )", "", text))
    given = {"CONEXXUS_CONFIG": str(folder / "conexxus.toml")}
    filled = {"CONEXXUS_STORE": "sqlite:///x", "CONEXXUS_ORDERS": "x", "CONEXXUS_CATALOG": "x"}

    assert [key for _, key in lines[:4]] == ["api.url", "api.key", "timezone", "location"]
    assert sorted(key for _, key in lines) == sorted(it.key for it in SETTINGS)
    assert {key for off, key in lines if not off} == {
        *("api.url", "api.key", "timezone", "location", "store", "catalog", "orders")
    }
    for owner in (ClientConfig, ApiProfile, SyncConfig):
        assert owner.from_env({**REQUIRED, **filled, **given}) == owner.from_env(
            {**REQUIRED, **filled}
        )


def test_meanings(made):
    """
    Before each line stand the meaning of the setting and its variable.
    """
    text = (made[0] / "conexxus.toml").read_text()

    for setting in SETTINGS:
        comment = re.search(rf"((?:^# .*\n)+)#?{re.escape(setting.key)} = ", text, re.M)[1]
        said = " ".join(comment.replace("# ", "").split())
        meaning = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", setting.meaning)
        assert said[1:] == f"{meaning} ({setting.variable})."[1:]


def test_paths(made):
    """
    The store is named by its absolute path, and the settings are their owner's alone.
    """
    folder, out = made
    document = tomllib.loads((folder / "conexxus.toml").read_text())

    assert document["store"] == f"sqlite:///{folder}/conexxus.db"
    assert stat.S_IMODE((folder / "conexxus.toml").stat().st_mode) == 0o600
    assert f"cd '{folder}'" in out
    assert Settings.of({"CONEXXUS_CONFIG": str(folder / "conexxus.toml")})


@pytest.mark.parametrize("name", ["conexxus.toml", "conexxus_shop.py"])
def test_never_overwrites(cli, shell, name):
    """
    A file that is there stays, the other is not written, and the command exits with 2.
    """
    (shell.folder / name).write_text("mine")

    code, _, err = cli("init")

    assert code == 2
    assert f"{shell.folder / name} exists, and is not overwritten" in err
    assert (shell.folder / name).read_text() == "mine"
    assert len(list(shell.folder.glob("conexxus[._][ts]*"))) == 1


def test_folder_that_is_a_file(cli, shell):
    """
    What can't be written is named, with exit code 2.
    """
    (shell.folder / "taken").write_text("")

    code, _, err = cli("init", "taken")

    assert code == 2
    assert f"{shell.folder / 'taken'}" in err
