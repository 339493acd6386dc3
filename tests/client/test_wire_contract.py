"""
The OpenAPI document of the wire contract: what is sent and what the sandbox answers fit it.
"""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import jsonschema_rs
import pytest
from databases import IS_SMALL

from conexxus_client import (
    ApiProfile,
    AuthenticationError,
    ClientConfig,
    ConexxusClient,
    Discount,
    SalesBatch,
    StatusError,
    Tax,
    Tender,
    Transaction,
    TransactionLine,
)
from conexxus_client.config import Secret
from conexxus_client.conformance import openapi_document
from conexxus_client.testing import BackOffice, SandboxServer, SandboxTransport


FILE = Path(__file__).parents[2] / "docs/reference/back-office.openapi.json"
DOCUMENT = openapi_document()
DAY = date(2026, 1, 2)
RECEIPT = Transaction(
    id="A-1",
    timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
    register="2",
    kind="sale",
    currency="USD",
    total=Decimal("53.39"),
    tax=Decimal("4.41"),
    discount=Decimal("1.00"),
    rounding=Decimal("0.00"),
    extra={"cashier": "7"},
    items=[
        TransactionLine(
            sku="WINE001",
            name="Wine",
            category="Wine",
            quantity=2,
            price=Decimal("24.99"),
            amount=Decimal("49.98"),
            unit="each",
            kind="item",
            extra={"note": "gift"},
            discounts=[Discount(code="LOYAL", amount=Decimal("1.00"))],
            taxes=[Tax(code="STATE", amount=Decimal("4.41"))],
        )
    ],
    taxes=[
        Tax(
            code="STATE",
            rate=Decimal("9.0"),
            taxable=Decimal("48.98"),
            amount=Decimal("4.41"),
            included=False,
        )
    ],
    tenders=[
        Tender(
            type="cash",
            amount=Decimal("60.00"),
            change=Decimal("6.61"),
            tip=Decimal("0.00"),
            reference="r",
        )
    ],
)
PLAIN = Transaction(
    id="t1",
    timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
    total=Decimal("2.00"),
    items=[TransactionLine(sku="A", quantity=1, price=Decimal("2.00"))],
)


class RecordedOffice(BackOffice):
    """
    Records what it is asked and what it answers.
    """

    def handle(self, method, path, query="", headers=(), body=b"", **more):
        answer = super().handle(method, path, query, headers, body, **more)
        given = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        self.exchanges.append((method.lower(), path, body, answer.status, given))
        return attrs.evolve(answer, body=given)


@pytest.fixture
def office():
    office = RecordedOffice(page_size=2, total=True)
    office.exchanges = []
    return office


def client_of(office, **changed):
    config = ClientConfig(api_url="http://127.0.0.1:9", api_key=office.api_key, retries=0)
    return ConexxusClient(attrs.evolve(config, **changed), transport=SandboxTransport(office))


def problems(exchange):
    """
    Why a request or its answer does not fit the document.
    """
    method, path, body, status, given = exchange
    operation = DOCUMENT["paths"][path][method]

    if str(status) not in operation["responses"]:
        yield f"{path}: {status} is not described"
        return
    schemas = [(given, content) for content in _contents(operation["responses"][str(status)])]
    if body and status < 400:
        schemas += [(body, content) for content in _contents(operation["requestBody"])]
    for text, schema in schemas:
        whole = {**schema, "components": DOCUMENT["components"]}
        validator = jsonschema_rs.validator_for(whole, validate_formats=True)
        yield from (f"{path}: {it.message}" for it in validator.iter_errors(json.loads(text)))


def _contents(described):
    return [it["schema"] for it in described.get("content", {}).values()]


def test_exchanges(office):
    """
    All that the client sends, and all that it is answered, fits the document.
    """
    with client_of(office) as client:
        client.health()
        with client.open_catalog() as read:
            assert len([*read.pages]) > 1
        with client.open_catalog(etag=read.etag) as again:
            assert again.not_modified
        for number, sale in enumerate((RECEIPT, PLAIN)):
            batch = SalesBatch(date=DAY, location_id="loc-001", transactions=[sale])
            client.push_sales(batch, idempotency_key=f"k{number}")
        office.reject, office.reject_mode = {"t1"}, "batch"
        with pytest.raises(StatusError):
            client.push_sales(batch, idempotency_key="k2")
        client.day_totals(DAY, location_id="loc-001")
        office.summary = "totals"
        client.day_totals(DAY, location_id="loc-001")
    with client_of(office, api_key=Secret("wrong")) as client, pytest.raises(AuthenticationError):
        client.health()

    assert {path for _, path, *_ in office.exchanges} == {*DOCUMENT["paths"]}
    assert {status for *_, status, _ in office.exchanges} >= {200, 304, 401, 422}
    assert [it for exchange in office.exchanges for it in problems(exchange)] == []


@pytest.mark.parametrize("model", [Transaction, TransactionLine, Tax, Tender, Discount])
def test_every_field_is_sent(office, model):
    """
    The fields of the models are those of the wire, and each is described.
    """
    with client_of(office) as client:
        batch = SalesBatch(date=DAY, location_id="loc-001", transactions=[RECEIPT])
        client.push_sales(batch, idempotency_key="k")
    (sale,) = json.loads(office.exchanges[0][2])["transactions"]
    (line,), (tax,), (tender,) = sale["items"], sale["taxes"], sale["tenders"]
    sent = {
        "Transaction": {*sale, "discounts"},
        "TransactionLine": {*line},
        "Tax": {*tax},
        "Tender": {*tender},
        "Discount": {*line["discounts"][0]},
    }

    described = DOCUMENT["components"]["schemas"][model.__name__]["properties"]
    assert {*described} == sent[model.__name__]


def test_profile():
    """
    A back office with names of its own has a document of its own.
    """
    profile = ApiProfile(health_path="/ping", summary_path=None, api_key_header="Token")
    document = openapi_document(profile)

    assert {*document["paths"]} == {"/ping", profile.catalog_path, profile.sales_path}
    assert document["components"]["securitySchemes"]["key"]["name"] == "Token"


def test_references():
    """
    What is described is referred to, and what is referred to is described.
    """
    referred = set(re.findall(r"#/components/schemas/(\w+)", repr(DOCUMENT)))

    assert referred | {"Batch"} == DOCUMENT["components"]["schemas"].keys()


def test_file_of_the_docs():
    """
    The docs have the document as it is; CONEXXUS_WRITE_DOCS=1 writes it anew.
    """
    text = json.dumps(DOCUMENT, indent=2) + "\n"
    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        FILE.write_text(text)

    assert FILE.read_text() == text


@pytest.mark.long
@pytest.mark.timeout(300)
def test_schemathesis(tmp_path):
    """
    Whatever is asked that the document describes, the sandbox answers as it says.
    """
    with SandboxServer() as server:
        command = [
            *(Path(sys.executable).with_name("schemathesis"), "run", FILE, "--url", server.url),
            *(f"--header=X-API-Key: {server.office.api_key}", "--no-color", "--seed=1"),
            # What a schema can't say, such as sums, is refused with 422.
            *("--checks=all", "--exclude-checks=positive_data_acceptance"),
            *("--phases=fuzzing", f"--max-examples={3 if IS_SMALL else 20}"),
        ]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)

    assert ended.returncode == 0, ended.stdout[-4000:]
    assert int(re.search(r"([0-9,]+) generated", ended.stdout)[1].replace(",", "")) >= 10
