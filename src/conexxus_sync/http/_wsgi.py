"""
The shim as a WSGI application, for Flask and Django.

a2wsgi does the same, and was tried: it reads for ever where a body is cut off,
hangs in a process that was forked after the import, fails at a query or a path
that is no UTF-8, and does not say who calls where a server has no
`REMOTE_PORT`, so that everybody would count as this machine.
"""

from collections.abc import Coroutine, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Scope

from ._routing import BLOCKING, MAX_BODY


if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

_CUT_OFF = "The body is cut off, or lacks a Content-Length."


class WsgiShim:
    """
    The ASGI application of the shim as a WSGI application (PEP 3333).

    Args:
        app: Waits for nothing but its messages where a scope has `BLOCKING`.
        prefix: Where the routes of the integration are.
        beside: Gets all requests that are not under the prefix; without it,
            the shim answers those, too.
    """

    def __init__(
        self, app: ASGIApp, *, prefix: str, beside: "WSGIApplication | None" = None
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._beside = beside

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """
        One request.
        """
        path = _text(environ.get("PATH_INFO", ""))

        if self._beside is not None and not f"{path}/".startswith(f"{self._prefix}/"):
            return self._beside(environ, start_response)

        start, body = self._answer(environ)
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        ]
        start_response(f"{start['status']} {HTTPStatus(start['status']).phrase}", headers)

        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> tuple[Message, bytes]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": _body(environ)}

        async def send(message: Message) -> None:
            sent.append(message)

        _run(self._app(_scope(environ), receive, send))
        start, *parts = sent

        return start, b"".join(part.get("body", b"") for part in parts)


def _run(coroutine: Coroutine[Any, Any, None] | Any) -> None:
    """
    Run what never waits, without an event loop: a server's thread may have
    one, and gevent runs many requests in a thread.
    """
    try:
        coroutine.send(None)
    except StopIteration:
        return

    coroutine.close()
    msg = "the shim waits for an event loop under WSGI"
    raise RuntimeError(msg)


def _scope(environ: Mapping[str, Any]) -> Scope:
    root = _text(environ.get("SCRIPT_NAME", "")).rstrip("/")

    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "root_path": root,
        "path": root + _text(environ.get("PATH_INFO", "")),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        "headers": [*_headers(environ)],
        "client": (environ.get("REMOTE_ADDR", ""), 0),
        "extensions": {BLOCKING: {}},
    }


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for key, value in environ.items():
        name = key.removeprefix("HTTP_")
        if name != key or (key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value):
            yield name.lower().replace("_", "-").encode("latin-1"), value.encode("latin-1")


def _body(environ: Mapping[str, Any]) -> bytes:
    """
    Read the body, and at most one byte more than is allowed.
    """
    announced = str(environ.get("CONTENT_LENGTH") or "")
    most = MAX_BODY + 1

    if announced.isdecimal():
        length = min(int(announced[:20]), most)
        body: bytes = environ["wsgi.input"].read(length)
        if len(body) < length:
            raise HTTPException(400, _CUT_OFF)
        return body

    if environ.get("wsgi.input_terminated") and not announced:
        whole: bytes = environ["wsgi.input"].read(most)
        return whole

    # Reading might wait for ever.
    if announced or environ.get("HTTP_TRANSFER_ENCODING"):
        raise HTTPException(400, _CUT_OFF)

    return b""


def _text(native: str) -> str:
    """
    Undo PEP 3333: text that carries bytes.
    """
    return native.encode("latin-1").decode("utf-8", "replace")
