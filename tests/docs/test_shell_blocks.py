"""
Shell blocks of the pages run as they stand, and print what the pages show.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from conexxus_client.testing import BackOffice, SandboxServer


ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^( *)```sh\n(?P<command>.*?)^\1```\n(?:\n^\1```text\n(?P<output>.*?)^\1```\n)?",
    re.M | re.S,
)
# What differs each time: moments, ids, numbers of a kind of measure.
VARYING = [
    (r"\d{8}T\d{9}Z-[0-9a-f]{8}", "RUN"),
    (r"20\d\d-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", "MOMENT"),
    (r"\b\d\d:\d\d\b", "TIME"),
    (r"\d+\.\d s\b", "DURATION"),
    (r"\b\d+ ms\b", "DURATION"),
    (r"[\d,]+ bytes", "SIZE"),
    (r"http://127\.0\.0\.1:\d+", "ADDRESS"),
    (r"/\S+/", "FOLDER/"),
    (r" +", " "),
]
# What is typed in another terminal, or is about another folder.
APART = ("conexxus sandbox", "conexxus init")
WINE = [
    {"sku": f"WINE{number:03}", "name": f"Cabernet {1990 + number}", "price": f"{9 + number}.99"}
    for number in range(30)
]


def blocks(page):
    """
    The commands of a page, with the output that it shows.
    """
    for found in BLOCK.finditer((ROOT / page).read_text()):
        yield found["command"], found["output"]


def shape(line):
    for pattern, instead in VARYING:
        line = re.sub(pattern, instead, line)

    return line.strip()


def unlike(shown, printed):
    """
    The lines of *shown* that are not in *printed* in this order; a line `…`
    stands for any.
    """
    rest = iter([shape(line) for line in printed.splitlines()])

    return [
        line
        for line in shown.splitlines()
        if line.strip() not in ("", "…") and shape(line) not in rest
    ]


@attrs.define
class Reader:
    """
    Types what a page shows, in a folder and with a back office of its own.
    """

    folder: Path
    office: BackOffice
    env: dict
    printed: str = ""

    def type(self, command, *, answer="yes\n"):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed = done.stdout
        assert "Traceback" not in done.stderr
        return done.returncode

    def read(self, page, *, exits=(0,), instead=()):
        """
        Type all blocks of *page*, with words of it replaced; returns how many.
        """
        shown = [*blocks(page)]
        for command, output in shown:
            for old, new in instead:
                if old in command:
                    command = command.replace(old, new() if callable(new) else new)
            code = self.type(command)
            assert code in exits, (command, self.printed)
            assert unlike(output or "", self.printed) == [], (command, self.printed)

        return len(shown)


@pytest.fixture
def reader(tmp_path):
    """
    With the command on the path, and the settings of the tutorial.
    """
    office = BackOffice()
    with SandboxServer(office) as server:
        yield Reader(
            folder=tmp_path,
            office=office,
            env={
                **os.environ,
                **server.env,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "CONEXXUS_TIMEZONE": "America/New_York",
                "CONEXXUS_STORE": f"sqlite:///{tmp_path}/conexxus.db",
                "LOCATION_ID": "loc-001",
                "COLUMNS": "200",
            },
        )


def test_a_difference_is_found():
    """
    What varies is equal; another text, order or number is not.
    """
    printed = "run 20260102T233004776Z-d4c98b3a took 0.5 s\n28 items\n2 gone\n"

    assert unlike("run 20261129T163127275Z-c3859407 took 1.2 s\n…\n2 gone\n", printed) == []
    assert unlike("27 items\n", printed) == ["27 items"]
    assert unlike("2 gone\n28 items\n", printed) == ["28 items"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_demo_of_the_home_page(reader):
    """
    The demonstration prints what the page shows; the package is installed.
    """
    ((command, output),) = [it for it in blocks("docs/index.md") if it[1]]

    assert reader.type(command.splitlines()[-1]) == 0
    assert unlike(output, reader.printed) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_recover_from_a_bad_catalogue(reader):
    """
    A refused catalogue is looked at, accepted and explained; then one with a
    bad item comes.
    """
    reader.office.catalog = WINE
    assert reader.type("conexxus pull") == 0
    reader.office.catalog = [{**item, "price": "1.99"} for item in WINE[:28]]

    def run():
        return re.search(r"\d{8}T\d{9}Z-[0-9a-f]{8}", reader.printed)[0]

    def with_a_bad_item():
        reader.office.catalog = [*WINE[:29], {**WINE[29], "price": "free"}]
        assert reader.type("conexxus pull --force") == 3
        return "quarantine list"

    read = reader.read(
        "docs/how-to/recover-from-a-bad-catalogue.md",
        exits=(0, 4),
        instead=[("RUN", run), ("quarantine list", with_a_bad_item)],
    )

    assert read == 6


@pytest.mark.long
@pytest.mark.timeout(600)
def test_back_up_the_store(reader):
    """
    Backup, check and restore, in a folder of the reader.
    """
    assert reader.type("conexxus pull") == 0

    commands = [command for command, _ in blocks("docs/how-to/back-up-the-store.md")]
    for command in commands:
        typed = command.replace("/mnt/backup/", f"{reader.folder}/")
        assert reader.type(typed) == 0, (typed, reader.printed)

    assert len(commands) == 3
    assert "is now what" in reader.printed


@pytest.mark.long
@pytest.mark.timeout(600)
def test_tutorial(reader):
    """
    It prints what it shows, and can be read a second time: nothing is sent twice.
    """
    del reader.env["CONEXXUS_STORE"]
    shown = [it for it in blocks("docs/tutorial.md") if not it[0].startswith(APART)]
    assert len(shown) == 7

    for is_first in (True, False):
        for command, output in shown:
            typed = command.replace("http://127.0.0.1:8080", reader.env["CONEXXUS_API_URL"])
            assert reader.type(typed) == 0, (command, reader.printed)
            assert not is_first or unlike(output or "", reader.printed) == [], reader.printed

    assert [entry.times for entry in reader.office.ledger.transactions()] == [1]
    assert reader.office.ledger.doubled() == []
