"""
Calls and sales for the sandbox's own tests.
"""

import json
import socket
from urllib.parse import urlsplit

import pytest

from conexxus_client.testing import BackOffice, SandboxServer


KEY = {"X-API-Key": "sandbox-key"}
ITEMS = "/api/v1/inventory/items"
PUSH = "/api/v1/sales/push"


def sale_json(ident, total="49.98"):
    return (
        f'{{"id":"{ident}","timestamp":"2026-01-02T10:00:00Z","total":{total},'
        f'"items":[{{"sku":"WINE001","quantity":2,"price":24.99}}]}}'
    )


def body_of(*idents, day="2026-01-02", location="loc-001", total="49.98"):
    sales = ",".join(sale_json(ident, total) for ident in idents)
    text = f'{{"date":"{day}","locationId":"{location}","transactions":[{sales}]}}'
    return text.encode()


class Caller:
    """
    Asks a back office directly and reads its JSON.
    """

    def __init__(self, office):
        self.office = office

    def get(self, path=ITEMS, query="", **headers):
        return self.office.handle("GET", path, query, {**KEY, **headers})

    def push(self, *idents, key=None, body=None, **kinds):
        headers = {**KEY, **({"Idempotency-Key": key} if key else {})}
        return self.office.handle("POST", PUSH, "", headers, body or body_of(*idents, **kinds))


class Wire:
    """
    A raw connection to a server: what is sent is what was written here.
    """

    def __init__(self, server):
        parts = urlsplit(server.url)
        self.sock = socket.create_connection((parts.hostname, parts.port), timeout=20)

    def send(self, method="GET", path="/api/v1/health", body=b"", **headers):
        fields = {"Host": "sandbox", **KEY, **headers}
        if body:
            fields["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.sock.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        return self

    def rest(self):
        received = bytearray()
        while piece := self.sock.recv(65536):
            received += piece
        return bytes(received)

    def until(self, mark):
        received = bytearray()
        while mark not in received and (piece := self.sock.recv(65536)):
            received += piece
        return bytes(received)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def text_of(answer):
    body = answer.body
    return body if isinstance(body, bytes) else b"".join(body)


def read(answer):
    return json.loads(text_of(answer))


def header(answer, name):
    return next((v for k, v in answer.headers if k.lower() == name.lower()), None)


@pytest.fixture
def office():
    return BackOffice()


@pytest.fixture
def caller(office):
    return Caller(office)


@pytest.fixture
def server(office):
    with SandboxServer(office) as running:
        yield running


@pytest.fixture
def tools():
    """
    The plain functions above, for modules that can't import this one.
    """
    from types import SimpleNamespace

    return SimpleNamespace(
        Caller=Caller,
        Wire=Wire,
        body_of=body_of,
        sale_json=sale_json,
        text_of=text_of,
        read=read,
        header=header,
        KEY=KEY,
        ITEMS=ITEMS,
        PUSH=PUSH,
    )
