"""
Facts about answers that say success and complain all the same.
"""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conexxus_client import ApiProfile, EnvelopeError, Headers, RejectedTransaction
from conexxus_client._calls._response_reader import read_receipt, rejected_transactions
from conexxus_client._calls._wire_types import Response
from conexxus_sync.sales import Outcome, classify_answer


IDS = ("t1", "t2")
NAMED = [{"id": "t1", "error": "no such SKU"}]


def response(body, status=200):
    raw = json.dumps(body).encode()
    return Response(status=status, headers=Headers({}), body=raw, seconds=0.25)


def judged(**body):
    receipt = read_receipt(response({"success": True, **body}), ApiProfile())
    return classify_answer(receipt, ids=IDS, was_unknown=False, profile=ApiProfile())


@pytest.mark.case(
    "C2",
    "An answer says success and names a sale as refused, at its top level or in its data",
    "that sale is rejected, and only the others are delivered",
)
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "complaint",
    [
        {"accepted": 1, "rejected": NAMED},
        {"rejected": NAMED},
        {"rejected": ["t1"]},
        {"rejected": {"t1": "no such SKU"}},
        {"rejected": 1, "errors": NAMED},
        {"rejectedCount": 1, "failed": NAMED},
        {"errors": NAMED},
        {"errors": [{"transactionId": "t1", "message": "no such SKU"}]},
        {"failures": [{"transaction_id": "t1"}]},
        {"invalid": ["t1"]},
        {"failed_ids": ["t1"]},
        {"rejectedIds": ["t1"]},
        {"results": [{"id": "t1", "status": "error"}, {"id": "t2", "status": "ok"}]},
        {"results": [{"id": "t1", "status": 422}, {"id": "t2", "status": 201}]},
        {"results": [{"id": "t1", "success": False}, {"id": "t2", "success": True}]},
        {"results": [{"id": "t1", "status": "Rejected"}, {"id": "t2", "status": "duplicate"}]},
        {"results": [{"id": "t1", "error": "no such SKU"}]},
        {"results": {"accepted": 1, "rejected": NAMED}},
    ],
)
def test_named_complaints_are_rejections(nested, complaint):
    """
    A named sale is rejected, wherever the answer names it.
    """
    found = judged(data=complaint) if nested else judged(**complaint)

    assert found.outcome is Outcome.ACCEPTED
    assert [one.id for one in found.rejected] == ["t1"]


@pytest.mark.case(
    "C2",
    "An answer says success, but complains without naming a sale that was sent, or counts fewer",
    "nothing is marked as delivered, and the batch is parked",
)
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "complaint",
    [
        {"accepted": 1},
        {"acceptedCount": 1},
        {"accepted": ["t1"]},
        {"processed": 1},
        {"received": 1, "rejected": []},
        {"imported": 0},
        {"rejected": {}},
        {"rejected": [{"error": "no"}]},
        {"rejected": [5]},
        {"rejected": "all"},
        {"rejected": 1},
        {"failed": 1},
        {"failed": True},
        {"partial": True},
        {"count": 1},
        {"errors": ["one sale has no SKU"]},
        {"errors": {"items": ["no SKU"]}},
        {"errors": [{"index": 0, "message": "no SKU"}]},
        {"errors": "one sale has no SKU"},
        {"errorCount": 2},
        {"errorsCount": 2},
        {"error": "one sale has no SKU"},
        {"error": {"message": "no"}},
        {"skipped": ["t1"]},
        {"status": "partial"},
        {"status": "error"},
        {"results": [{"id": "t1", "status": "ok"}]},
        {"results": [{"id": "t1", "status": "queued"}, {"id": "t2", "status": "ok"}]},
        {"results": [{"status": "error"}, {"status": "ok"}]},
        {"results": "see the log"},
        {"results": [{"id": "t1", "status": "error"}, {"id": "x", "status": "error"}]},
        {"duplicates": ["x"]},
        {"duplicates": [{}]},
        {"duplicates": ["t1"], "rejected": NAMED},
        {"accepted": 0, "duplicates": 1},
    ],
)
def test_other_complaints_are_disputes(nested, complaint):
    """
    A complaint that names no sale that was sent marks nothing.
    """
    found = judged(data=complaint) if nested else judged(**complaint)

    assert (found.outcome, found.rejected) == (Outcome.UNKNOWN, ())
    assert found.parked is not None


