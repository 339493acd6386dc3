"""
When to try again.
"""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    AttemptRecord,
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    Delivery,
    EnvelopeError,
    Headers,
    HostNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    StatusError,
    TlsError,
)
from conexxus_client._calls._cancellation import SLICE_SECONDS, cancellation_scope
from conexxus_client._calls._error_body import error_for
from conexxus_client._calls._retries import Attempts, RetryBudget, retry_after, server_date
from conexxus_client._calls._retry_wait import retry_hook


def answered(cls, status, **evidence):
    return cls(status=status, path="/", **evidence)


RETRIED = [
    ConnectError(),
    HostNotFoundError(),
    ConnectionLostError(delivery=Delivery.UNKNOWN),
    RequestTimeoutError(5),
    answered(ServerError, 503),
]
NOT_RETRIED = [
    answered(AuthenticationError, 401),
    answered(PermissionDeniedError, 403),
    answered(NotFoundError, 404),
    answered(StatusError, 422),
    answered(RateLimitError, 429),
    answered(RedirectError, 302, target="https://x"),
    TlsError(),
    DecodeError("x"),
    EnvelopeError("x"),
    ValueError("x"),
]


def attempts(
    policy=None,
    *,
    deadline=1e9,
    now=0.0,
    draw=0.0,
    budget=None,
    repeatable=True,
    repeat_by=None,
    boottime=lambda: 0.0,
):
    return Attempts(
        policy=policy or RetryPolicy(),
        budget=budget or RetryBudget(),
        deadline=deadline,
        monotonic=lambda: now,
        draw=lambda: draw,
        boottime=boottime,
        repeatable=repeatable,
        repeat_by=repeat_by,
    )


@given(
    slept=st.floats(0, 200),
    repeat_by=st.none() | st.floats(0, 200),
    deliveries=st.lists(st.sampled_from(Delivery), min_size=1, max_size=3),
)
def test_nothing_is_repeated_too_late(slept, repeat_by, deliveries):
    """
    After the moment at which the back office may have forgotten the key, what
    it may have is not sent again, however short the wait was meant to be.
    """
    call = attempts(repeat_by=repeat_by, boottime=lambda: slept)
    too_late = repeat_by is not None and slept >= repeat_by

    for number, delivery in enumerate(deliveries, start=1):
        error = ConnectionLostError(delivery=delivery)
        call.wait_after(error)
        if too_late and Delivery.UNKNOWN in deliveries[:number]:
            with pytest.raises(ConnectionLostError) as caught:
                call.begin()
            assert caught.value is error
            assert call.wait_after(error) is False
            assert (len(error.attempts), error.delivery) == (number, Delivery.UNKNOWN)
            return
        call.begin()


def test_a_key_that_is_perhaps_forgotten():
    """
    After that moment, what the back office may have is not sent again, and the
    call ends with the error before.
    """
    call = attempts(repeat_by=60.0, boottime=lambda: 60.0)
    error = ConnectionLostError(delivery=Delivery.UNKNOWN)

    assert call.wait_after(error) == 1.0
    with pytest.raises(ConnectionLostError) as caught:
        call.begin()

    assert caught.value is error
    assert call.wait_after(error) is False
    assert [record.number for record in error.attempts] == [1]


@pytest.mark.parametrize(
    ("deliveries", "delivery"),
    [
        ([Delivery.NOT_SENT], Delivery.NOT_SENT),
        ([Delivery.UNKNOWN, Delivery.NOT_SENT], Delivery.UNKNOWN),
        ([Delivery.NOT_SENT, Delivery.REJECTED], Delivery.REJECTED),
    ],
)
def test_delivery_over_all_attempts(deliveries, delivery):
    """
    One attempt of unknown fate makes that of the call unknown.
    """
    call = attempts(RetryPolicy(retries=len(deliveries) - 1))

    for each in deliveries:
        error = ConnectionLostError(delivery=each)
        call.wait_after(error)

    assert error.delivery == delivery


def test_first_attempt_follows_no_error():
    """
    A key that is too old stops a repetition, and no first attempt.
    """
    call = attempts(repeat_by=60.0, boottime=lambda: 60.0)

    call.begin()

    assert call.retried_error is None


@pytest.mark.parametrize("error", RETRIED, ids=lambda error: type(error).__name__)
def test_what_is_retried(error):
    assert RetryPolicy().wait(1, error, 0.0) == 1.0


@pytest.mark.parametrize("error", NOT_RETRIED, ids=lambda error: type(error).__name__)
def test_what_is_not_retried(error):
    assert RetryPolicy().wait(1, error, 0.0) is None


