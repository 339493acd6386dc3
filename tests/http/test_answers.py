"""
What every answer has, and what none has.
"""

import logging

import httpx
import pytest

from conexxus_sync import StoreError


PREFIX = "/integrations/conexxus"
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@pytest.fixture
def client(url):
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_headers_of_every_answer(client, service, monkeypatch):
    """
    No answer may be kept, framed, sniffed or read by another site.
    """

    def broken():
        raise RuntimeError

    monkeypatch.setattr(service, "health", broken)

    answers = [
        client.get("/health"),
        client.get(f"{PREFIX}/metrics"),
        client.get(f"{PREFIX}/metrics?kind=x"),
        client.get("/health", headers={"Host": "evil.example"}),
        client.get("/nothing"),
        client.get(f"{PREFIX}/sync"),
        client.options(f"{PREFIX}/sync"),
        client.post(f"{PREFIX}/push", content=b"x" * 70_000),
        client.get(f"{PREFIX}/health"),
    ]

    assert [answer.status_code for answer in answers] == [
        200,
        200,
        400,
        403,
        404,
        405,
        204,
        413,
        500,
    ]
    for answer in answers:
        assert HEADERS.items() <= answer.headers.items()
        assert "server" not in answer.headers


def test_nothing_of_a_request_comes_back_as_a_header(url, exchange):
    """
    Line breaks in a path or a query start no header in the answer.
    """
    planted = "%0d%0aX-Planted:%20yes%0d%0a%0d%0a"

    for target in (f"{PREFIX}/runs/{planted}", f"/{planted}", f"{PREFIX}/metrics?kind={planted}"):
        status, headers, body = exchange(url, f"GET {target} HTTP/1.1", "Host: localhost")
        assert status in (400, 404)
        assert "x-planted" not in headers
        assert b"X-Planted" not in body


def test_store_that_fails(client, service, monkeypatch, caplog):
    """
    The caller gets an incident to ask for; which file it was is in the log.
    """

    def broken(*_, **__):
        raise StoreError("the store /srv/shop/conexxus.db failed")

    monkeypatch.setattr(service, "metrics", broken)

    answer = client.get(f"{PREFIX}/metrics")

    (record,) = [one for one in caplog.records if one.name == "conexxus_sync.http._routing"]
    assert answer.status_code == 503
    assert answer.json() == {
        "error": f"The SDK's own state can't be used, incident {record.incident}."
    }
    assert (record.method, record.path) == ("GET", f"{PREFIX}/metrics")
    assert "/srv/shop" in logging.Formatter().formatException(record.exc_info)
