"""
The history of runs in the store.
"""

import json
from datetime import UTC, datetime, timedelta

import attrs
from databases import BOTH, Chosen, store_at
from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.model.run_json import dump_run, load_run
from conexxus_sync.stores._run_history import _LATEST as LATEST
from conexxus_sync.views.run_document import run_document
from peeks import peek


DATABASES = BOTH
MOMENT = datetime(2026, 1, 2, 23, 30, 0, 123000, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))
counts = st.integers(0, 10**9)
runs = st.builds(
    SyncRun,
    id=texts,
    kind=st.sampled_from(RunKind),
    location_id=texts,
    business_date=st.none() | st.dates(),
    status=st.none() | st.sampled_from(RunStatus),
    start_time=moments,
    end_time=st.none() | moments,
    items_processed=counts,
    not_modified=st.booleans(),
    planned=st.booleans(),
    refused=st.none() | texts,
    errors=st.lists(st.builds(RunIssue, item=st.none() | texts, error=texts), max_size=3),
    last_error=st.none() | texts,
    batches=st.none() | counts,
    total=st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    delivery_unknown=st.booleans(),
)
INVENTORY = SyncRun(
    id="r1",
    kind=RunKind.INVENTORY,
    location_id="loc-001",
    status=RunStatus.SUCCESS,
    start_time=MOMENT,
    end_time=MOMENT + timedelta(milliseconds=1500),
    items_processed=3,
)


def save(store, *runs):
    with store.write() as state:
        for run in runs:
            state.runs.save(run)


@given(runs)
def test_run_survives_the_store(run):
    """
    A run read back is the run that was written, and its JSON is JSON.
    """
    assert load_run(dump_run(run)) == run
    json.dumps(run_document(run).as_json(), allow_nan=False)


def test_history_survives_a_restart(tmp_path):
    """
    Another process finds the same runs, latest first.
    """
    path = tmp_path / "conexxus.db"
    second = attrs.evolve(INVENTORY, id="r2")
    save(store_at(path).at("loc-001"), INVENTORY, second)

    store = store_at(path).at("loc-001")

    assert peek(store).runs.history() == [second, INVENTORY]
    assert peek(store).runs.history(limit=1) == [second]
    assert peek(store).runs.get("r1") == INVENTORY
    assert peek(store).runs.get("r3") is None


def test_history_by_kind_and_location(site):
    """
    Each location and kind has a history of its own; plans are left out
    unless they are asked for.
    """
    sales = attrs.evolve(INVENTORY, id="r2", kind=RunKind.SALES)
    other = attrs.evolve(INVENTORY, id="r3", location_id="loc-002")
    plan = attrs.evolve(INVENTORY, id="r4", planned=True)
    elsewhere = store_at(site.path).at("loc-002")
    save(site.store, INVENTORY, sales)
    save(elsewhere, other)
    save(site.store, plan)

    with site.store.snapshot() as state, elsewhere.snapshot() as there:
        runs, others = state.runs, there.runs

        assert runs.history(RunKind.INVENTORY) == [INVENTORY]
        assert runs.history(RunKind.INVENTORY, planned=True) == [plan, INVENTORY]
        assert runs.history() == [sales, INVENTORY]
        assert runs.history(planned=True) == [plan, sales, INVENTORY]
        assert runs.history(limit=2, planned=True) == [plan, sales]
        assert others.history() == [other]
        assert runs.latest(RunKind.SALES) == sales
        assert others.latest(RunKind.SALES) is None


ASKED = ("l", "k", 0, 1)


def test_history_is_read_from_an_index(site):
    """
    However many runs there are, the latest ones are found at once.
    """
    with site.store.read() as state:
        if Chosen.name == "sqlite":
            plan = state.session.execute(f"EXPLAIN QUERY PLAN {LATEST}", ASKED).fetchall()
        else:
            # Of an empty table, it would rather read all.
            state.session.execute("SET enable_seqscan = off")
            plan = state.session.execute(f"EXPLAIN {LATEST}", ASKED).fetchall()
            state.session.execute("RESET enable_seqscan")

    assert "runs_by_kind" in str(plan)


def test_saving_again_corrects(site):
    """
    A run keeps its place when it is corrected.
    """
    second = attrs.evolve(INVENTORY, id="r2")
    save(site.store, INVENTORY, second)

    failed = attrs.evolve(INVENTORY, status=RunStatus.FAILED)
    save(site.store, failed)

    assert peek(site.store).runs.history() == [second, failed]


def test_old_runs_are_forgotten(site):
    """
    Runs are kept for 90 days.
    """
    first = site.pull([])
    site.clock.advance(days=89)
    site.pull()
    assert peek(site.store).runs.get(first.id)

    site.clock.advance(days=1)
    site.pull()
    assert peek(site.store).runs.get(first.id) is None
