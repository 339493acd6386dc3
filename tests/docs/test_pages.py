"""
The documentation tells the truth: its code runs, its tables are the code's.
"""

import os
import re
import secrets
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

import conexxus_client.errors
import conexxus_sync.testing
from conexxus_client import ClientConfig, Request
from conexxus_client._catalogue import _pagination
from conexxus_client._codec import _catalog_reader, _envelope, _item_faults, _json
from conexxus_client.testing import SandboxServer
from conexxus_sync.cli._cyclopts_parser import app


ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def table(page: str) -> dict[str, list[str]]:
    """
    The rows of the first table of *page*, by their first cell.
    """
    lines = (ROOT / page).read_text().split("\n")
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("| ")]
    cells = [[cell.strip().strip("`") for cell in row] for row in rows]

    return {row[0]: row[1:] for row in cells}


def blocks(page: Path) -> list[Example]:
    """
    The Python blocks of *page*.
    """
    return list(Sybil([PythonCodeBlockParser()], path=str(ROOT)).parse(page).examples())


@pytest.fixture
def host(tmp_path, monkeypatch):
    """
    A folder and an environment as a reader would have them.
    """
    monkeypatch.chdir(tmp_path)

    with SandboxServer() as server:
        for variable, value in server.env.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("CONEXXUS_TIMEZONE", "America/New_York")
        monkeypatch.setenv("SHOP_TOKEN", secrets.token_hex(16))
        monkeypatch.setenv("CONEXXUS_STORE", f"sqlite:///{tmp_path}/conexxus.db")
        yield


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_blocks_run(page, host):
    """
    Every Python block of a page runs, one after the other.
    """
    for example in blocks(page):
        example.evaluate()


@pytest.mark.long
@pytest.mark.parametrize(
    "page",
    [it for it in PAGES if "SandboxServer" in it.read_text() or "naxml" in it.stem],
    ids=name,
)
def test_code_blocks_run_again(page, host):
    """
    A program of a page can be started twice in one folder.
    """
    for _ in range(2):
        for example in blocks(page):
            example.evaluate()


OPTIONS = ("-p", "no:cacheprovider", "-p", "conexxus_client.testing.plugin")


def test_tests_of_pages_pass(host, tmp_path):
    """
    Where the blocks of a page are tests, they pass.
    """
    folder = tmp_path / "again"
    folder.mkdir()
    modules = []
    for number, page in enumerate(PAGES):
        source = "\n".join(str(example.parsed) for example in blocks(page))
        if "\ndef test_" in source or "\nclass Test" in source:
            modules.append(folder / f"test_page_{number}_{page.stem.replace('-', '_')}.py")
            modules[-1].write_text(source)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *OPTIONS, *map(str, modules)],
        cwd=folder,
        env={
            **os.environ,
            "CONEXXUS_STORE": f"sqlite:///{folder}/conexxus.db",
            # Those of other packages take longer than the tests.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert modules
    assert done.returncode == 0, done.stdout


def test_limits_table():
    """
    Every limit of the client is the one that the page names.
    """
    rows = {limit: row[0] for limit, row in table("docs/reference/client.md").items()}
    config = ClientConfig(api_url="https://x", api_key="k")
    default = attrs.fields_dict(Request)["max_bytes"].default

    assert rows["timeout_ms"] == str(config.timeout_ms)
    assert rows["max_connections"] == str(config.max_connections)
    assert rows["max_catalog_bytes"] == f"{config.max_catalog_bytes // 1024**3} GiB"
    assert rows["any other answer"] == f"{default // 1024**2} MiB"
    assert rows["one item of the catalogue"] == f"{_item_faults.MAX_ELEMENT // 1024**2} MiB"
    assert rows["one value of the catalogue"] == f"{_catalog_reader.MAX_VALUE // 1024**2} MiB"
    assert rows["bytes without an item"] == f"{_catalog_reader.MAX_BARREN // 1024**2} MiB"
    assert rows["white space in a row"] == f"{_catalog_reader.MAX_SPACE // 1024**2} MiB"
    assert rows["a cursor"] == f"{_envelope.MAX_CURSOR // 1024} KiB"
    assert rows["pages in a row without new items"] == str(_pagination.MAX_IDLE_PAGES)
    assert rows["nesting"] == f"{_json.MAX_NESTING} levels"
    assert rows["pages of one catalogue"] == f"{_pagination.MAX_PAGES:,}"


def test_extras():
    """
    The start page says what each extra brings.
    """
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]

    assert {*extras} <= {*table("docs/index.md")}


