"""
The figures as a line of the terminal, a page and a plot.
"""

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import Compare


Row = dict[str, Any]

LIBRARIES = ("attrs", "httpx", "msgspec", "stamina")
PEERS = ("cattrs", "dlt", "httpx", "msgspec", "polars")


def conditions(peers: str) -> Row:
    """
    When, on what machine, with which versions.
    """
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {
            "Python": platform.python_version(),
            "SQLite": sqlite3.sqlite_version,
            "conexxus-sdk": version("conexxus-sdk"),
            **{name: version(name) for name in LIBRARIES},
        },
        "peers": _versions(peers),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", info.read_text()) if info.exists() else []

    return names[0] if names else platform.machine()


def _versions(python: str) -> dict[str, str]:
    code = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps({d.name.lower(): d.version for d in distributions()}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    installed: dict[str, str] = json.loads(done.stdout)

    return {name: installed[name] for name in PEERS if name in installed}


def merged(kept: Row, measured: Row, names: list[str]) -> Row:
    """
    *measured*, with the figures of *kept* that it does not have, in the order of *names*.

    Raises:
        SystemExit: The machine, or a version, is another one.
    """
    same = ("machine", "versions", "pairs", "quick")
    other = [key for key in same if kept and kept[key] != measured[key]]
    if other:
        sys.exit(f"Figures of another {' and '.join(other)} are not put beside these.")

    rows = {row["name"]: row for row in (*kept.get("figures", ()), *measured["figures"])}

    return {
        **measured,
        "peers": kept.get("peers", measured["peers"]),
        "figures": [rows[name] for name in names if name in rows],
    }


def line(row: Row) -> str:
    """
    A figure for the terminal.
    """
    if "skipped" in row:
        return f"· {row['name']:<26} not measured: {row['skipped']}"

    return f"{_mark(row)} {row['name']:<26} {_with_span(row):<42} goal {_goals(row)}"


def _mark(row: Row) -> str:
    if row["goal"] is None or "skipped" in row:
        return "·"

    return "✓" if row["reached"] else "✗"


def _amount(row: Row) -> str:
    return f"{_text(row['value'])} {row['compare']}"


def _text(value: float) -> str:
    return f"{value:.3f}" if 0 < value < 0.1 else f"{value:.2f}"


def _goals(row: Row) -> str:
    sign = "≥" if Compare(row["compare"]).more_is_better else "≤"
    goals = [f"{goal:g}" for goal in (row["goal"], row["stretch"]) if goal is not None]

    return f"{sign} {' / '.join(goals)}" if goals else "-"


def write_docs(document: Row, folder: Path) -> None:
    """
    The numbers, and the page and the plot that are made of them.
    """
    (folder / "benchmarks.json").write_text(json.dumps(document, indent=2) + "\n")
    text = (folder / "benchmarks.md").read_text()
    (folder / "benchmarks.md").write_text(page(text, document))
    (folder / "benchmarks.svg").write_text(plot(document["figures"]))


def page(text: str, document: Row) -> str:
    """
    The page of the docs with the numbers in the places that it marks.
    """
    rows = document["figures"]
    for name, lines in (
        ("figures", _table(rows)),
        ("missed", _missed(rows)),
        ("conditions", _conditions(document)),
    ):
        begin = f"<!-- {name}, written by scripts/bench -->\n"
        before, found, rest = text.partition(begin)
        assert found, f"the page has no {begin}"
        text = f"{before}{begin}{chr(10).join(lines)}\n<!--{rest.partition('<!--')[2]}"

    return text


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| Name | Figure | Measured (lowest to highest) | Goal / stretch | Reached |"
    yield "|---|---|---|---|---|"
    for row in rows:
        found = f"not measured: {row['skipped']}" if "skipped" in row else _with_span(row)
        reached = {"✓": "yes", "✗": "no"}.get(_mark(row), "-")
        yield f"| `{row['name']}` | {_full_title(row)} | {found} | {_goals(row)} | {reached} |"


def _with_span(row: Row) -> str:
    return f"{_amount(row)} ({_text(min(row['values']))} to {_text(max(row['values']))})"


def _missed(rows: Iterable[Row]) -> list[str]:
    return [
        f"- `{row['name']}`: {_amount(row)}, goal {_goals(row)}."
        for row in rows
        if _mark(row) == "✗"
    ] or ["None."]


def _full_title(row: Row) -> str:
    return f"{row['title']}, against {row['against']}" if row["against"] else row["title"]


def _conditions(document: Row) -> Iterator[str]:
    pairs = document["pairs"]
    yield f"Measured on {document['date']}, {pairs} pair{'s' * (pairs > 1)} of each figure."
    yield f"The machine: {document['machine']}."
    yield ""
    yield "| Package | Version |"
    yield "|---|---|"
    for name, installed in document["versions"].items():
        yield f"| {name} | {installed} |"
    for name, installed in document["peers"].items():
        yield f"| {name}, of the peers | {installed} |"


# Of the plot, in pixels.  A bar of the length GOAL reaches its goal.
LABEL, GOAL, BAR, WIDTH = 210, 200, 18, 690
LONGEST = 2.1

# The plot has a background of its own: it is read in both schemes of the docs.
STYLE = """
  text { font: 12px sans-serif; fill: #24292f; } .paper { fill: #fff; }
  .reached { fill: #1a9a8a; } .missed { fill: #d0693c; } .goal { stroke: #888; }
  @media (prefers-color-scheme: dark) { text { fill: #e6e6e6; } .paper { fill: #1e2129; } }
"""


def plot(rows: Iterable[Row]) -> str:
    """
    A bar for each figure that has a goal, as a part of the goal.
    """
    bars = [row for row in rows if row["goal"] is not None and "value" in row]
    height = (len(bars) + 1) * BAR + 6
    goal = LABEL + GOAL

    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>Each figure as a part of its goal</title><style>{STYLE}</style>",
            '<path class="paper" d="M0 0H2000V2000H0z"/>',
            f'<text x="{goal}" y="12" text-anchor="middle">goal</text>',
            *(_bar(row, number) for number, row in enumerate(bars, 1)),
            f'<path class="goal" d="M{goal} {BAR}V{height}"/>',
            "</svg>\n",
        ]
    )


def _bar(row: Row, number: int) -> str:
    part, top = part_of_goal(row), number * BAR
    length = min(part, LONGEST) * GOAL
    kind = "reached" if row["reached"] else "missed"
    exact = f"{part:.2f}" if part < 10 else "> 10"

    return (
        f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end">{escape(row["name"])}</text>'
        f'<rect class="{kind}" x="{LABEL}" y="{top + 2}" width="{length:.1f}" height="{BAR - 4}"/>'
        f'<text x="{WIDTH - 8}" y="{top + 13}" text-anchor="end">{exact}</text>'
    )


def part_of_goal(row: Row) -> float:
    """
    1 where the goal is just reached, more where it is surpassed.
    """
    value, goal = max(float(row["value"]), 0.001), float(row["goal"])

    return value / goal if Compare(row["compare"]).more_is_better else goal / value
