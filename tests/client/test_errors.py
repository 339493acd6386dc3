"""
Errors as values.
"""

import copy
import pickle

import pytest

import conexxus_client
from conexxus_client import (
    AuthenticationError,
    ConexxusError,
    ConfigurationError,
    ConnectError,
    Delivery,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RejectedTransaction,
    RequestTimeoutError,
    ServerError,
    StatusError,
)
from conexxus_client._calls._error_body import error_for


EVIDENCE = {
    "path": "/x",
    "detail": "because",
    "rejected": [RejectedTransaction(id="t", error="no")],
    "request_id": "r-1",
    "retry_after": 3.0,
}

REDIRECTED = (
    "Conexxus API redirected ({}) to https://t, which is not followed. "
    "Set CONEXXUS_API_URL to the final address."
)


@pytest.mark.parametrize(
    ("status", "cls", "text"),
    [
        (300, RedirectError, REDIRECTED.format(300)),
        (399, RedirectError, REDIRECTED.format(399)),
        (400, StatusError, "Conexxus API error (400): because"),
        (401, AuthenticationError, "Conexxus API authentication failed. Check API key."),
        (403, PermissionDeniedError, "Conexxus API access forbidden. Check permissions."),
        (404, NotFoundError, "Conexxus API endpoint not found: /x"),
        (429, RateLimitError, "Conexxus API rate limit exceeded. Try again later."),
        (499, StatusError, "Conexxus API error (499): because"),
        (500, ServerError, "Conexxus API server error (500). Try again later."),
        (599, ServerError, "Conexxus API server error (599). Try again later."),
    ],
)
def test_error_for(status, cls, text):
    """
    A status has its class, its text, and all the evidence there is.
    """
    error = error_for(status, target="https://t", **EVIDENCE)

    assert type(error) is cls
    assert str(error) == text
    assert (error.status, error.path, error.detail) == (status, "/x", "because")
    assert (error.request_id, error.retry_after) == ("r-1", 3.0)
    assert error.rejected == (RejectedTransaction(id="t", error="no"),)
    assert error.attempts == ()


def test_without_explanation():
    """
    An error that the body does not explain says so.
    """
    assert str(error_for(418, path="/")) == "Conexxus API error (418): no further explanation"
    assert error_for(418, path="/").rejected == ()


def test_texts():
    """
    What is wrong is said in one sentence, for people.
    """
    assert str(ConfigurationError(["a", "b"])) == "a; b"
    assert ConfigurationError(["a", "b"]).problems == ("a", "b")
    assert RequestTimeoutError(250).timeout_ms == 250
    assert RequestTimeoutError(250).delivery == Delivery.UNKNOWN
    assert repr(ConnectError("no")) == "<ConnectError 'no' delivery=not_sent>"
    assert ConnectError().retryable is True
    assert error_for(401, path="/").retryable is False


def _every_error():
    for name, cls in sorted(vars(conexxus_client).items()):
        if isinstance(cls, type) and issubclass(cls, ConexxusError):
            yield pytest.param(cls, id=name)


def _made(cls):
    if issubclass(cls, RedirectError):
        return cls(target="https://t", status=302, **EVIDENCE)
    if issubclass(cls, StatusError):
        return cls(status=418, **EVIDENCE)
    if cls is ConfigurationError:
        return cls(["a"])
    if cls is RequestTimeoutError:
        return cls(5)

    return cls("text", request_id="r", delivery=Delivery.UNKNOWN)


@pytest.mark.parametrize("cls", list(_every_error()))
def test_every_public_error_travels(cls):
    """
    Pickled and deep-copied, it is what it was.
    """
    error = _made(cls)

    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)):
        assert type(twin) is cls
        assert str(twin) == str(error)
        assert twin.__dict__ == error.__dict__


def test_explanation():
    """
    What the back office said follows the text, unless it is part of it.
    """
    said = error_for(401, path="/", detail="key ended")
    other = error_for(422, path="/", detail="no date")

    assert str(said) == "Conexxus API authentication failed. Check API key."
    assert said.explanation == f"{said} The answer said: key ended"
    assert other.explanation == str(other) == "Conexxus API error (422): no date"
    assert ConnectError().explanation == str(ConnectError())
