"""
The terms of the prose: source, documentation and README.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
TEXTS = {".py", ".md", ".html", ".js", ".txt", ".sql", ".toml"}

# A term that is not used, the one that is, how many may stay, and why.
TERMS = [
    ("whoever", "the component: the caller, the host, the scheduler", 0, ""),
    ("nobody", "the component, or the passive: no run, is not set", 0, ""),
    ("tellings?", "copy, version", 0, ""),
    ("for your word", "need your decision, are parked until you decide", 0, ""),
    ("tells?", "report, read, return, notify, print", 2, "`file.tell()`"),
    ("told", "reported, returned, sent, stopped", 20, "a column, a log message, local names"),
    (
        "(store|server|backup|host|till|back office|process|answer) (still )?(knows|does not know)",
        "has, has no record of, recognises, records",
        0,
        "",
    ),
    ("(your|operator's) word", "decision", 0, ""),
    ("leaves? .{0,20}alone", "skip, does not change", 0, ""),
]


@pytest.mark.parametrize(("term", "instead", "most", "reason"), TERMS)
def test_term(term, instead, most, reason):
    """
    A term that another one replaces is used only where a reason is given.
    """
    found = list(_uses(re.compile(rf"\b{term}\b", re.IGNORECASE)))

    assert len(found) <= most, f"write {instead!r} ({reason}): {found}"


def _uses(term: re.Pattern[str]) -> Iterator[str]:
    for path in [ROOT / "README.md", *ROOT.glob("docs/**/*"), *ROOT.glob("src/**/*")]:
        # A migration that was released is not changed.
        if path.suffix in TEXTS and path.parent.name != "migrations":
            text = _text(path)
            for match in term.finditer(text):
                yield f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