@given(
    retries=st.integers(0, 10),
    delay=st.floats(0.001, 10),
    draw=st.floats(0, 1),
    number=st.integers(1, 12),
)
def test_waits(retries, delay, draw, number):
    """
    Retry n waits delay * 2^(n-1) plus at most a quarter, and there are no
    more retries than asked for.
    """
    wait = RetryPolicy(retries=retries, delay=delay).wait(number, ConnectError(), draw)

    if number > retries:
        assert wait is None
    else:
        base = delay * 2 ** (number - 1)
        assert base <= wait <= base * 1.25 * (1 + 1e-9)


@pytest.mark.fault("H12", "A 503 that asks for any wait", "it is never undercut")
@given(st.floats(0, 1e6), st.floats(0, 1))
def test_retry_after_is_never_undercut(asked, draw):
    """
    A 503 with Retry-After waits at least that long.
    """
    error = answered(ServerError, 503, retry_after=asked)

    assert RetryPolicy().wait(1, error, draw) >= asked


@pytest.mark.fault(
    "H12", "Failures in any order, before any deadline", "no wait passes the deadline"
)
@given(st.lists(st.sampled_from(RETRIED), min_size=1, max_size=6), st.floats(0, 30))
def test_no_wait_passes_the_deadline(errors, deadline):
    """
    However it goes, the waits together end before the deadline.
    """
    now = 0.0
    call = attempts(RetryPolicy(retries=9), deadline=deadline)
    call.monotonic = lambda: now

    for error in errors:
        wait = call.wait_after(error)
        if wait is False:
            break
        now += wait
        assert now < deadline


def test_endless_retry_after():
    """
    A server that asks for years gets its error reported at once.
    """
    error = answered(ServerError, 503, retry_after=1e9)

    assert attempts(deadline=60).wait_after(error) is False
    assert [record.wait for record in error.attempts] == [None]


def test_unknown_is_not_repeated_where_nothing_is_recognised():
    """
    Only what was certainly not sent may be repeated then.
    """
    call = attempts(repeatable=False)

    assert call.wait_after(ConnectError()) == 1.0
    assert call.wait_after(RequestTimeoutError(5, delivery=Delivery.UNKNOWN)) is False


def test_budget():
    """
    A hundred retries are free, then ten successes earn one.
    """
    budget = RetryBudget()

    assert sum(budget.spend() for _ in range(200)) == 100
    for _ in range(9):
        budget.refund()
    assert budget.spend() is False
    budget.refund()
    budget.refund()
    assert budget.spend() is True
    assert budget.spend() is False


def test_outage_meets_few_retries():
    """
    A thousand calls against a server that is down send at most 1,100
    requests.
    """
    budget = RetryBudget()
    requests = 0

    for _ in range(1_000):
        call = attempts(budget=budget)
        requests += 1
        while call.wait_after(answered(ServerError, 503)) is not False:
            requests += 1

    assert requests == 1_100


DATE = ("Date", "Sat, 02 Jan 2027 10:00:00 GMT")


@pytest.mark.fault(
    "H12",
    "Retry-After in every form, read and unreadable",
    "a wait on the server's own clock, or none",
)
@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ([("Retry-After", "3")], 3.0),
        ([("Retry-After", "0")], 0.0),
        ([("Retry-After", " 7 ")], 7.0),
        ([("Retry-After", "1000000000")], 1e9),
        ([("Retry-After", "3"), ("Retry-After", "5")], 5.0),
        ([("Retry-After", "Sat, 02 Jan 2027 10:00:30 GMT"), DATE], 30.0),
        ([("Retry-After", "Sat, 02 Jan 2027 09:00:00 GMT"), DATE], 0.0),
        ([("Retry-After", "Sat, 02 Jan 2027 10:00:30 GMT")], None),
        ([("Retry-After", "Sat, 02 Jan 2027 10:00:30"), DATE], 30.0),
        ([("Retry-After", "Sat, 02 Jan 2027 10:00:30 -0000"), DATE], 30.0),
        ([("Retry-After", "Sat, 02 Jan 2027 12:00:30 +0200"), DATE], 30.0),
        ([("Retry-After", "-1")], None),
        ([("Retry-After", "soon")], None),
        ([("Retry-After", "")], None),
        ([("Retry-After", "1.5")], None),
        ([("Retry-After", "٣")], None),
        ([], None),
    ],
)
def test_retry_after(fields, seconds):
    """
    Seconds and dates are read; a date is compared with the server's own
    clock; garbage is ignored.
    """
    assert retry_after(Headers(fields)) == seconds


@given(st.datetimes(min_value=datetime(1970, 1, 1)))
def test_dates_are_those_of_rfc_5322(moment):
    """
    The form that servers have to send is read as `email.utils` reads it.
    """
    text = format_datetime(moment.replace(tzinfo=UTC), usegmt=True)

    assert server_date(Headers([("Date", text)])) == parsedate_to_datetime(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:60 GMT", None),
        ("Sun, 06 Nov 1994 24:49:37 GMT", None),
        ("", None),
    ],
)
def test_other_dates(text, moment):
    """
    The obsolete forms of RFC 9110 are read as well, and impossible dates are none.
    """
    assert server_date(Headers([("Date", text)])) == moment


