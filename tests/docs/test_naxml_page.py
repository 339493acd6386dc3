"""
The page about NAXML files has the tables of the code.
"""

import re
from pathlib import Path

from conexxus_sync.sources.naxml import DIALECTS, Fault
from conexxus_sync.sources.naxml._journal import MAX_JOURNAL
from conexxus_sync.sources.naxml._maintenance import _VERSIONS
from conexxus_sync.sources.naxml._values import _SEEN, _SEEN_RESTRICTIONS
from conexxus_sync.sources.naxml._xml import ENCODINGS, MAX_BYTES, MAX_RECORD


PAGE = (Path(__file__).parents[2] / "docs/reference/naxml.md").read_text("utf-8")
ROWS = [row.strip("| ").split(" | ") for row in PAGE.splitlines() if row.startswith("| ")]


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def ages_of(ages):
    if ages is None or ages == "years":
        return ages or "not known"

    return ", ".join(f"{code} is {age}" for code, age in ages.items())


def test_dialects():
    """
    Each dialect has a row, with what it means.
    """
    rows = {row[0].strip("`"): row[1:] for row in ROWS if row[0].strip("`") in DIALECTS}

    assert list(rows) == list(DIALECTS)
    for name, (ages, plu, codes, flag) in rows.items():
        it = DIALECTS[name]
        assert ages == ages_of(it.ages)
        assert ("bar codes" in plu) is it.padded_plu
        assert ("Extension" in codes) is it.scans_extension
        assert (flag == "yes") is bool(it.empty_flag)
    assert not any(it.empty_keeps for it in DIALECTS.values())


def test_elements():
    """
    Each element has the key that the page says.
    """
    rows = re.findall(r"^\| (`.*?) \| `(?:naxml\.)?(\w+)`", section("Elements"), re.MULTILINE)
    shown = {name: key for names, key in rows for name in re.findall(r"`(\w+)`", names)}

    assert shown == {name: key for name, (key, _) in {**_SEEN, **_SEEN_RESTRICTIONS}.items()}


def test_faults():
    """
    Each fault has a row; limits, encodings and versions are those of the code.
    """
    text = section("Files that are refused")

    assert re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE) == list(Fault)
    assert f"more than {MAX_BYTES >> 20} MiB; of a journal, more than {MAX_JOURNAL >> 20}" in text
    assert f"more than {MAX_RECORD >> 20} MiB from" in text
    assert ", ".join(f"`{it}`" for it in ENCODINGS) in text
    assert "({}, {} and {} are read)".format(*_VERSIONS) in text
