"""
Each row of the error table, caused by a real server on a real socket.
"""

import copy
import json
import pickle
import socket
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from canary import CANARY, everything_about, traces
from conexxus_client import (
    AuthenticationError,
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    Delivery,
    EnvelopeError,
    HostNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    RetryPolicy,
    SalesBatch,
    ServerError,
    StatusError,
    TlsError,
    Transaction,
    TransactionLine,
)


BATCH = SalesBatch(
    date=date(2026, 1, 2),
    location_id="loc-001",
    transactions=[
        Transaction(
            id="txn-001",
            timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
            total=Decimal("49.98"),
            items=[TransactionLine(sku="WINE001", quantity=2, price=Decimal("24.99"))],
        )
    ],
)

PATH = "/api/v1/inventory/items"


def _status(status, body):
    """
    The fault that answers so.
    """
    return f"status({status}, body={json.dumps(body)})"


ROWS = [
    (401, AuthenticationError, "Conexxus API authentication failed. Check API key.", 1),
    (403, PermissionDeniedError, "Conexxus API access forbidden. Check permissions.", 1),
    (404, NotFoundError, f"Conexxus API endpoint not found: {PATH}", 1),
    (429, RateLimitError, "Conexxus API rate limit exceeded. Try again later.", 1),
    (500, ServerError, "Conexxus API server error (500). Try again later.", 4),
    (502, ServerError, "Conexxus API server error (502). Try again later.", 4),
    (503, ServerError, "Conexxus API server error (503). Try again later.", 4),
    (504, ServerError, "Conexxus API server error (504). Try again later.", 4),
    (599, ServerError, "Conexxus API server error (599). Try again later.", 4),
]


@pytest.mark.parametrize(("status", "error", "message", "requests"), ROWS)
def test_statuses(connect, office, server, status, error, message, requests):
    """
    A status has its class and its message; only 5xx is retried.
    """
    office.faults(f"catalog: {status}*forever")

    with pytest.raises(error) as info:
        connect(server.url).fetch_items()

    assert type(info.value) is error
    assert str(info.value) == message
    assert server.requests["catalog"] == requests
    assert len(info.value.attempts) == requests


@pytest.mark.parametrize("key", ["error", "message", "detail"])
def test_other_statuses(connect, office, server, key):
    """
    Any other 4xx says what the body says.
    """
    body = f'{{"success":false,"{key}":"date is in the future"}}'
    office.faults(_status(422, body))

    with pytest.raises(StatusError) as info:
        connect(server.url).push_sales(BATCH, idempotency_key="k")

    assert type(info.value) is StatusError
    assert str(info.value) == "Conexxus API error (422): date is in the future"
    assert info.value.delivery == Delivery.REJECTED
    assert server.requests["sales"] == 1


def eventually(fact):
    """
    A busy server may count a request after its caller has given up.
    """
    deadline = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_refused(connect):
    """
    Nobody listens: nothing was sent.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(ConnectError) as info:
        connect(f"http://127.0.0.1:{port}").push_sales(BATCH, idempotency_key="k")

    assert str(info.value) == "Conexxus API connection refused. Check API URL."
    assert info.value.delivery == Delivery.NOT_SENT
    assert len(info.value.attempts) == 4


def test_unknown_host(connect):
    """
    A name that can't exist (RFC 6761) does not resolve.
    """
    with pytest.raises(HostNotFoundError) as info:
        connect("https://back-office.invalid").health()

    assert str(info.value) == "Conexxus API host not found. Check API URL."
    assert info.value.delivery == Delivery.NOT_SENT


def test_slow(connect, office, server):
    """
    Whatever never answers is given up after CONEXXUS_TIMEOUT; a push of
    unknown fate was repeated under the same key.
    """
    office.faults("hang*forever")

    with pytest.raises(RequestTimeoutError) as info:
        connect(server.url, timeout_ms=600, retries=1).push_sales(BATCH, idempotency_key="k")

    assert str(info.value) == "Conexxus API request timeout after 600ms"
    assert info.value.delivery == Delivery.UNKNOWN
    eventually(lambda: server.requests["sales"] == 2)


@pytest.mark.parametrize("fault", ["reset", "close", "truncate"])
def test_lost(connect, office, server, fault):
    """
    A connection that breaks off is named, and the call is repeated.
    """
    office.faults(f"{fault}*forever")

    with pytest.raises(ConnectionLostError) as info:
        connect(server.url).push_sales(BATCH, idempotency_key="k")

    assert info.value.delivery == Delivery.UNKNOWN
    assert server.requests["sales"] == 4


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects(connect, office, server, code):
    """
    A redirect is refused, and only its origin is named; the key goes
    nowhere.
    """
    office.faults(f'redirect("https://other.example/login?token=s3cret", code={code})')

    with pytest.raises(RedirectError) as info:
        connect(server.url).push_sales(BATCH, idempotency_key="k")

    assert "https://other.example" in str(info.value)
    assert "s3cret" not in str(info.value)
    assert server.requests["sales"] == 1


@pytest.fixture
def plain_server():
    """
    A port that says what a web server says to a TLS handshake.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_http_spoken_on_a_tls_address(connect, plain_server):
    """
    https:// to a port that speaks http is a TLS error, and not retried.
    """
    with pytest.raises(TlsError) as info:
        connect(plain_server).health()

    assert info.value.delivery == Delivery.NOT_SENT
    assert len(info.value.attempts) == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", EnvelopeError),
        ("<html>Please log in</html>", DecodeError),
        ('{"success":false,"error":"not today"}', EnvelopeError),
        ('{"success":"true"}', EnvelopeError),
        ('[{"success":true}]', EnvelopeError),
        ('{"success":true,"data":{"accepted":"all"}}', EnvelopeError),
    ],
)
def test_answers_that_confirm_nothing(connect, office, server, body, error):
    """
    A 200 that does not say success leaves the push's fate unknown.
    """
    office.faults(_status(200, body))

    with pytest.raises(error) as info:
        connect(server.url).push_sales(BATCH, idempotency_key="k")

    assert info.value.delivery == Delivery.UNKNOWN
    assert server.requests["sales"] == 1


