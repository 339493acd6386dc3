"""
What a pull asks of the store: how much, and how the rows are found.
"""

import re
import sqlite3
from collections import Counter

import pytest
from windows import small_windows

from conexxus_sync.stores.sqlite._sqlite_database import SqliteSession
from conexxus_sync.testing import MemoryCatalog


def products(count, **changes):
    items = {f"S{n:05}": {"name": f"Product {n}", "price": "1.00"} for n in range(count)}
    return [{"sku": sku, **item} for sku, item in (items | changes).items()]


@pytest.fixture
def asked(monkeypatch):
    """
    Statements that were executed, each with how often and with its plan.
    """
    counts, plans, explain = Counter(), {}, sqlite3.Connection.execute

    def watch(name):
        method = getattr(SqliteSession, name)

        def watched(session, statement, parameters=()):
            counts[statement] += 1
            if name != "executemany" and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", statement):
                rows = explain(session, f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans[statement] = [row[3] for row in rows]
            return method(session, statement, parameters)

        monkeypatch.setattr(SqliteSession, name, watched)

    for name in ("execute", "executemany"):
        watch(name)

    return counts, plans


def whole_reads(plans):
    """
    Statements that look at each item of the mirror.
    """
    return {
        statement
        for statement, steps in plans.items()
        for step in steps
        if re.search(r"\bitems\b", statement)
        and re.match(r"(SCAN|SEARCH) (items|i)\b", step)
        and "sku=?" not in step
        and "LIMIT 1" not in statement
    }


@pytest.mark.parametrize("change", ["changed", "added", "removed", "bad"])
def test_the_mirror_is_not_read(site, asked, change):
    """
    Where one item changed, no statement looks at all items of the mirror.
    """
    _, plans = asked
    host = MemoryCatalog()
    catalog = products(600)
    with small_windows(2000):
        site.pull(catalog, storage=host)
        plans.clear()
        match change:
            case "changed":
                catalog[300]["price"] = "2.00"
            case "added":
                catalog.insert(300, {"sku": "NEW", "name": "n", "price": "1"})
            case "removed":
                del catalog[300]
            case "bad":
                catalog[300]["price"] = "free"
        site.pull(catalog, storage=host)

    assert whole_reads(plans) == set()


def test_statements_of_a_pull(site, asked):
    """
    As many statements, however many items there are, but for one a window; those
    that open a store and a transaction are counted, too.
    """
    counts, _ = asked
    sums = []

    for count in (300, 3000):
        site.pull(products(count))
        changed = products(count, S00100={"name": "Another", "price": "1.00"})
        counts.clear()
        assert site.pull(changed).updated == 1
        windows = sum(n for it, n in counts.items() if "INSERT INTO read_windows" in it)
        sums.append(sum(counts.values()) - windows)

    assert max(sums) - min(sums) <= 10
    assert max(sums) < 120
