"""
The OpenAPI 3.1 document of the shim.
"""

from collections.abc import Iterable
from itertools import chain
from types import UnionType
from typing import Any, get_args

from conexxus_client import __version__
from conexxus_sync.views.json import Health
from conexxus_sync.views.run_document import Run

from ._documents import (
    ConnectionCheck,
    Error,
    Metrics,
    NotStarted,
    OpenApi,
    Outbox,
    PushRequest,
    Quarantine,
    Started,
    schemas,
)
from ._routing import JSON, Route


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


def _query(name: str, description: str, **schema: Any) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _flag(name: str, description: str) -> Json:
    return _query(name, description, type="string", enum=["true", "false"], default="false")


_KIND = {"type": "string", "enum": ["inventory", "sales"], "default": "inventory"}
_LIMIT = _query("limit", "At most so many.", type="integer", minimum=1, maximum=1000, default=100)
_RUN_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "As a trigger returns it.",
    "schema": {"type": "string", "minLength": 1},
}

# By path: the operation's name, its good answers, and its parameters.
_OPERATIONS: dict[str, tuple[str, dict[int, type | UnionType], list[Json]]] = {
    "/health": (
        "health",
        {200: Health, 503: Health | Error},
        [_flag("strict", "Answer 503 when it is unhealthy.")],
    ),
    "/test-connection": ("testConnection", {200: ConnectionCheck}, []),
    "/metrics": ("metrics", {200: Metrics}, [_query("kind", "Runs of which engine.", **_KIND)]),
    "/runs/{id}": ("run", {200: Run, 404: Error}, [_RUN_ID]),
    "/quarantine": ("quarantine", {200: Quarantine}, [_LIMIT]),
    "/outbox": ("outbox", {200: Outbox}, [_LIMIT, _flag("all", "Also batches that are settled.")]),
    "/openapi.json": ("openapi", {200: OpenApi}, []),
    "/sync": ("sync", {202: Started, 409: NotStarted}, []),
    "/push": (
        "push",
        {202: Started, 409: NotStarted},
        [
            _query(
                "date",
                "Only this business date, due or not. Goes before the body.",
                type="string",
                format="date",
            )
        ],
    ),
}
_BODIES = {"/push": PushRequest}


def openapi_document(routes: Iterable[Route], *, prefix: str, guarded: bool) -> Json:
    """
    The interface as it is mounted.

    Args:
        prefix: Where the routes of the integration are.
        guarded: Whether callers need a token.
    """
    paths = {prefix + route.path: {_method(route): _operation(route)} for route in routes}
    answers = [answer for _, answers, _ in _OPERATIONS.values() for answer in answers.values()]

    return {
        "openapi": "3.1.0",
        "info": {
            "title": "conexxus-sdk",
            "version": __version__,
            "description": _INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas(*chain(*map(_members, answers)), PushRequest),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}] if guarded else [],
    }


def _method(route: Route) -> str:
    return "post" if "POST" in (route.methods or ()) else "get"


def _operation(route: Route) -> Json:
    name, answers, parameters = _OPERATIONS[route.path]
    all_answers = {**dict.fromkeys(_errors(route), Error), **answers}
    operation: Json = {
        "operationId": name,
        "summary": " ".join((route.endpoint.__doc__ or "").split()),
        "parameters": parameters,
        "responses": {
            str(status): _response(status, all_answers[status]) for status in sorted(all_answers)
        },
    }

    if route.path in _BODIES:
        operation["requestBody"] = {"content": _content(_BODIES[route.path])}

    return operation


def _errors(route: Route) -> set[int]:
    """
    The statuses of errors that the rules of the shim make possible.
    """
    errors = {400, 401, 403, 429, 431, 500, 503}

    return errors | {408, 413} if _method(route) == "post" else errors


def _response(status: int, answer: type | UnionType) -> Json:
    response: Json = {"description": _WORDS.get(status, "As asked."), "content": _content(answer)}

    if status == 429:
        seconds = {"type": "integer", "minimum": 1}
        response["headers"] = {"Retry-After": {"description": "In seconds.", "schema": seconds}}

    return response


def _content(answer: type | UnionType) -> Json:
    choices = [{"$ref": f"#/components/schemas/{one.__name__}"} for one in _members(answer)]

    return {JSON: {"schema": choices[0] if len(choices) == 1 else {"anyOf": choices}}}


def _members(answer: type | UnionType) -> tuple[Any, ...]:
    return get_args(answer) or (answer,)