@pytest.mark.parametrize("status", [202, 204, 205, 206])
def test_success_without_content(connect, office, server, status):
    """
    A success other than the documented ones is named, never "0 items".
    """
    office.faults(f"{status}*forever")

    with pytest.raises(EnvelopeError):
        connect(server.url).fetch_items()


def test_one_unknown_attempt_makes_the_call_unknown(connect, office, server):
    """
    Reset after commit, then refused: the batch may have arrived, and the
    error says so.
    """
    office.faults("after_commit(reset), 401")

    with pytest.raises(AuthenticationError) as info:
        connect(server.url).push_sales(BATCH, idempotency_key="k")

    assert info.value.delivery == Delivery.UNKNOWN
    assert [record.delivery for record in info.value.attempts] == ["unknown", "rejected"]
    assert [record.status for record in info.value.attempts] == [None, 401]


def test_errors_pickle_and_copy(connect, office, server):
    """
    An error survives pickle and deepcopy with all its evidence.
    """
    office.faults("503(retry_after=0)*forever")

    with pytest.raises(ServerError) as info:
        connect(server.url).health()

    for twin in (pickle.loads(pickle.dumps(info.value)), copy.deepcopy(info.value)):
        assert type(twin) is ServerError
        assert str(twin) == str(info.value)
        assert twin.__dict__ == info.value.__dict__
        assert twin.request_id


def test_the_key_is_nowhere(connect, office, server, caplog):
    """
    Neither errors nor logs nor reprs show the API key.
    """
    caplog.set_level("DEBUG")
    office.faults("401, reset*forever")
    office.api_key = "another"
    client = connect(server.url, api_key=CANARY)

    for call in (client.health, client.fetch_items):
        with pytest.raises(ConexxusError) as info:
            call()
        assert traces(CANARY, *everything_about(info.value)) == []

    assert traces(CANARY, caplog.text, repr(client.client.config)) == []


def test_waits(monkeypatch, office, server, backend):
    """
    The waits are 1, 2, 4 times the delay plus at most a quarter.
    """
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    office.faults("503*forever")
    config = ClientConfig(
        api_url=server.url, api_key="sandbox-key", retry_delay_ms=200, http_backend=backend
    )

    with ConexxusClient(config) as client, pytest.raises(ServerError) as info:
        client.fetch_items()

    waits = [wait for wait in waits if wait >= 0.2]
    assert len(waits) == 3
    assert waits == [record.wait for record in info.value.attempts[:3]]
    for n, wait in enumerate(waits):
        assert 0.2 * 2**n <= wait <= 0.2 * 2**n * 1.25


def test_policy_may_retry_rate_limits(connect, office, server):
    """
    429 is retried if asked for, and waits as long as the server says.
    """
    office.faults("429(retry_after=0)")
    policy = RetryPolicy(delay=0.001, retry_rate_limited=True)

    assert connect(server.url, retry_policy=policy).health().ok is True
    # A health check retries once only.
    assert server.requests["health"] == 2
