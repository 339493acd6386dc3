"""
A law: whatever is answered, no sale is lost, doubled, or set aside although it arrived.
"""

from datetime import date

from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.sales import BatchLimits


DAYS = (date(2026, 1, 2), date(2026, 1, 3))
ANSWERS = ["400", "422", "403", "404", "409", "429", "500", "503", "reset", "refuse"]
answers = st.sampled_from([*ANSWERS, "after_commit(reset)", "ok", "ok"])
scripts = st.lists(answers, min_size=1, max_size=25).map(", ".join) | answers.map(
    "{}*forever".format
)


@given(
    kind=st.sampled_from(
        [
            {"dedupe": "key"},
            {"dedupe": "transaction_id"},
            {"dedupe": "key", "sales_mode": "replace_day"},
        ]
    ),
    unprocessed=st.sampled_from([(), (503,)]),
    size=st.sampled_from([1, 3, 50]),
    counts=st.tuples(st.integers(1, 30), st.integers(0, 12)),
    played=st.lists(scripts, min_size=1, max_size=6),
)
@settings(
    max_examples=examples(8, 25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nothing_is_lost_or_doubled(many_tills, kind, unprocessed, size, counts, played):
    """
    After the trouble, each sale is at the back office once, or in quarantine,
    or in a batch that is parked.
    """
    till = many_tills(
        profile=ApiProfile(**kind, unprocessed_statuses=unprocessed),
        office=BackOffice(**kind),
        limits=BatchLimits(transactions=size),
    )
    till.wait(days=1)
    names = []
    for day, count in zip(DAYS, counts, strict=True):
        names += (new := [f"{day:%d}-{number}" for number in range(count)])
        till.orders.add(*map(till.sale, new), day=day)

    for script in played:
        till.office.faults(f"sales: {script}")
        till.push()
        till.wait(minutes=15)
    till.office.faults("")
    for _ in range(4):
        for day in (None, *DAYS):
            till.push(day)
        till.wait(minutes=15)

    there, aside, waiting = till.effective(), set(till.quarantined()), till.open_batches()
    with till.store.read() as state:
        parked = {name for batch in waiting for name in state.outbox.ids(batch)}
    assert all(batch.parked for batch in waiting)
    assert len(there) == len(set(there))
    assert {*there, *aside, *parked} == set(names)
    assert not aside & set(there)