@pytest.mark.case(
    "C2",
    "An answer counts or names sales as duplicates",
    "they count as accepted",
)
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        {"accepted": 1, "duplicates": 1},
        {"accepted": 2, "duplicates": 1},
        {"accepted": 0, "duplicates": ["t1", "t2"]},
        {"accepted": 1, "duplicates": [{"id": "t1"}]},
        {"duplicates": 2},
        {"processed": 1, "duplicates": ["t2"]},
        {"results": [{"id": "t1", "status": "already_exists"}, {"id": "t2", "status": "ok"}]},
        {"accepted": 2, "rejected": [], "errors": [], "failed": 0, "error": None, "skipped": []},
        {"accepted": 2, "results": [{"id": one, "status": "created"} for one in IDS]},
        {"accepted": ["t1", "t2"], "status": "ok", "warnings": ["no category"]},
        {"message": "stored", "received": 2, "errorsCount": 0},
    ],
)
def test_duplicates_and_assent(nested, answer):
    """
    Duplicates are there already; empty lists and zeros are no complaint.
    """
    found = judged(data=answer) if nested else judged(**answer)

    assert (found.outcome, found.rejected) == (Outcome.ACCEPTED, ())


@pytest.mark.case(
    "C2",
    "The top level of an answer says success, and its data complains, or says no",
    "both levels are read",
)
def test_both_levels():
    """
    A complaint at one level is not outweighed by the other.
    """
    both = judged(accepted=2, data={"rejected": NAMED})
    apart = judged(rejected=NAMED, data={"accepted": 0, "errors": [{"id": "t2"}]})
    listed = judged(data=[{"id": "t1", "status": "failed"}, {"id": "t2", "status": "ok"}])
    refusal = {"rejected": [{"id": "t2"}], "data": {"errors": NAMED}}

    assert both.parked is not None
    assert [one.id for one in apart.rejected] == ["t2", "t1"]
    assert [one.id for one in listed.rejected] == ["t1"]
    assert [one.id for one in rejected_transactions(response(refusal, 422))] == ["t1", "t2"]
    with pytest.raises(EnvelopeError, match="did not confirm the push: half of it"):
        judged(data={"success": False, "error": "half of it"})


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 500) | st.sampled_from(["t1", "ok", "error", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "status", "success", "error"]), inner, max_size=3)
    ),
    max_leaves=6,
)
keys = st.sampled_from(
    ["accepted", "rejected", "errors", "results", "duplicates", "failed", "processed", "status"]
)


@given(top=st.dictionaries(keys, values, max_size=4), data=st.dictionaries(keys, values))
@example(top={}, data={"rejected": -1})
@example(top={"rejectedCount": -1, "rejected": ["t1"]}, data={})
def test_no_complaint_is_ever_assent(top, data):
    """
    Whatever the shape: a sale that is named in a list of complaints is never
    marked, and no answer breaks the reader.
    """
    lists = ("rejected", "errors", "failed")
    body = {**top, "data": data}
    try:
        found = judged(**body)
    except EnvelopeError:
        return

    blamed = any(level.get(key) for level in (top, data) for key in lists)
    assert not blamed or found.outcome is Outcome.UNKNOWN or found.rejected


def test_reasons():
    """
    The first reason that is given for a sale counts.
    """
    body = {"success": True, "data": {"rejected": NAMED}, "errors": [{"id": "t1", "error": "x"}]}

    receipt = read_receipt(response(body), ApiProfile())

    assert receipt.rejected == (RejectedTransaction(id="t1", error="no such SKU"),)


@pytest.mark.case(
    "C2",
    "A back office says success and lists one of two sales as rejected, beside its data",
    "the run quarantines the one and delivers the other",
)
def test_a_push_with_complaints(till):
    """
    A complaint at the top level is in the run and in quarantine.
    """
    answer = {"success": True, "accepted": 1, "rejected": NAMED}
    body = json.dumps(answer).replace('"', '\\"')
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.office.faults(f'sales: 200(body="{body}")')

    (run,) = till.push()

    assert (run.items_succeeded, run.items_failed) == (1, 1)
    assert till.quarantined() == {"t1": "no such SKU"}
    assert till.states() == ["delivered"]
