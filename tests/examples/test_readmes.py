"""
The examples for hosts: each README runs as it is written, with the wheel, in an
environment that has what the README installs.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

import wheels
from conexxus_client.testing import BackOffice, SandboxServer


EXAMPLES = Path(__file__).parents[2] / "examples"
HOSTS = ["django_shop", "fastapi_store", "flask_till", "sqlalchemy_async"]
# A back office is there, and these two need a person.
SKIPPED = re.compile("conexxus sandbox|createsuperuser|runserver")
# A person waits for a server, and for the end of a run that was triggered.
SHELL = r"""
set -e
curl() {
    answer=$(command curl -sS --fail --retry 30 --retry-delay 1 --retry-connrefused "$@")
    printf '%s\n' "$answer"
    run=$(sed -n 's/.*"runId": *"\([^"]*\)".*/\1/p' <<<"$answer")
    while [[ $run ]] && command curl -sS "$ROUTES/runs/$run" | grep -q '"processing"'; do :; done
}
"""


def commands(name):
    """
    What the README says to type.
    """
    blocks = re.findall(r"```sh\n(.*?)```", (EXAMPLES / name / "README.md").read_text(), re.DOTALL)
    return [line for line in "".join(blocks).splitlines() if line]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def type_in(tmp_path, wheel):
    """
    Does what a README says, in a copy of its folder; what was printed.
    """
    started = []

    def run(name, url):
        install, *lines = commands(name)
        programs = wheels.environment(tmp_path / "env", wheel, *shlex.split(install)[2:])
        local = shutil.ignore_patterns("*.db*", "__pycache__")
        folder = shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=local)
        port = free_port()
        script = "\n".join(line for line in lines if not SKIPPED.search(line))
        script = script.replace("http://127.0.0.1:8080", url)
        script = re.sub(r"127\.0\.0\.1:[58]000", f"127.0.0.1:{port}", script)
        output = tmp_path / "output"
        with output.open("w") as written:
            shell = subprocess.Popen(
                ["bash", "-c", f"{SHELL}{script}"],
                cwd=folder,
                env={
                    "PATH": f"{programs}:{os.environ['PATH']}",
                    "FLASK_RUN_PORT": port,
                    "UVICORN_PORT": port,
                    "ROUTES": f"http://127.0.0.1:{port}/integrations/conexxus",
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(shell)
        assert shell.wait(timeout=100) == 0, output.read_text()
        return output.read_text()

    yield run

    for shell in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)  # the servers that it started
        shell.wait()


@pytest.mark.long
@pytest.mark.parametrize("name", HOSTS)
def test_readme(name, type_in):
    """
    The catalogue comes in, the sale of the README goes out once, and the status
    says both.
    """
    office = BackOffice()

    with SandboxServer(office) as server:
        said = type_in(name, server.url)

    assert office.effective_batches == [{"1"}]
    assert "Catalogue: 5 items. Last pull" in said
    assert re.search(r"last push .*success: 1 sale, 29.99", said), said


@pytest.mark.parametrize("name", HOSTS[1:])
def test_lines(name):
    """
    At most 25 lines connect a host: those from its adapters on, those that name
    the SDK, and the two settings that name the adapters.
    """
    (module,) = (EXAMPLES / name).glob("*.py")
    code = re.sub(r'^ *""".*?"""$', "", module.read_text(), flags=re.DOTALL | re.MULTILINE)
    models, _, adapters = code.partition("# The adapter")
    adapters = adapters.partition("if __name__")[0].splitlines()[1:]
    settings = (EXAMPLES / name / "conexxus.toml").read_text()

    ours = [line for line in models.splitlines() if "onexxus" in line]
    ours += [line for line in adapters if line.strip()]
    ours += re.findall("^(?:catalog|orders) = .*", settings, re.MULTILINE)

    assert len(ours) <= 25
    assert {"location", "timezone", "catalog", "orders"} == set(
        re.findall(r"^(\w+) = ", settings, re.MULTILINE)
    )