def test_commands_are_documented():
    """
    The page has every command, and those below a command.
    """
    page = (ROOT / "docs/reference/cli.md").read_text()
    rows = {line for line in page.splitlines() if line.startswith("| `conexxus ")}

    for command in (name for name in app if not name.startswith("-")):
        (row,) = [row for row in rows if re.match(rf"\| `conexxus {command}\b", row)]
        below = [name for name in app[command] if not name.startswith("-")]
        assert not [name for name in below if name not in row]


def test_reference_of_the_engines():
    """
    Every public name is on one page, and each page is named by the first.
    """
    first = ROOT / "docs/reference/sync.md"
    pages = sorted((ROOT / "docs/reference/sync").glob("*.md"))
    text = "".join(page.read_text() for page in [first, *pages])
    names = re.findall(r"^::: conexxus_sync\.(\w+)$", text, re.MULTILINE)

    assert sorted(names) == sorted(conexxus_sync.__all__)
    assert [page.name for page in pages if f"(sync/{page.name})" not in first.read_text()] == []


def test_reference_of_the_client():
    """
    Every public name is on one page, or an error, or the version.
    """
    first = ROOT / "docs/reference/client.md"
    pages = sorted((ROOT / "docs/reference/client").glob("*.md"))
    text = "".join(page.read_text() for page in pages)
    names = re.findall(r"^::: conexxus_client\.(\w+)$", text, re.MULTILINE)
    errors = {name for name in vars(conexxus_client.errors) if name in conexxus_client.__all__}

    assert sorted({*names} | errors | {"__version__"}) == sorted(conexxus_client.__all__)
    assert len(names) == len({*names})
    assert [page.name for page in pages if f"(client/{page.name})" not in first.read_text()] == []


def test_reference_of_the_fakes():
    """
    The page has every public name for the tests of a host.
    """
    page = (ROOT / "docs/reference/testing.md").read_text()
    names = re.findall(r"^::: conexxus_sync\.testing\.(\w+)$", page, re.MULTILINE)

    assert sorted(names) == conexxus_sync.testing.__all__


def test_reference_shows_public_paths():
    """
    No page tells a reader to import from a private module.
    """
    shown = {
        line
        for page in PAGES
        for line in page.read_text().splitlines()
        if re.search(r"(^:::|\bimport\b).*\._", line)
    }

    assert shown == set()


@pytest.mark.parametrize("word", ["Django models", "Celery", "gunicorn", "Docker", "Kubernetes"])
def test_headings_have_the_words_of_a_search(word):
    """
    The search of the built pages finds headings first: frameworks and tools are in them.
    """
    headings = [
        line
        for page in (ROOT / "docs/how-to").glob("*.md")
        for line in page.read_text("utf-8").splitlines()
        if line.startswith("#")
    ]

    assert [line for line in headings if word in line]


def test_named_files_exist():
    """
    Each test, script and example that a page names is there.
    """
    named = {
        path
        for page in PAGES
        for path in re.findall(
            r"(?:tests|scripts|examples)/[\w/.-]*\w", re.sub(r"https?:\S+", "", page.read_text())
        )
    }

    assert len(named) > 30
    assert {path for path in named if not (ROOT / path).exists()} == set()
