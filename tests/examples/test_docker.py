"""
The files to run in containers keep the rules of the page, and agree with each other.
"""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

import wheels
from conexxus_client import __version__
from conexxus_client.settings import SETTINGS
from conexxus_sync.cli._command_table import COMMANDS


EXAMPLES = Path(__file__).parents[2] / "examples"
DOCKER = EXAMPLES / "docker"
PAGE = Path(__file__).parents[2] / "docs/how-to/docker.md"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
SERIES = f"{__version__.rpartition('.')[0]}.*"


def instructions(text):
    """
    The instructions of a Dockerfile, each as its name and the rest.
    """
    joined = re.sub(r"\\\n\s*", "", re.sub("(?m)^#.*\n", "", text))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


def of_the_image(name):
    """
    What *name* says in the last stage.
    """
    _, _, stage = DOCKERFILE.rpartition("\nFROM ")
    return [rest for found, rest in instructions(f"FROM {stage}") if found == name]


def documents(name):
    return [*yaml.safe_load_all((DOCKER / name).read_text())]


def test_lint():
    """
    hadolint finds nothing in the Dockerfile.
    """
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run(
        [hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_version():
    """
    The image has the SDK of the version that is here.
    """
    assert f"conexxus-sdk[flask,postgres,sql]=={SERIES}'" in DOCKERFILE


def test_image():
    """
    The last stage is small, runs as a user by number, and has all that it writes on
    its volume; what it sets are settings, and what it runs are commands.
    """
    (settings,) = of_the_image("ENV")
    values = dict(pair.split("=", 1) for pair in settings.split())
    ours = {name: value for name, value in values.items() if name.startswith("CONEXXUS_")}
    (health,) = of_the_image("HEALTHCHECK")
    check = json.loads(health.partition("CMD ")[2])
    (command,) = map(json.loads, of_the_image("CMD"))
    (source,) = [it for it in of_the_image("COPY") if not it.startswith("--from")]

    assert of_the_image("FROM") == ["python:3.13-slim"]
    assert of_the_image("USER") == ["10001"]
    assert of_the_image("VOLUME") == ["/data"]
    known = {it.variable for it in SETTINGS} | {"CONEXXUS_CONFIG", "CONEXXUS_API_KEY_FILE"}
    assert {*ours} <= known
    assert ours["CONEXXUS_STORE"].startswith("sqlite:////data/")
    assert values["DATABASE_URL"].startswith("sqlite:////data/")
    assert [command[0], check[0]] == ["conexxus", "conexxus"]
    assert {command[1], check[1]} <= {*COMMANDS}
    assert not [it for it in source.split()[:-1] if not (EXAMPLES / "flask_till" / it).exists()]


def test_compose():
    """
    Each container of ours has a read-only root, one volume, the key from a file, no
    capability, and the time that the SDK takes to end.
    """
    (compose,) = documents("compose.yaml")
    (postgres,) = documents("compose.postgres.yaml")

    assert {*compose["services"]} <= {*postgres["services"]}
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["volumes"] == ["data:/data"]
        assert service["secrets"] == ["api-key"]
        assert service["cap_drop"] == ["ALL"]
        assert timedelta(seconds=int(service["stop_grace_period"][:-1])) > timedelta(seconds=5)
        assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        assert "CONEXXUS_API_KEY" not in service["environment"]
    assert compose["secrets"] == {"api-key": {"file": "api-key"}}
    for service in ("sync", "web"):
        store = postgres["services"][service]["environment"]["CONEXXUS_STORE"]
        assert re.fullmatch(r"postgresql://till:\$\{DATABASE_PASSWORD:\?.*\}@database/till", store)


def test_kubernetes():
    """
    The deployment has one replica that ends before the next begins, and mounts what
    the image needs where the image looks for it.
    """
    claim, deployment = documents("kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (settings,) = of_the_image("ENV")

    assert (claim["kind"], deployment["kind"]) == ("PersistentVolumeClaim", "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert [str(pod["securityContext"]["runAsUser"])] == of_the_image("USER")
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert mounts["data"] == of_the_image("VOLUME")[0]
    assert f"CONEXXUS_API_KEY_FILE={mounts['secrets']}/api-key" in settings.split()
    assert {*mounts} == {volume["name"] for volume in pod["volumes"]}
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["exec"]["command"] == ["conexxus", "status"]


def test_page():
    """
    The page shows the files that the folder has.
    """
    page = PAGE.read_text()

    assert DOCKERFILE in page
    assert (DOCKER / "compose.yaml").read_text() in page


@pytest.mark.long
def test_build(tmp_path):
    """
    The image can be built, where docker can, and its command knows the till.
    """
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker daemon runs here")
    wheel = wheels.build(EXAMPLES / "flask_till")
    try:
        place = f"COPY {wheel.name} /tmp/\nRUN python -m venv"
        text = DOCKERFILE.replace("RUN python -m venv", place, 1)
        text = text.replace("'conexxus-sdk[", f"'/tmp/{wheel.name}[").replace(f"]=={SERIES}'", "]'")
        (tmp_path / "Dockerfile").write_text(text)
        build = ["docker", "build", "-q", "-f", tmp_path / "Dockerfile", EXAMPLES / "flask_till"]
        image = subprocess.run(build, capture_output=True, text=True, check=True).stdout.strip()
    finally:
        wheel.unlink()

    command = ["docker", "run", "--rm", "--read-only", image, "conexxus", "config", "show"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "till:products" in said
