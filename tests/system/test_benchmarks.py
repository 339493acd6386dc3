"""
The benchmarks run, whatever became of what they measure.
"""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import hand, peers, variants
from benchmarks.driver import Driver
from benchmarks.figures import Compare, Figure, Work, figures
from benchmarks.report import part_of_goal
from benchmarks.worker import Task


# The first of the long tests measures all figures.
pytestmark = pytest.mark.timeout(600)


ROOT = Path(__file__).parents[2]

# In the environment of `scripts/bench`, not in that of the tests.
ELSEWHERE = {"dlt-merge": "dlt", "polars-frame": "polars"}


def measured(folder, *options):
    """
    Figures, small, as the command writes them; it leaves nothing else.
    """
    command = [sys.executable, "-m", "benchmarks", "--quick", *options]
    command += ["--json", str(folder / "figures.json"), "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert [path.name for path in folder.iterdir()] == ["figures.json"]
    return json.loads((folder / "figures.json").read_text())


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """
    All figures, measured once.
    """
    return measured(tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize("name", ["one-changed", "injected-client"])
def test_one_figure(tmp_path, name):
    (row,) = measured(tmp_path, "--only", name)["figures"]

    assert row["name"] == name
    assert row["value"] > 0


@pytest.mark.long
def test_every_figure_is_measured(document):
    """
    All but those whose library is in another environment, or whose program
    is not on this machine; these say so.
    """
    skipped = {row["name"]: row["skipped"] for row in document["figures"] if "skipped" in row}
    expected = {name: f"{library} is not installed" for name, library in ELSEWHERE.items()}

    assert [row["name"] for row in document["figures"]] == [figure.name for figure in figures()]
    assert skipped.items() <= {**expected, "flushes": "strace can't be used here"}.items()


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "work", "base"),
    [
        ("first-load-400k", 2_000, 2_000),
        ("first-load-1m", 5_000, 5_000),
        ("first-load-shuffled", 2_000, 2_000),
        ("first-load-six-keys", 2_000, 2_000),
        ("first-load-six-columns", 2_000, 2_000),
        ("first-load-paged", 2_000, 2_000),
        ("same-items", 0, 2_000),
        ("one-changed", 1, 2_000),
        ("one-inserted", 1, 2_000),
        ("repriced", 100, 100),
        ("postgres-first-load", 2_000, 2_000),
        ("postgres-same-items", 0, 2_000),
        ("postgres-one-changed", 1, 2_000),
        ("scalars", 0, 1_036),
        ("bad", 0, 506),
    ],
)
def test_pulls_change_what_they_should(document, name, work, base):
    """
    A figure is about the changes in its title: nothing is skipped on either
    side, and nothing is refused.
    """
    (row,) = [row for row in document["figures"] if row["name"] == name]

    assert (row["work"]["changed"], row["base"]["changed"]) == (work, base)


@pytest.mark.long
@pytest.mark.parametrize("name", ["iter-items-plain", "iter-items-six-keys"])
def test_items_are_all_read(document, name):
    (row,) = [row for row in document["figures"] if row["name"] == name]

    assert row["work"]["items"] == row["base"]["items"] == 2_000


def test_names_are_unique():
    names = [figure.name for figure in figures()]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    ("compare", "value", "reached", "part"),
    [
        (Compare.SPEED, 0.5, False, 0.5),
        (Compare.SPEED, 1.0, True, 1.0),
        (Compare.COST, 0.5, True, 2.0),
        (Compare.MEMORY, 2.0, False, 0.5),
    ],
)
def test_direction_of_a_goal(compare, value, reached, part):
    """
    More is better for speed alone; a bar that reaches its goal has a length
    of 1 or more, whatever the direction.
    """
    figure = Figure(name="f", title="F", work=Work(workload="w"), compare=compare)

    assert figure.reaches(value, 1.0) is reached
    assert part_of_goal({"value": value, "goal": 1.0, "compare": compare}) == part


def test_unknown_figure_is_refused():
    command = [sys.executable, "-m", "benchmarks", "--only", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "There is no figure 'nonsense'" in done.stderr


@pytest.mark.parametrize("option", [["--quick"], ["--only", "push"]])
def test_docs_show_a_whole_run(option):
    """
    Nothing is measured, and nothing written, for a part of the figures.
    """
    command = [sys.executable, "-m", "benchmarks", "--write-docs", *option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "the docs show a whole run" in done.stderr


# More than one window of the hand pipeline, and three pages.
ITEMS = 2_500


@pytest.mark.parametrize(
    ("workload", "variant", "before"),
    [
        (hand.load, "plain", ""),
        (hand.load, "shuffled", ""),
        (hand.load, "six-keys", ""),
        (hand.load_six_keys, "six-keys", ""),
        (hand.load_pages, "paged", ""),
        (hand.load, "repriced", "plain"),
        (hand.load, "one-changed", "plain"),
        (hand.load, "one-inserted", "plain"),
        (peers.find_then_update, "repriced", "plain"),
        (peers.cattrs_executemany, "repriced", "plain"),
    ],
)
def test_others_do_their_work(workload, variant, before, tmp_path):
    """
    What the SDK is compared with stores each item, exactly.
    """
    driver = Driver(tmp_path, sys.executable, pairs=1, quick=True)
    catalogues = tmp_path / "catalogues"
    expected = [json.loads(text, parse_float=str) for text in variants.VARIANTS[variant](ITEMS)]

    with driver.serving():
        task = Task(
            url=driver.url,
            folder=str(tmp_path),
            variant=variants.write(catalogues, variant, ITEMS),
            before=before and variants.write(catalogues, before, ITEMS),
            small=variants.write(catalogues, "plain", 10),
        )
        workload(task)()

    keys = ("sku", "name", "price", "category", "description")
    with closing(sqlite3.connect(task.file("store.db"))) as database:
        stored = set(database.execute(f"SELECT {', '.join(keys)} FROM items"))
    assert stored == {tuple(item[key] for key in keys) for item in expected}
