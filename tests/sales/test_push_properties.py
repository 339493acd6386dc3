"""
Facts that hold whatever goes wrong, and in whatever order.
"""

from collections import Counter
from datetime import date

import pytest
from databases import IS_SMALL
from example_counts import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import BatchState
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)

# Each may strike before or after the office has acted.
NETWORK = ["503", "500", "reset", "hang", "after_commit(reset)", "after_commit(503)"]
NETWORK += ["after_commit(truncate)", "after_commit(hang)", "refuse", "502"]
REFUSING = ["401", "403", "404", "409", "429(retry_after=1)", "400", "413", "422"]
DISPUTED = '200(body="{\\"success\\": true, \\"data\\": {\\"accepted\\": 99}}")'
UNUSABLE = [DISPUTED, '200(body="[]")', "204", "302", "405"]

scripts = st.lists(st.sampled_from(NETWORK + REFUSING + UNUSABLE), max_size=6)
arrivals = st.lists(st.integers(0, 4), min_size=1, max_size=4)


def settle(till):
    """
    Push until nothing is left to do, within the life of a key.
    """
    till.office.faults("")
    for _ in range(4):
        till.push(DAY)


def account(till):
    """
    Where every sale is, in our books: delivered, open, or set aside.
    """
    with till.store.read() as state:
        delivered = [
            name for (name,) in state.session.execute("SELECT id FROM delivered").fetchall()
        ]
        waiting = [name for batch in till.open_batches() for name in state.outbox.ids(batch)]

    return delivered, waiting, list(till.quarantined())


ANY_FAULTS = {
    "script": scripts,
    "arrivals": arrivals,
    "mode": st.sampled_from(["append", "replace_day"]),
    "dedupe": st.sampled_from(["key", "transaction_id", "none"]),
    "retries": st.sampled_from([0, 1]),
    "size": st.sampled_from([1, 2, 1_000]),
}


@settings(
    max_examples=examples(20, 60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(**ANY_FAULTS)
@example(
    script=["after_commit(reset)"], arrivals=[1], mode="append", dedupe="none", retries=0, size=1
)
def test_any_faults(many_tills, **example):
    """
    Nothing is lost and nothing doubled: every sale is effective once and
    known to be, or its batch is open, or it is set aside with a reason.
    """
    check_any_faults(many_tills, **example)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_thousand_scripts_of_faults(many_tills, database):
    """
    The same for a thousand scripts.
    """
    few = {"sqlite": 200, "postgres": 20}[database]

    @settings(
        max_examples=few if IS_SMALL else 1_000,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(**ANY_FAULTS)
    def holds(**example):
        check_any_faults(many_tills, **example)

    holds()


def check_any_faults(new_till, script, arrivals, mode, dedupe, retries, size):
    till = new_till(
        profile=ApiProfile(sales_mode=mode, dedupe=dedupe),
        office=BackOffice(sales_mode=mode, dedupe=dedupe),
        limits=BatchLimits(transactions=size),
        retries=retries,
    )
    till.office.faults("sales: " + ", ".join(script) if script else "")
    told = []

    for number, count in enumerate(arrivals):
        names = [f"t{number}-{n}" for n in range(count)]
        till.orders.add(*map(till.sale, names))
        told += names
        runs = till.push(DAY)
        for run in runs:
            # What one run left in doubt, a later one of the same push may settle.
            check_truth(till, run, is_last=run is runs[-1])

    settle(till)

    delivered, waiting, aside = account(till)
    books = Counter(till.effective(DAY))
    # A parked whole day is not replaced by another: the host keeps the rest.
    kept = set(told) if mode == "replace_day" and waiting else set()
    assert till.office.ledger.doubled() == []
    assert set(delivered) <= set(books) <= set(told)
    assert set(told) == set(delivered) | set(waiting) | set(aside) | kept
    assert not set(delivered) & set(aside)
    assert mode == "replace_day" or len(delivered + waiting + aside) == len(told)
    assert all(batch.parked for batch in till.open_batches())


@settings(
    max_examples=examples(20, 60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    script=st.lists(st.sampled_from([*NETWORK, "401", "404", "409", "429"]), max_size=8),
    arrivals=arrivals,
    mode=st.sampled_from(["append", "replace_day"]),
    dedupe=st.sampled_from(["key", "transaction_id"]),
)
def test_network_faults(many_tills, script, arrivals, mode, dedupe):
    """
    Where a repetition is recognised, a bad network delays and does no more:
    in the end, every sale is effective, once.
    """
    till = many_tills(
        profile=ApiProfile(sales_mode=mode, dedupe=dedupe),
        office=BackOffice(sales_mode=mode, dedupe=dedupe),
        limits=BatchLimits(transactions=2),
    )
    till.office.faults("sales: " + ", ".join(script) if script else "")
    told = []

    for number, count in enumerate(arrivals):
        names = [f"t{number}-{n}" for n in range(count)]
        till.orders.add(*map(till.sale, names))
        told += names
        till.push(DAY)

    settle(till)

    assert Counter(till.effective(DAY)) == Counter(told)
    assert till.open_batches() == []


def check_truth(till, run, *, is_last):
    """
    A run that says success left nothing open; one that doesn't says why.
    """
    states = till.peek.outbox.counts()
    unknown = states.get(BatchState.UNKNOWN, 0)

    assert run.items_processed == run.items_succeeded + run.items_failed
    assert run.status is not RunStatus.SUCCESS or run.items_failed == 0
    assert run.status is RunStatus.SUCCESS or run.last_error
    assert not run.delivery_unknown or unknown or not is_last
    assert BatchState.SENDING not in states


@pytest.mark.parametrize("mode", ["append", "replace_day"])
def test_repeated_by_the_client(new_till, mode):
    """
    The client's own retries are under the same key, too.
    """
    till = new_till(
        profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode), retries=2
    )
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset), after_commit(503)")

    (run,) = till.push()

    assert run.status is RunStatus.SUCCESS
    assert till.effective() == ["t1"]
