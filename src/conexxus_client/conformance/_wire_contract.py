"""
The wire contract as an OpenAPI 3.1 document: what a back office offers, as the client uses it.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from conexxus_client._receipt._receipt_parts import Discount, Tax, Tender
from conexxus_client._version import __version__
from conexxus_client.config import ApiProfile
from conexxus_client.models import Transaction, TransactionLine


Json = dict[str, Any]

_TEXT: Json = {"type": "string", "pattern": r"\S"}
_NUMBER: Json = {"type": "number"}
_DATE: Json = {"type": "string", "format": "date"}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_PLAIN: dict[Any, Json] = {
    str: _TEXT,
    Decimal: _NUMBER,
    int: _NUMBER,
    bool: {"type": "boolean"},
    datetime: _MOMENT,
}
_SENT = (Transaction, TransactionLine, Tender, Tax, Discount)
# Part of the batch, not of a transaction; and what a line without a SKU is sent with.
_ELSEWHERE = {"business_date"}
_ITEM: Json = {
    "type": "object",
    "description": "Other keys are kept.",
    "required": ["sku", "name", "price"],
    "properties": {
        "sku": _TEXT,
        "name": _TEXT,
        "price": {
            "description": "A number, or a plain decimal as text; read digit by digit.",
            "anyOf": [_NUMBER, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}],
        },
        "category": {"type": ["string", "null"]},
        "description": {"type": ["string", "null"]},
    },
}
_ERRORS = {
    "400": "The request can't be read.",
    "401": "The API key is missing or wrong.",
    "404": "There is nothing at this path.",
    "405": "The method is another one.",
    "409": "The idempotency key was used with another body.",
    "422": "Transactions are refused; `rejected` may name them.",
    "429": "Too many requests; `Retry-After` says when to try again.",
    "503": "Not now; `Retry-After` may say when.",
}


def openapi_document(profile: ApiProfile | None = None) -> Json:
    """
    The interface of a back office that keeps the wire contract.

    Args:
        profile: Says other paths and names than the documented ones.
    """
    used = profile or ApiProfile()
    operations = dict(_operations(used))

    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Back office",
            "version": __version__,
            "description": "What a back office offers, as conexxus-sdk uses it.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": operations,
        "components": {
            "schemas": {**_sent_schemas(), **_answer_schemas(used)},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": used.api_key_header}
            },
        },
    }


def _operations(profile: ApiProfile) -> Iterator[tuple[str, Json]]:
    yield profile.health_path, {"get": _operation("health", "Is it well?", _enveloped("Health"))}
    yield profile.catalog_path, {"get": _catalogue(profile)}
    yield profile.sales_path, {"post": _push(profile)}

    if profile.summary_path is not None:
        yield profile.summary_path, {"get": _summary()}


def _catalogue(profile: ApiProfile) -> Json:
    operation = _operation(
        "catalogue",
        "A page of the catalogue, or all of it; the next page is named in the envelope or by Link.",
        {"anyOf": [_reference("Catalogue"), {"type": "array", "items": _reference("Item")}]},
        parameters=[
            _parameter(profile.cursor_parameter, "query", "As the page before names it.", _TEXT),
            _parameter("If-None-Match", "header", "The ETag of the version at hand.", _TEXT),
        ],
        errors=("400", "404"),
    )
    operation["responses"]["200"]["headers"] = {
        "ETag": {"description": "Of this version.", "schema": {"type": "string"}},
        "Link": {"description": 'The next page, `rel="next"`.', "schema": {"type": "string"}},
    }
    operation["responses"]["304"] = {"description": "It is still the version at hand."}

    return operation


def _push(profile: ApiProfile) -> Json:
    operation = _operation(
        "push",
        "Takes the sales of a business date; the same key with the same body is taken once.",
        _enveloped("Receipt"),
        parameters=[
            _parameter(profile.idempotency_header, "header", "Names the batch.", _TEXT),
        ],
        errors=("400", "409", "422"),
    )
    operation["requestBody"] = {"required": True, "content": _content(_reference("Batch"))}
    # With other statuses of success, the answer may be empty.
    operation["responses"] |= {
        str(status): operation["responses"]["200"] for status in profile.push_success_statuses
    }

    return operation


def _summary() -> Json:
    return _operation(
        "summary",
        "What a business date comes to in the books; offered by some.",
        _enveloped("DayTotals"),
        parameters=[
            _parameter("date", "query", "The business date.", _DATE, required=True),
            _parameter(
                "locationId",
                "query",
                "The location.",
                {"type": "string", "minLength": 1},
                required=True,
            ),
        ],
        errors=("400", "404"),
    )


def _operation(
    name: str,
    summary: str,
    answer: Json,
    *,
    parameters: list[Json] | None = None,
    errors: tuple[str, ...] = (),
) -> Json:
    statuses = sorted({"401", "405", "429", "503", *errors})
    refused = {
        status: {"description": _ERRORS[status], "content": _problem()} for status in statuses
    }

    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {"200": {"description": "Done.", "content": _content(answer)}, **refused},
    }


def _parameter(name: str, where: str, description: str, schema: Json, **more: Any) -> Json:
    return {"name": name, "in": where, "description": description, "schema": schema, **more}


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _problem() -> Json:
    return {"application/problem+json": {"schema": _reference("Problem")}}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _enveloped(name: str) -> Json:
    return _reference(f"{name}Envelope")


def _sent_schemas() -> Json:
    """
    What is sent, by the fields of the models.
    """
    schemas = {each.__name__: _schema_of(each) for each in _SENT}
    batch = _object(
        {
            "date": _DATE,
            "locationId": _TEXT,
            "transactions": {"type": "array", "items": _reference("Transaction")},
            "summary": {"type": "object", "description": "Sent where it is asked for."},
        },
        optional={"summary"},
    )

    return {**schemas, "Batch": batch}


def _schema_of(model: type) -> Json:
    hints = get_type_hints(model)
    fields = [it for it in attrs.fields(model) if it.name not in _ELSEWHERE]
    optional = {it.name for it in fields if it.default is not attrs.NOTHING}
    if model is TransactionLine:
        # One that stands for no item has its kind.
        optional |= {"sku"}

    return _object({it.name: _type(hints[it.name]) for it in fields}, optional=optional)


def _type(hint: Any) -> Json:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, UnionType):
        return _type(next(it for it in get_args(hint) if it is not type(None)))
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _reference(get_args(hint)[0].__name__)}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"type": "string", "enum": [it.value for it in hint]}

    return {"type": "object"}


def _object(properties: Json, optional: set[str] | None = None) -> Json:
    required = [name for name in properties if name not in (optional or ())]

    return {"type": "object", "required": required, "properties": properties}


def _answer_schemas(profile: ApiProfile) -> Json:
    counted = {"count": _COUNT, "total": _NUMBER}
    parts = {
        "Health": _object({"status": _TEXT}),
        "Receipt": _object(
            {
                "accepted": _COUNT,
                "rejected": {"type": "array", "items": _object({"id": _TEXT, "error": _TEXT})},
            },
            optional={"accepted", "rejected"},
        ),
        "DayTotals": _object(
            {
                "date": _DATE,
                "locationId": _TEXT,
                **counted,
                "tenders": _list({"type": _TEXT, "amount": _NUMBER}),
                "taxes": _list({"code": _TEXT, "taxable": _NUMBER, "amount": _NUMBER}, {"taxable"}),
                "registers": _list({"register": {"type": ["string", "null"]}, **counted}),
                "paidIn": _object(counted),
                "paidOut": _object(counted),
                "transactions": _list({"id": _TEXT, "total": _NUMBER}),
            },
            optional={"tenders", "taxes", "registers", "paidIn", "paidOut", "transactions"},
        ),
    }
    envelopes = {f"{name}Envelope": _envelope(profile, _reference(name)) for name in parts}
    catalogue = _envelope(profile, {"type": "array", "items": _reference("Item")})
    catalogue["properties"] |= {
        profile.next_cursor_key: {"type": ["string", "null"]},
        profile.total_key: _COUNT,
    }
    problem = _object(
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": _COUNT,
            "detail": {"type": "string"},
            "rejected": {"type": "array"},
        },
        optional={"type", "title", "status", "detail", "rejected"},
    )

    return {**parts, **envelopes, "Catalogue": catalogue, "Item": _ITEM, "Problem": problem}


def _list(properties: Json, optional: set[str] | None = None) -> Json:
    return {"type": "array", "items": _object(properties, optional)}


def _envelope(profile: ApiProfile, data: Json) -> Json:
    return _object(
        {
            profile.success_key: {"const": True},
            profile.data_key: data,
            "timestamp": _MOMENT,
        },
        optional={"timestamp"},
    )
