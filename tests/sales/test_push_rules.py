"""
Facts about what a push counts, learns and says: rules alone, without a store.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from conexxus_client import ApiProfile
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import IssueKind, RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import (
    Batch,
    BatchState,
    DiscrepancyKind,
    FoundDiscrepancy,
    FreezeNumbers,
)
from conexxus_sync.model.sum_checks import Mismatch
from conexxus_sync.sales._delivery_outcome import DeliveryOutcome, Outcome
from conexxus_sync.sales._failure_text import explained, hopeless
from conexxus_sync.sales._push_evidence import PushEvidence
from conexxus_sync.sales._run_counters import RunCounters, empty_run
from conexxus_sync.sales._store_age import RestoredStore, first_push_note
from conexxus_sync.testing import sale


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
DAY = NOW.date()


def counters():
    run = SyncRun(
        id="r1", kind=RunKind.SALES, location_id="loc-001", business_date=DAY, start_time=NOW
    )

    return RunCounters(run=run)


def frozen(name, **more):
    return attrs.evolve(
        FrozenTransaction.of(sale(name), position=0, business_date=DAY), **{"origin": name} | more
    )


def batch(key="0123abcd", transactions=2):
    return Batch(
        location_id="loc-001",
        business_date=DAY,
        key=key,
        freeze=1,
        first=0,
        state=BatchState.PENDING,
        transactions=transactions,
        total=Decimal(1),
        attempts=1,
        frozen_at=NOW,
    )


def finished(count):
    return count.finished_run(NOW)


def test_a_push_that_went_well():
    """
    Exact sums of all that was accepted.
    """
    count = counters()
    assert not count.has_content

    count.batches = 2
    count.add_accepted(3, Decimal("0.10"))
    count.add_accepted(2, Decimal("0.20"))
    run = finished(count)

    assert count.has_content
    assert (run.status, run.end_time, run.batches) == (RunStatus.SUCCESS, NOW, 2)
    assert (run.items_processed, run.items_succeeded, run.items_failed) == (5, 5, 0)
    assert (str(run.total), run.errors, run.last_error) == ("0.30", (), None)
    assert (run.id, run.delivery_unknown, run.note, run.refused) == ("r1", False, None, None)


def test_what_is_set_aside():
    """
    Each with its reason, and counted as failed.
    """
    count = counters()
    bad = [frozen("t1", fault="no lines"), frozen("t2")]

    assert list(count.counting_quarantined(bad)) == bad
    count.left = 1
    run = finished(count)

    assert count.has_content
    assert run.errors == (
        RunIssue(item="t1", error="no lines", kind=IssueKind.SET_ASIDE),
        RunIssue(item="t2", error="Transaction was refused", kind=IssueKind.SET_ASIDE),
    )
    assert (run.items_processed, run.items_succeeded, run.items_failed) == (3, 0, 3)
    assert (run.status, run.last_error) == (RunStatus.FAILED, "Transaction was refused")


@pytest.mark.parametrize(
    ("delivered", "left", "discrepancies", "failure", "refused", "status"),
    [
        (0, 0, 0, None, None, RunStatus.SUCCESS),
        (0, 1, 0, None, None, RunStatus.FAILED),
        (0, 0, 0, "why", None, RunStatus.FAILED),
        (1, 1, 0, None, None, RunStatus.PARTIAL),
        (1, 0, 0, "why", None, RunStatus.PARTIAL),
        (1, 0, 1, None, None, RunStatus.PARTIAL),
        (0, 0, 1, None, None, RunStatus.PARTIAL),
        (1, 0, 0, None, "why", RunStatus.PARTIAL),
        (0, 0, 0, None, "why", RunStatus.PARTIAL),
    ],
)
def test_status(delivered, left, discrepancies, failure, refused, status):
    count = attrs.evolve(
        counters(),
        delivered=delivered,
        left=left,
        discrepancies=discrepancies,
        failure=failure,
        refused=refused,
    )

    assert finished(count).status is status


def test_last_error():
    """
    That of the whole date, before a refusal, before the last of a single sale.
    """
    count = counters()
    count.add_issue("t1", "first")
    count.add_issue("t2", "second")
    count.add_issue("t3", "third")
    assert finished(count).last_error == "third"

    count.refused = "too many"
    assert finished(count).last_error == "nothing was taken back: too many"
    assert finished(count).refused == "too many"

    count.fail("no line")
    assert finished(count).last_error == "no line"
    assert finished(count).errors[-1] == RunIssue(
        item=None, error="no line", kind=IssueKind.FAILURE
    )


def test_what_else_is_recorded():
    count = attrs.evolve(counters(), unknown=True, note="the first one", left=2)

    run = finished(count)

    assert (run.delivery_unknown, run.note, run.items_failed) == (True, "the first one", 2)


def test_many_errors():
    """
    A hundred are listed.
    """
    count = counters()

    for number in range(150):
        count.add_issue(f"t{number}", "bad")
        count.add_source_remark(f"remark {number}")
    count.add_source_remark("remark 1")

    assert [issue.item for issue in count.issues] == [f"t{number}" for number in range(100)]
    assert count.source_remarks == [f"remark {number}" for number in range(100)]
    assert len(finished(count).errors) == 100


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            DiscrepancyKind.CHANGED,
            "Transaction changed after it was delivered; it was not sent again",
        ),
        (DiscrepancyKind.MISSING, "Transaction was delivered, but the host no longer has it"),
        (
            DiscrepancyKind.ELSEWHERE,
            (
                "Transaction has the id and the timestamp of one of another business date; "
                "it is taken for the same sale and was not sent again"
            ),
        ),
    ],
)
def test_discrepancies(kind, text):
    count = counters()

    count.add_discrepancies(
        [FoundDiscrepancy(id="t1", sold_second="2026", kind=kind, digest=None)] * 2
    )

    assert count.discrepancies == 2
    assert count.issues == [RunIssue(item="t1", error=text, kind=IssueKind.DISCREPANCY)] * 2


def test_remarks():
    """
    One for each kind: how many, and the first of them.
    """
    count = counters()
    count.add_remarks(
        [
            frozen("t1", mismatched=Mismatch.LINES),
            frozen("t2", mismatched=Mismatch.LINES | Mismatch.TAXES),
            frozen("t3", has_card_number=True),
            frozen("t4-void", voids=True, origin="t4"),
            frozen("t5"),
        ]
    )
    count.add_source_remark("a line was passed over")

    texts = [issue.error for issue in finished(count).errors]

    assert texts == [
        "2 transactions whose lines do not add up to the total, like t1: sent as they are",
        (
            "1 transaction whose taxes do not agree with their sum or with those of the lines, "
            "like t2: sent as they are"
        ),
        (
            "1 transaction with what may be a card's number in the free text, like t3: it was "
            "sent, but card numbers do not belong there"
        ),
        "1 transaction delivered before and changed or gone since, like t4: taken back",
        "a line was passed over",
    ]
    assert {issue.kind for issue in finished(count).errors} == {IssueKind.REMARK}
    assert {issue.item for issue in finished(count).errors} == {None}
    assert finished(count).status is RunStatus.SUCCESS


def test_dates_in_utc():
    """
    Three dates are named, the earliest, and the zone.
    """
    count = counters()
    for number, name in ((5, "a"), (3, "b"), (4, "c"), (3, "d"), (6, "e")):
        count.add_misdated(date(2026, 1, number), name)
    count.zone_doubt = "another zone"

    *dates, zone = finished(count).errors

    asks = "does the order source ask for dates in UTC?"
    assert [issue.error for issue in dates] == [
        f"2 sales of 2026-01-02 were made at a time that belongs to 2026-01-03, like b: {asks}",
        f"1 sale of 2026-01-02 was made at a time that belongs to 2026-01-04, like c: {asks}",
        f"1 sale of 2026-01-02 was made at a time that belongs to 2026-01-05, like a: {asks}",
    ]
    assert zone == RunIssue(item=None, error="another zone", kind=IssueKind.ZONE)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_push_that_found_nothing(stopped):
    lease = Lease(location_id="loc-001", kind="sales", epoch=1, run_id="r1", renewed_at=NOW)

    run = empty_run(lease, DAY, NOW, stopped=stopped)

    error = "the push was stopped; what is due goes with the next one"
    assert (run.id, run.kind, run.location_id) == ("r1", RunKind.SALES, "loc-001")
    assert (run.business_date, run.start_time, run.end_time) == (DAY, NOW, NOW)
    assert run.status is (RunStatus.FAILED if stopped else RunStatus.SUCCESS)
    assert run.last_error == (error if stopped else None)
    assert run.errors == ((RunIssue(item=None, error=error),) if stopped else ())


def test_evidence():
    """
    Ten refusals in a row are not about the content; an acceptance is news.
    """
    evidence = PushEvidence()
    evidence.note_refused(batch(), [])
    assert (evidence.refused, evidence.refusals) == (0, [])

    evidence.note_refused(batch(), [f"a{n}" for n in range(9)])
    assert (evidence.refused, evidence.is_hopeless, evidence.accepted) == (9, False, False)
    evidence.note_refused(batch("other"), ["b"])
    assert (evidence.refused, evidence.is_hopeless) == (10, True)
    assert [(one.batch.key, len(one.ids)) for one in evidence.refusals] == [
        ("0123abcd", 9),
        ("other", 1),
    ]

    evidence.suspect(batch("k1"), forbidden=True)
    evidence.suspect(batch("k2"), forbidden=True)
    evidence.suspect(batch("k3"), forbidden=False)
    evidence.tried = {"k1", "k2", "k3", "k4"}
    assert evidence.forbidden == 2
    assert [one.key for one in evidence.another_try()] == ["k1", "k2", "k3"]
    assert (evidence.suspects, evidence.tried) == ({}, {"k4"})

    evidence.note_accepted()
    assert (evidence.accepted, evidence.forbidden, evidence.refused) == (True, 0, 0)


SMALLER = (
    " If the line is too slow for so many, CONEXXUS_BATCH_TRANSACTIONS and CONEXXUS_BATCH_BYTES "
    "make batches smaller"
)
WHAT = "batch 0123abcd (2 transactions)"


@pytest.mark.parametrize(
    ("outcome", "more", "text"),
    [
        (
            Outcome.UNKNOWN,
            {"parked": "no key"},
            (
                f"{WHAT} is parked, its delivery is unknown: no key. Ask the back office whether "
                "it has them, then `conexxus outbox resolve 0123abcd --delivered`, or "
                "--not-delivered. Last answer: it said no."
            ),
        ),
        (
            Outcome.UNKNOWN,
            {},
            (
                f"the delivery of {WHAT} is unknown; the same bytes are sent again under the "
                f"same key: it said no.{SMALLER}"
            ),
        ),
        (
            Outcome.UNKNOWN,
            {"status": 500},
            (
                f"the delivery of {WHAT} is unknown; the same bytes are sent again under the "
                "same key: it said no."
            ),
        ),
        (
            Outcome.WAITING,
            {"status": 403},
            (
                f"{WHAT} was refused and waits: it said no. Check the permission of the API key, "
                "that /api/v1/sales/push is the right path, and whether a firewall refuses a "
                "text of these sales"
            ),
        ),
        (
            Outcome.WAITING,
            {"status": 429},
            f"{WHAT} was not delivered and waits: it said no.",
        ),
    ],
)
def test_why_a_batch_was_not_delivered(outcome, more, text):
    result = DeliveryOutcome(outcome=outcome, reason="it said no.", **more)

    assert explained(batch(), result, ApiProfile()) == text


def test_a_batch_of_one_is_small_enough():
    result = DeliveryOutcome(outcome=Outcome.UNKNOWN, reason="it said no.")

    assert explained(batch(transactions=1), result, ApiProfile()) == (
        "the delivery of batch 0123abcd (1 transaction) is unknown; the same bytes are sent again "
        "under the same key: it said no."
    )


def test_texts_for_operators():
    restored = RestoredStore(
        location_id="loc-001", numbers=FreezeNumbers(stored=1, beside=3, path=None)
    )

    assert hopeless(10, "no") == (
        "the back office refused 10 transactions in a row and accepted none: as long as it "
        "accepts none, nothing is set aside, and they are sent again: no"
    )
    assert first_push_note(DAY) == (
        "nothing is known of earlier pushes of 2026-01-02: sales that something else delivered, "
        "or another store, are doubled by this push. Before the first push of a fresh store, "
        "`conexxus push --orders ORDERS --adopt-through 2026-01-02` takes them for delivered"
    )
    assert str(restored) == (
        "the store was restored from a backup or lost: it has 1 freeze of location loc-001, and "
        "this process of 3. What was sent since would be sent again, so nothing is pushed. Name "
        "the last business date that the back office has: `conexxus push --orders ORDERS "
        "--adopt-through DATE`"
    )
