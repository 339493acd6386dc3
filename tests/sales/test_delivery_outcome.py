"""
Facts about judging answers: a table, and what holds for all of them.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    ApiProfile,
    AttemptRecord,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    Delivery,
    EnvelopeError,
    NotFoundError,
    PermissionDeniedError,
    PushReceipt,
    RateLimitError,
    RedirectError,
    RejectedTransaction,
    RequestTimeoutError,
    ServerError,
    StatusError,
)
from conexxus_sync.sales import Outcome, classify_answer, parking_reason
from conexxus_sync.sales._key_age import KeyAge


IDS = ("t1", "t2", "t3")
NOW = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def outcome(answer, *, was_unknown=False, **profile):
    return classify_answer(
        answer, ids=IDS, was_unknown=was_unknown, profile=ApiProfile(**profile)
    ).outcome


def status(code, cls=StatusError, **more):
    return cls(status=code, path="/api/v1/sales/push", **more)


def rejected(*names):
    return tuple(RejectedTransaction(id=name, error="no") for name in names)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (PushReceipt(), Outcome.ACCEPTED),
        (PushReceipt(accepted=3), Outcome.ACCEPTED),
        (PushReceipt(accepted=2, rejected=rejected("t2")), Outcome.ACCEPTED),
        (PushReceipt(rejected=rejected("t2")), Outcome.ACCEPTED),
        (PushReceipt(accepted=0, rejected=rejected(*IDS)), Outcome.ACCEPTED),
        (PushReceipt(accepted=2), Outcome.UNKNOWN),
        (PushReceipt(accepted=4), Outcome.UNKNOWN),
        (PushReceipt(accepted=3, rejected=rejected("t2")), Outcome.UNKNOWN),
        (PushReceipt(rejected=rejected("of another batch")), Outcome.UNKNOWN),
        (status(400), Outcome.REFUSED),
        (status(413), Outcome.REFUSED),
        (status(422), Outcome.REFUSED),
        (status(401, AuthenticationError), Outcome.WAITING),
        (status(403, PermissionDeniedError), Outcome.WAITING),
        (status(404, NotFoundError), Outcome.WAITING),
        (status(409), Outcome.WAITING),
        (status(429, RateLimitError), Outcome.WAITING),
        (status(405), Outcome.UNKNOWN),
        (status(418), Outcome.UNKNOWN),
        (status(500, ServerError, delivery=Delivery.UNKNOWN), Outcome.UNKNOWN),
        (status(503, ServerError), Outcome.UNKNOWN),
        (status(302, RedirectError, target="https://other.example"), Outcome.UNKNOWN),
        (EnvelopeError("no success", delivery=Delivery.UNKNOWN), Outcome.UNKNOWN),
        (DecodeError("no JSON", delivery=Delivery.UNKNOWN), Outcome.UNKNOWN),
        (RequestTimeoutError(30_000), Outcome.UNKNOWN),
        (ConnectionLostError(delivery=Delivery.UNKNOWN), Outcome.UNKNOWN),
        (DeadlineExceededError(delivery=Delivery.UNKNOWN), Outcome.UNKNOWN),
        (ConnectError(), Outcome.WAITING),
        (ConfigurationError(["CONEXXUS_API_URL is not configured"]), Outcome.WAITING),
        # A refusal after an attempt of unknown fate, in the same call.
        (status(422, delivery=Delivery.UNKNOWN), Outcome.UNKNOWN),
    ],
)
def test_table(answer, expected):
    """
    What each answer means, row by row.
    """
    assert outcome(answer) is expected


@pytest.mark.parametrize("code", [400, 401, 409, 413, 422, 429])
def test_doubt(code):
    """
    A batch with an attempt of unknown fate stays unknown, whatever later
    answers say, until it is accepted.
    """
    assert outcome(status(code), was_unknown=True) is Outcome.UNKNOWN
    assert outcome(ConnectError(), was_unknown=True) is Outcome.UNKNOWN
    assert outcome(PushReceipt(), was_unknown=True) is Outcome.ACCEPTED


@pytest.mark.parametrize("was_unknown", [False, True])
def test_conflict(was_unknown):
    """
    409 is a delivery where the profile says so.
    """
    conflict = status(409, delivery=Delivery.UNKNOWN if was_unknown else Delivery.REJECTED)

    assert (
        outcome(conflict, was_unknown=was_unknown, conflict_is_delivered=True) is Outcome.ACCEPTED
    )


def test_parking():
    """
    Without anything that recognises a repetition, an unknown fate is parked;
    a dispute about numbers is parked everywhere.
    """
    lost, dispute = RequestTimeoutError(30_000), PushReceipt(accepted=1)

    def parked(answer, dedupe):
        found = classify_answer(
            answer, ids=IDS, was_unknown=False, profile=ApiProfile(dedupe=dedupe)
        )
        return found.parked is not None

    assert [parked(lost, kind) for kind in ("key", "transaction_id", "none")] == [0, 0, 1]
    assert [parked(dispute, kind) for kind in ("key", "transaction_id", "none")] == [1, 1, 1]


def test_key_ttl():
    """
    A key that the back office has forgotten protects nothing.
    """
    day, soon = timedelta(hours=24), timedelta(minutes=5)

    assert parking_reason(None, NOW, ApiProfile(dedupe="none")) is None
    assert parking_reason(NOW - day + soon + timedelta(seconds=1), NOW, ApiProfile()) is None
    # What is sent in the last minutes may arrive too late.
    assert "24 hours" in parking_reason(NOW - day + soon, NOW, ApiProfile())
    assert parking_reason(NOW - 9 * day, NOW, ApiProfile(dedupe="transaction_id")) is None
    assert parking_reason(NOW, NOW, ApiProfile(dedupe="none")) is not None


def test_key_age_by_another_clock():
    """
    How old a key is that was sent in the future, nobody knows; clocks are set
    back by a little all the time.
    """
    assert parking_reason(NOW + 5 * MINUTE, NOW, ApiProfile()) is None
    assert "a clock that was ahead" in parking_reason(NOW + 6 * MINUTE, NOW, ApiProfile())
    assert parking_reason(NOW + 6 * MINUTE, NOW, ApiProfile(dedupe="transaction_id")) is None


@pytest.mark.parametrize(
    ("dedupe", "was_unknown", "disputed"),
    [
        ("transaction_id", True, True),
        ("transaction_id", False, False),
        # The answer to a key that is known is the answer of then.
        ("key", True, False),
    ],
)
def test_rejections_of_a_repetition(dedupe, was_unknown, disputed):
    """
    Where ids are recognised, whoever is sent a batch again may reject what he
    has: that is no refusal.
    """
    answer = PushReceipt(rejected=rejected("t1"))

    found = classify_answer(
        answer, ids=IDS, was_unknown=was_unknown, profile=ApiProfile(dedupe=dedupe)
    )

    assert found.outcome is (Outcome.UNKNOWN if disputed else Outcome.ACCEPTED)
    assert (found.parked is not None) is disputed


def test_blame():
    """
    Only names that were sent are blamed, each once.
    """
    answer = status(422, rejected=rejected("t2", "foreign", "t2"))

    found = classify_answer(answer, ids=IDS, was_unknown=False, profile=ApiProfile())

    assert [entry.id for entry in found.rejected] == ["t2"]


errors = st.builds(
    status,
    st.integers(300, 599),
    delivery=st.sampled_from(Delivery),
    rejected=st.lists(st.sampled_from(["t1", "t2", "x"])).map(lambda names: rejected(*names)),
) | st.sampled_from(list(Delivery)).map(lambda delivery: ConnectionLostError(delivery=delivery))
receipts = st.builds(
    PushReceipt,
    accepted=st.none() | st.integers(-1, 5),
    rejected=st.lists(st.sampled_from(["t1", "t2", "x"])).map(lambda names: rejected(*names)),
)
profiles = st.builds(
    ApiProfile,
    dedupe=st.sampled_from(["key", "transaction_id", "none"]),
    conflict_is_delivered=st.booleans(),
)


@given(answer=errors | receipts, was_unknown=st.booleans(), profile=profiles)
def test_never_wrong(answer, was_unknown, profile):
    """
    Nothing but a yes settles a batch that may have arrived; nothing is
    repeated that the back office would take twice; the blamed were sent.
    """
    found = classify_answer(answer, ids=IDS, was_unknown=was_unknown, profile=profile)

    said_yes = isinstance(answer, PushReceipt) or getattr(answer, "status", None) == 409
    may_have_it = was_unknown or getattr(answer, "delivery", None) is Delivery.UNKNOWN
    assert said_yes or found.outcome is not Outcome.ACCEPTED
    assert not may_have_it or found.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN)
    assert {entry.id for entry in found.rejected} <= set(IDS)
    assert found.outcome is not Outcome.UNKNOWN or profile.dedupe != "none" or found.parked
    assert found.parked is None or found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        (PushReceipt(), "accepted 3 of 3 transactions"),
        (PushReceipt(rejected=rejected("t2")), "accepted 2 of 3 transactions"),
        (PushReceipt(accepted=1, duplicates=2), "accepted 3 of 3 transactions"),
        (PushReceipt(accepted=1, duplicate_ids=("t1", "t2")), "accepted 3 of 3 transactions"),
        (PushReceipt(least=1, duplicates=2), "accepted 3 of 3 transactions"),
        (PushReceipt(least=3), "accepted 3 of 3 transactions"),
        (
            PushReceipt(complaint="no till 4"),
            "the back office says success, and complains: no till 4",
        ),
        (
            PushReceipt(rejected=rejected("x")),
            "the answer rejects 1 transaction that were not sent",
        ),
        (
            PushReceipt(duplicate_ids=("x", "y")),
            "the answer names 2 transactions that were not sent",
        ),
        (
            PushReceipt(accepted=1),
            "the back office says that it accepted 1 of 3 transactions and names 0 as rejected",
        ),
        (
            PushReceipt(accepted=1, duplicates=1, rejected=rejected("t2", "t3")),
            "accepted 1 of 3 transactions",
        ),
        (
            PushReceipt(least=1, duplicates=1),
            "the back office says that it processed 1 of 3 transactions and names 0 as rejected",
        ),
    ],
)
def test_what_a_receipt_says(receipt, reason):
    """
    What was taken, or what is disputed, in words.
    """
    found = classify_answer(receipt, ids=IDS, was_unknown=False, profile=ApiProfile())

    assert found.reason == reason
    assert found.parked == (None if found.outcome is Outcome.ACCEPTED else reason)


def test_why_a_repetition_is_parked():
    """
    In words, and without what the answer blames: it is settled by an operator.
    """
    refused = classify_answer(
        status(422, rejected=rejected("t1")),
        ids=IDS,
        was_unknown=True,
        profile=ApiProfile(dedupe="none"),
    )
    disputed = classify_answer(
        PushReceipt(rejected=rejected("t1", "t2")),
        ids=IDS,
        was_unknown=True,
        profile=ApiProfile(dedupe="transaction_id"),
    )

    assert (refused.outcome, refused.rejected) == (Outcome.UNKNOWN, ())
    assert refused.parked == "the back office recognises no repetition"
    assert disputed.parked == (
        "the back office was sent these transactions before, and rejects 2 of them now: no"
    )


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("since", "key_age", "profile", "reason"),
    [
        (NOW, None, {"dedupe": "none"}, "the back office recognises no repetition"),
        (
            NOW + HOUR,
            None,
            {},
            (
                "it was sent at 2026-01-03 00:30 UTC, by a clock that was ahead, or this one is "
                "behind: for how long the back office has known its key is unknown"
            ),
        ),
        (
            NOW - HOUR,
            KeyAge(doubt="the clock was set since then"),
            {},
            (
                "it was sent at 2026-01-02 22:30 UTC, and the clock was set since then: for how "
                "long the back office has known its key is unknown"
            ),
        ),
        # Another clock is right.
        (NOW + HOUR, KeyAge(age=HOUR), {}, None),
        (
            NOW - HOUR,
            KeyAge(age=25 * HOUR),
            {},
            "the back office remembers a key for 24 hours, and that has passed",
        ),
        (NOW - 25 * HOUR, KeyAge(age=HOUR), {}, None),
        # Of a short time, a tenth is kept.
        (NOW - timedelta(minutes=8, seconds=59), None, {"key_ttl": 10 * MINUTE}, None),
        (
            NOW - timedelta(minutes=9),
            None,
            {"key_ttl": 10 * MINUTE},
            "the back office remembers a key for 10 minutes, and that has passed",
        ),
    ],
)
def test_why_a_key_protects_no_more(since, key_age, profile, reason):
    assert parking_reason(since, NOW, ApiProfile(**profile), key_age=key_age) == reason


@pytest.mark.parametrize(
    ("answer", "stop", "forbidden", "server"),
    [
        (status(401, AuthenticationError), True, False, False),
        (status(403, PermissionDeniedError), False, True, False),
        (status(404, NotFoundError), False, True, False),
        (status(409), False, False, False),
        (status(422), False, False, False),
        (status(429, RateLimitError, retry_after=7.0), True, False, False),
        (status(499, delivery=Delivery.UNKNOWN), False, False, False),
        (status(500, ServerError, delivery=Delivery.UNKNOWN), False, False, True),
        (ConnectError(), True, False, False),
        (ConnectionLostError(delivery=Delivery.UNKNOWN), False, False, False),
    ],
)
def test_what_follows_from_an_error(answer, stop, forbidden, server):
    """
    Whether more sends would fare no better, and what the batch waits for.
    """
    found = classify_answer(answer, ids=IDS, was_unknown=False, profile=ApiProfile())

    assert (found.stop, found.is_forbidden, found.is_server_error) == (stop, forbidden, server)
    assert (found.reason, found.retry_after) == (answer.explanation, answer.retry_after)
    assert found.status == getattr(answer, "status", None)


def test_conflict_in_words():
    found = classify_answer(
        status(409), ids=IDS, was_unknown=False, profile=ApiProfile(conflict_is_delivered=True)
    )

    assert found.reason == f"delivered before: {status(409).explanation}"


@pytest.mark.parametrize(
    ("attempts", "profile", "waits"),
    [
        ([503], {"unprocessed_statuses": (503,)}, True),
        ([None, 503], {"unprocessed_statuses": (503,)}, True),
        ([500, 503], {"unprocessed_statuses": (503,)}, False),
        ([503], {"unprocessed_statuses": (429,)}, False),
    ],
)
def test_what_was_not_looked_at(attempts, profile, waits):
    """
    Each attempt ended before the back office looked at it, or was not sent:
    more sends would fare no better, and nothing is unknown.
    """
    answer = status(503, ServerError, delivery=Delivery.UNKNOWN)
    answer.attempts = tuple(
        AttemptRecord(
            number=number,
            cause="ServerError",
            message="no",
            status=code,
            delivery=Delivery.NOT_SENT if code is None else Delivery.UNKNOWN,
        )
        for number, code in enumerate(attempts, 1)
    )

    found = classify_answer(answer, ids=IDS, was_unknown=False, profile=ApiProfile(**profile))

    assert found.outcome is (Outcome.WAITING if waits else Outcome.UNKNOWN)
    assert found.stop is waits


def test_only_a_refusal_of_the_content_blames():
    answer = status(403, PermissionDeniedError, rejected=rejected("t1"))

    found = classify_answer(answer, ids=IDS, was_unknown=False, profile=ApiProfile())

    assert found.rejected == ()