@pytest.mark.parametrize(
    ("age", "seconds"), [("30", 30), (" 5 ", 5), ("", 0), ("soon", None), ("٣", None), ("-1", None)]
)
def test_age_of_an_answer(age, seconds):
    """
    An answer from a cache was given before, and arrives its age later.
    """
    moment = datetime(2027, 1, 2, 10, tzinfo=UTC)
    expected = None if seconds is None else moment + timedelta(seconds=seconds)

    assert server_date(Headers([DATE, ("Age", age)])) == expected


@given(st.text(max_size=40))
def test_any_retry_after(value):
    """
    Whatever the header says, the outcome is a wait or none.
    """
    wait = retry_after(Headers([("Retry-After", value), DATE]))

    assert wait is None or wait >= 0


def test_longest():
    """
    The waits of a call together are at most the sum of the backoffs and a
    quarter of it.
    """
    policy = RetryPolicy(delay=2.0)

    assert policy.longest(0) == 0
    assert policy.longest(1) == 2.5
    assert policy.longest(3) == (2 + 4 + 8) * 1.25


def test_history():
    """
    Each failed attempt is remembered: number, cause, text, status, fate and
    the wait after it.
    """
    call = attempts(RetryPolicy(retries=1))
    last = answered(ServerError, 503, delivery=Delivery.UNKNOWN)

    call.wait_after(ConnectError())
    call.wait_after(last)

    assert last.attempts == (
        AttemptRecord(
            number=1,
            cause="ConnectError",
            message="Conexxus API connection refused. Check API URL.",
            delivery=Delivery.NOT_SENT,
            wait=1.0,
        ),
        AttemptRecord(
            number=2,
            cause="ServerError",
            message="Conexxus API server error (503). Try again later.",
            delivery=Delivery.UNKNOWN,
            status=503,
        ),
    )


def test_a_wait_that_ends_at_the_deadline_is_too_long():
    """
    Nothing can be sent at the very deadline.
    """
    assert attempts(deadline=1.0).wait_after(ConnectError()) is False
    assert attempts(deadline=1.01).wait_after(ConnectError()) == 1.0


def test_jitter():
    """
    Chance decides how much of the quarter is waited.
    """
    policy = RetryPolicy(delay=2.0)

    assert [policy.wait(1, ConnectError(), draw) for draw in (0.0, 0.5, 1.0)] == [2.0, 2.25, 2.5]


def test_status_408_may_have_had_an_effect():
    """
    Of a status that somebody in between may have sent nothing is known.
    """
    assert error_for(408, path="/").delivery == Delivery.UNKNOWN
    assert error_for(409, path="/").delivery == Delivery.REJECTED


def test_error_of_nobody_is_not_repeated():
    """
    What is no error of the client, like a mistake in a transport of one's own,
    ends the call as it is.
    """
    call = attempts()

    assert call.wait_after(ValueError("a mistake")) is False
    assert call.records == []


class Sleeper:
    """
    A clock that is as fast as its sleeps.
    """

    def __init__(self, monkeypatch):
        self.now, self.slept = 100.0, []
        monkeypatch.setattr(time, "sleep", self.sleep)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_wait_without_a_cancellation(monkeypatch):
    """
    stamina waits.
    """
    sleeper = Sleeper(monkeypatch)

    assert retry_hook(attempts())(ConnectError()) == 1.0
    assert retry_hook(attempts(RetryPolicy(retries=0)))(ConnectError()) is False
    assert sleeper.slept == []


def test_wait_that_may_be_cancelled(monkeypatch):
    """
    The hook waits itself, a slice at a time, and nothing is left to stamina.
    """
    sleeper = Sleeper(monkeypatch)
    hook = retry_hook(attempts(RetryPolicy(delay=0.6)))

    with cancellation_scope(lambda: False):
        assert hook(ConnectError()) == 0.0

    assert sleeper.slept == [SLICE_SECONDS, SLICE_SECONDS, pytest.approx(0.1)]


def test_wait_that_is_cancelled(monkeypatch):
    """
    The call ends with the error before, and its attempts.
    """
    sleeper = Sleeper(monkeypatch)
    error = ConnectError()
    call = attempts()

    with cancellation_scope(lambda: len(sleeper.slept) == 2):
        assert retry_hook(call)(error) is False
        assert retry_hook(attempts(RetryPolicy(retries=0)))(ConnectError()) is False

    assert sleeper.slept == [SLICE_SECONDS] * 2
    assert [record.wait for record in error.attempts] == [1.0]
