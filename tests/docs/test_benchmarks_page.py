"""
The page of benchmarks shows the numbers that are committed beside it.
"""

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks import report


FOLDER = Path(__file__).parents[2] / "docs/reference"
DOCUMENT = json.loads((FOLDER / "benchmarks.json").read_text())


def test_page_is_of_the_numbers():
    """
    `scripts/bench --from docs/reference/benchmarks.json --write-docs` writes
    it anew.
    """
    text = (FOLDER / "benchmarks.md").read_text()

    assert report.page(text, DOCUMENT) == text


def test_plot_is_of_the_numbers():
    """
    One bar for each figure that has a goal and was measured.
    """
    text = (FOLDER / "benchmarks.svg").read_text()
    bars = ET.fromstring(text).iter("{http://www.w3.org/2000/svg}rect")

    assert report.plot(DOCUMENT["figures"]) == text
    assert len(list(bars)) == sum(
        row["goal"] is not None and "value" in row for row in DOCUMENT["figures"]
    )


def test_every_missed_goal_is_named():
    """
    Whatever the table says is not reached is in the list of missed goals.
    """
    text = (FOLDER / "benchmarks.md").read_text()
    missed = text.partition("## Goals that are missed")[2]

    for row in DOCUMENT["figures"]:
        if not row.get("reached", True):
            assert f"- `{row['name']}`:" in missed


ALTERNATIVES = {
    "alternatives": [
        *("first-load-400k", "first-load-six-keys", "first-load-paged"),
        *("same-items", "one-changed", "repriced"),
        *("find-then-update", "cattrs-executemany", "polars-frame", "dlt-merge"),
        *("postgres-first-load", "postgres-one-changed"),
    ],
    "sales": ["push", "push-stored", "flushes"],
}


def test_comparison_is_of_the_numbers():
    """
    The figures of the comparison are those of the page; with
    CONEXXUS_WRITE_DOCS=1 they are written anew.
    """
    page = FOLDER.parent / "explanation/alternatives.md"
    text = page.read_text()
    figures = {row["name"]: row for row in DOCUMENT["figures"]}

    wanted = text
    for part, names in ALTERNATIVES.items():
        before, mark, rest = wanted.partition(
            f"<!-- {part}, written with CONEXXUS_WRITE_DOCS=1 -->\n"
        )
        table = [
            "| Figure | Measured (lowest to highest) |",
            "|---|---|",
            *(
                f"| {report._full_title(row)} | {report._with_span(row)} |"
                for row in map(figures.__getitem__, names)
            ),
        ]
        end = rest[rest.index("<!-- end -->") :]
        wanted = f"{before}{mark}{chr(10).join(table)}\n{end}"

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        page.write_text(wanted)

    assert page.read_text() == wanted
