"""
The OpenAPI 3.1 document of the shim.
"""

from collections.abc import Mapping
from typing import Any

from conexxus_client import __version__

from ._routing import JSON
from ._schemas import DATE, SCHEMAS


Json = dict[str, Any]

_INTRODUCTION = """\
Lets other programs of a store ask the SDK how catalogue and sales are, and
start a pull or a push.  Every answer that is an error is `{"error": "…"}`.
"""
_WORDS = {
    400: "What was asked for can't be.",
    401: "The token is missing or wrong.",
    403: "The name of the host is not allowed, or another site's page asks.",
    404: "There is none.",
    408: "The body did not arrive in time.",
    409: "Nothing was started; the message says why.",
    413: "The body is too long.",
    429: "Too many requests; `Retry-After` says when to try again.",
    431: "The head of the request is too long.",
    500: "Something is wrong here; the log has more under the number of the incident.",
    503: "The SDK's own state can't be used, or nothing can be started now, or the health is "
    "bad and `strict` was asked for.",
}
_LIMIT = {
    "name": "limit",
    "in": "query",
    "description": "At most so many.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
}


def openapi_document(*, prefix: str, guarded: bool) -> Json:
    """
    The interface as it is mounted.

    Args:
        prefix: Where the routes of the integration are.
        guarded: Whether callers need a token.
    """
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "conexxus-sdk",
            "version": __version__,
            "description": _INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {prefix + path: methods for path, methods in _paths().items()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}] if guarded else [],
    }

    return document


def _paths() -> dict[str, Json]:
    return {
        "/health": {"get": _health()},
        "/test-connection": {"get": _test_connection()},
        "/metrics": {"get": _metrics()},
        "/runs/{id}": {"get": _run()},
        "/quarantine": {"get": _quarantine()},
        "/outbox": {"get": _outbox()},
        "/openapi.json": {"get": _self()},
        "/sync": {"post": _sync()},
        "/push": {"post": _push()},
    }


def _health() -> Json:
    strict = _flag("strict", "Answer 503 when it is unhealthy.")
    told: dict[int, str | list[str]] = {200: "Health", 503: ["Health", "Error"]}

    return _operation("health", "How the integration is", told, [strict], errors=(400,))


def _test_connection() -> Json:
    told = {200: "ConnectionCheck"}

    return _operation("testConnection", "Ask the back office, now", told, errors=(429,))


def _metrics() -> Json:
    kind = {
        "name": "kind",
        "in": "query",
        "description": "Runs of which engine.",
        "schema": {"type": "string", "enum": ["inventory", "sales"], "default": "inventory"},
    }

    return _operation(
        "metrics", "The last ten finished runs", {200: "Metrics"}, [kind], errors=(400, 503)
    )


def _run() -> Json:
    run_id = {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "As a trigger tells it.",
        "schema": {"type": "string", "minLength": 1},
    }

    return _operation(
        "run", "One run, finished or at work", {200: "Run"}, [run_id], errors=(404, 503)
    )


def _quarantine() -> Json:
    return _operation(
        "quarantine",
        "What was set aside, and why",
        {200: "Quarantine"},
        [_LIMIT],
        errors=(400, 503),
    )


def _outbox() -> Json:
    settled = _flag("all", "Also batches that are settled.")

    return _operation(
        "outbox",
        "Batches of sales, those that are not settled",
        {200: "Outbox"},
        [_LIMIT, settled],
        errors=(400, 503),
    )


def _self() -> Json:
    return _operation("openapi", "This document", {200: "OpenApi"})


def _sync() -> Json:
    told = {202: "Started", 409: "NotStarted"}

    return _operation(
        "sync", "Start a pull of the catalogue", told, errors=(400, 408, 413, 429, 503)
    )


def _push() -> Json:
    business_date = {
        "name": "date",
        "in": "query",
        "description": "Only this business date, due or not. Goes before the body.",
        "schema": DATE,
    }
    operation = _operation(
        "push",
        "Start a push of the sales: those that are due, or those of one business date",
        {202: "Started", 409: "NotStarted"},
        [business_date],
        errors=(400, 408, 413, 429, 503),
    )
    operation["requestBody"] = {"required": False, "content": _content("PushRequest")}

    return operation


def _operation(
    name: str,
    summary: str,
    told: Mapping[int, str | list[str]],
    parameters: list[Json] | None = None,
    *,
    errors: tuple[int, ...] = (),
) -> Json:
    """
    One operation with all its answers; some errors are possible everywhere.
    """
    everywhere = dict.fromkeys((*errors, 401, 403, 431, 500), "Error")
    answers = {**everywhere, **told}

    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            str(status): _response(status, answers[status]) for status in sorted(answers)
        },
    }


def _response(status: int, names: str | list[str]) -> Json:
    response: Json = {"description": _WORDS.get(status, "As asked."), "content": _content(names)}

    if status == 429:
        seconds = {"type": "integer", "minimum": 1}
        response["headers"] = {"Retry-After": {"description": "In seconds.", "schema": seconds}}

    return response


def _content(names: str | list[str]) -> Json:
    if isinstance(names, str):
        return {JSON: {"schema": {"$ref": f"#/components/schemas/{names}"}}}

    choices = [{"$ref": f"#/components/schemas/{name}"} for name in names]

    return {JSON: {"schema": {"anyOf": choices}}}


def _flag(name: str, description: str) -> Json:
    schema = {"type": "string", "enum": ["true", "false"], "default": "false"}

    return {"name": name, "in": "query", "description": description, "schema": schema}
