"""
A machine like a container: a read-only root, the store on a volume, no home,
no zone database, a user without a name.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import attrs
import pytest

from conexxus_client.testing import BackOffice, SandboxServer


DAY = date(2026, 1, 2)
DOCKERFILE = (Path(__file__).parents[2] / "examples/docker/Dockerfile").read_text()

# In the short run, still more than fits into memory: it has to be written to a file.
SHORT, LONG = (10_000, 9_000), (100_000, 10_000)

# Namespaces of its own for mounts and users.  Beneath, the user stays the one
# who owns the volume; here it has another number, which has no name.
MACHINE = r"""
set -e
volume=$1
shift
mount --make-rprivate /
mount --bind "$volume" "$volume"
for zones in /usr/share/zoneinfo /usr/lib/zoneinfo /usr/share/lib/zoneinfo /etc/zoneinfo; do
    if [ -d "$zones" ]; then mount -t tmpfs none "$zones"; fi
done
while read -r _ _ _ _ point _; do
    point=$(printf '%b' "$point")
    case $point in
        "$volume" | /proc | /proc/* | /sys | /sys/* | /dev/null) ;;
        *) mount -o remount,bind,ro "$point" 2>/dev/null || ! [ -w "$point" ] ;;
    esac
done </proc/self/mountinfo
cd /
exec unshare --user --map-user=1234 --map-group=1234 "$@"
"""


@attrs.frozen
class Container:
    """
    Runs commands on such a machine.
    """

    volume: Path
    environ: dict

    def run(self, *command):
        """
        A command, until it ends.
        """
        inside = ["sh", "-c", MACHINE, "sh", str(self.volume), *command]
        return subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", *inside],
            env={"PATH": os.environ["PATH"], **self.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    def conexxus(self, *arguments):
        """
        A command of ours.
        """
        return self.run(sys.executable, "-m", "conexxus_sync.cli", *arguments)


PROBE = """
import os, sys, tempfile, zoneinfo
from pathlib import Path

def refused(path):
    try:
        Path(path).write_text("")
    except OSError as exc:
        return type(exc).__name__ in ("OSError", "PermissionError")

volume, prefix = sys.argv[1:]
Path(volume, "probe").touch()
Path(volume, "probe").unlink()
assert refused("/probe") and refused("/tmp/probe") and refused(prefix + "/probe")
assert os.getuid() == 1234
assert not any(map(os.path.exists, (f"{it}/America" for it in zoneinfo.TZPATH)))
try:
    tempfile.gettempdir()
except FileNotFoundError:
    sys.exit(0)
sys.exit(1)
"""


@pytest.fixture
def container(tmp_path):
    """
    A machine that can't write but on its volume.
    """
    made = Container(tmp_path, {})

    try:
        tried = made.run("true")
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if tried.returncode:
        pytest.skip(f"needs namespaces: {tried.stderr}")

    probed = made.run(sys.executable, "-c", PROBE, str(tmp_path), sys.prefix)
    assert probed.returncode == 0, probed.stdout + probed.stderr

    return made


def sale(number):
    return json.dumps(
        {
            "id": f"t{number}",
            "timestamp": "2026-01-02T17:00:00Z",
            "total": 2.20,
            "items": [{"sku": f"SKU-{number}", "quantity": 1, "price": 2.20}],
        }
    )


@pytest.mark.parametrize(
    ("items", "sales"), [SHORT, pytest.param(*LONG, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_day(container, items, sales):
    """
    A pull and a push of a day pass, with temporary files beside the store, and
    `doctor` says how everything is.
    """
    office = BackOffice(items)
    (container.volume / "sales.ndjson").write_text("\n".join(map(sale, range(sales))) + "\n")

    with SandboxServer(office) as server:
        container.environ.update(
            server.env,
            LOCATION_ID="loc-001",
            CONEXXUS_TIMEZONE="America/New_York",
            CONEXXUS_STORE=f"sqlite:///{container.volume}/conexxus.db",
            CONEXXUS_ORDERS=f"{container.volume}/sales.ndjson",
        )
        pulled = container.conexxus("pull", "--json")
        pushed = container.conexxus("push", "--date", str(DAY), "--json")
        examined = container.conexxus("doctor", "--json")

    assert pulled.returncode == 0, pulled.stderr + pulled.stdout[-2000:]
    assert json.loads(pulled.stdout)["created"] == items
    assert pushed.returncode == 0, pushed.stderr + pushed.stdout[-2000:]
    assert len(office.ledger.transactions()) == sales
    assert not office.ledger.doubled()
    print(examined.stdout, examined.stderr)
    assert levels(examined) == dict.fromkeys([*CHECKS, "order source"], "ok")


@pytest.mark.long
def test_image_of_the_examples(container):
    """
    The environment of the example's image is enough: state, till and key are on
    volumes, and its health check passes.
    """
    till = Path(__file__).parents[2] / "examples/flask_till"
    volume = container.volume
    setting = re.search(r"^ENV (PATH=(?:.*\\\n)*.*)", DOCKERFILE, re.MULTILINE)[1]
    places = {"/data": volume, "/run/secrets": volume, "/app": till}
    for place, here in places.items():
        setting = setting.replace(f"{place}/", f"{here}/")
    values = dict(it.split("=", 1) for it in setting.replace("\\", "").split())

    with SandboxServer(office := BackOffice()) as server:
        (volume / "api-key").write_text(server.env["CONEXXUS_API_KEY"])
        container.environ.update(
            {name: text for name, text in values.items() if name != "PATH"},
            CONEXXUS_API_URL=server.url,
            PYTHONPATH=str(till),
        )
        pulled = container.conexxus("pull")
        health = container.conexxus("status")

    assert pulled.returncode == 0, pulled.stderr
    assert health.returncode == 0
    with closing(sqlite3.connect(volume / "till.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM product").fetchone()
    assert count == len(office.catalog)
    assert {it.name for it in volume.iterdir()} == {"api-key", "till.db", "conexxus.db"}


CHECKS = ("settings", "back office", "time zone", "location", "store", "clock", "webhook")


def levels(examined):
    """
    What `doctor` found, by check.
    """
    return {it["check"]: it["level"] for it in json.loads(examined.stdout)}


def said_of(examined, check):
    return next(it["message"] for it in json.loads(examined.stdout) if it["check"] == check)


@pytest.fixture
def settings(container):
    """
    Settings for the sandbox; without a store as yet.
    """
    with SandboxServer() as server:
        container.environ.update(
            server.env,
            LOCATION_ID="loc-001",
            CONEXXUS_TIMEZONE="America/New_York",
            CONEXXUS_STORE=f"sqlite:///{container.volume}/conexxus.db",
        )
        yield container.environ


def test_fresh_volume(container, settings):
    """
    Before the first pull, `doctor` and `status` answer, and leave nothing on the volume.
    """
    settings["CONEXXUS_ALERT_WEBHOOK"] = "https://hooks.example/x"

    examined = container.conexxus("doctor", "--json")
    status = container.conexxus("status")

    assert levels(examined)["webhook"] == "ok"
    assert (examined.returncode, levels(examined)["store"]) == (0, "warning")
    assert (status.returncode, "never pulled" in status.stdout) == (0, True)
    assert list(container.volume.iterdir()) == []


def test_store_on_the_root(container, settings):
    """
    A store that is not on the volume is named, by `doctor` and by a pull.
    """
    settings["CONEXXUS_STORE"] = ""

    examined = container.conexxus("doctor", "--json")
    pulled = container.conexxus("pull")
    status = container.conexxus("status")

    assert examined.returncode == 1
    assert levels(examined) == {**dict.fromkeys(CHECKS, "ok"), "store": "problem"}
    assert "may not write to that folder: set CONEXXUS_STORE" in said_of(examined, "store")
    assert pulled.returncode == 1
    assert "can't be created: Read-only file system" in pulled.stderr
    assert status.returncode == 2
    assert "set TMPDIR to one that can" in status.stderr
    assert "Traceback" not in examined.stderr + pulled.stderr + status.stderr


NO_TZDATA = """
import sys
sys.modules["tzdata"] = None
from conexxus_sync.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_no_zones_at_all(container, settings):
    """
    Where not even the package `tzdata` is installed, `doctor` says what to install.
    """
    examined = container.run(sys.executable, "-c", NO_TZDATA, "doctor", "--json")

    assert examined.returncode == 2
    assert "Run `pip install tzdata`" in said_of(examined, "settings")


def test_demo(container):
    """
    What needs a folder for temporary files says so, and works with one.
    """
    without = container.conexxus("demo")
    container.environ["TMPDIR"] = str(container.volume)
    with_one = container.conexxus("demo")

    assert without.returncode == 2
    assert "no folder for temporary files can be written to: set TMPDIR" in without.stderr
    assert with_one.returncode == 0
    assert list(container.volume.iterdir()) == []
