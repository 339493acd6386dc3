"""
The metrics' numbers are those of the store, after whatever happened.
"""

from collections import Counter
from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_sync import RunKind
from conexxus_sync.model.sales import BatchState
from peeks import peek
from shops import LOCATION, items


DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
# Mostly, all is well.
FAULTS = [*([""] * 8), "503", "reset", "401", "422", "after_commit(reset)", "truncate", "409"]
AMOUNTS = st.decimals("-500", "99999.99", places=2, allow_nan=False, allow_infinity=False)

PULLS = st.tuples(
    st.just("pull"),
    st.integers(0, 6),
    st.integers(0, 3),
    st.sampled_from(["", "503", "reset", "truncate", "401"]),
)
PUSHES = st.tuples(
    st.just("push"),
    st.sampled_from(DAYS),
    st.lists(st.tuples(st.integers(0, 9), AMOUNTS), max_size=4),
    st.sampled_from(FAULTS),
)


@settings(suppress_health_check=list(HealthCheck), max_examples=settings.default.max_examples // 2)
@given(st.lists(PULLS | PUSHES, max_size=8))
def test_numbers_are_those_of_the_store(new_shop, events):
    """
    After any pulls and pushes, whatever went wrong with them, runs, items,
    batches and delivered sales are counted as the store has them, to the cent.
    """
    shop = new_shop()
    for event in events:
        happen(shop, *event)

    found = shop.scrape()

    assert_runs(shop, found)
    assert_sales(shop, found)
    assert_now(shop, found)


@settings(suppress_health_check=list(HealthCheck), max_examples=settings.default.max_examples // 4)
@given(st.lists(PUSHES, min_size=1, max_size=6))
def test_in_the_end_they_are_the_back_offices(new_shop, events):
    """
    Once all is settled, they are what the back office has booked.
    """
    shop = new_shop()
    for event in events:
        happen(shop, *event)

    for day in DAYS:
        shop.clock.advance(minutes=20)
        shop.service.push_sales(day)

    found, ledger = shop.scrape(), shop.office.ledger
    assert ledger.doubled() == []
    assert found["conexxus_sales_delivered_transactions",] == len(ledger.sales(LOCATION))
    booked = sum((ledger.total(LOCATION, day) for day in DAYS), Decimal())
    assert found["conexxus_sales_delivered_amount",] == float(booked)


def happen(shop, what, *details):
    shop.clock.advance(minutes=20)

    if what == "pull":
        good, bad, fault = details
        shop.office.catalog = items(good, bad=bad)
        shop.office.faults(fault and f"catalog: {fault}")
        shop.service.sync_inventory()
    else:
        day, sales, fault = details
        for number, total in sales:
            shop.orders.sell(day, f"{day}-{number}", total)
        shop.office.faults(fault and f"sales: {fault}")
        shop.service.push_sales(day)

    shop.office.faults("")


def assert_runs(shop, found):
    for kind in RunKind:
        runs = peek(shop.service.store).runs.history(kind, 10_000)
        counted = Counter(run.status for run in runs)

        for (name, *labels), value in found.items():
            if name == "conexxus_runs_total" and labels[0] == kind:
                assert value == counted.get(labels[1], 0), (kind, labels)

        assert found["conexxus_items_processed_total", kind] == sum(r.items_processed for r in runs)
        assert found["conexxus_items_succeeded_total", kind] == sum(r.items_succeeded for r in runs)
        assert found["conexxus_items_failed_total", kind] == sum(r.items_failed for r in runs)
        assert found["conexxus_run_duration_seconds_count", kind] == len(runs)

        if runs:
            ended = found["conexxus_last_run_timestamp_seconds", kind]
            assert ended == runs[0].end_time.timestamp()
            last = found["conexxus_last_run_items", kind, "processed"]
            assert last == runs[0].items_processed
        good = [run.end_time.timestamp() for run in runs if run.status != "failed"]
        assert found.get(("conexxus_last_success_timestamp_seconds", kind)) == next(
            iter(good), None
        )


def assert_sales(shop, found):
    with shop.service.store.read() as state:
        rows = state.session.execute("SELECT business_date, total FROM delivered").fetchall()
        states = dict(
            state.session.execute("SELECT state, count(*) FROM batches GROUP BY state").fetchall()
        )

    totals = [Decimal(total) for _, total in rows]
    assert found["conexxus_sales_delivered_transactions",] == len(rows)
    assert Decimal(str(found["conexxus_sales_delivered_amount",])) == sum(totals, Decimal())

    for state in BatchState:
        assert found["conexxus_outbox_batches", state] == states.get(state, 0)

    if rows:
        latest = max(day for day, _ in rows)
        of_day = [Decimal(total) for day, total in rows if day == latest]
        assert found["conexxus_sales_date_transactions",] == len(of_day)
        assert Decimal(str(found["conexxus_sales_date_amount",])) == sum(of_day, Decimal())


def assert_now(shop, found):
    health = shop.service.health()
    active = {alert.name for alert in health.alerts}
    told = {labels[0] for (name, *labels), on in found.items() if on and name.endswith("_active")}

    assert told == active
    assert [labels for (name, *labels), on in found.items() if name == "conexxus_state" and on] == [
        [health.state]
    ]
    assert found["conexxus_catalogue_items",] == health.counts.items
    assert found["conexxus_quarantined", "inventory"] == health.counts.quarantined_items
    assert found["conexxus_quarantined", "sales"] == health.counts.quarantined_sales
    assert found["conexxus_discrepancies",] == health.counts.discrepancies
