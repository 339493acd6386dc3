"""
The shim as a WSGI application, for Flask and Django.
"""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ._app import App
from ._messages import HttpRequest, HttpResponse, inner_path, joined


if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication


class WsgiShim:
    """
    One `App` as a WSGI application (PEP 3333).

    Args:
        prefix: What the routes of the integration begin with: mounted there,
            or at the root, it answers at the same addresses.
        beside: Gets all requests that are not under the prefix; without it,
            the shim answers those, too.
    """

    def __init__(self, shim: App, *, prefix: str, beside: "WSGIApplication | None" = None) -> None:
        self._shim = shim
        self._prefix = prefix
        self._beside = beside

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """
        One request.
        """
        path = _text(environ.get("PATH_INFO", ""))
        path = inner_path(path, _text(environ.get("SCRIPT_NAME", "")), self._prefix)

        if self._beside is not None and not f"{path}/".startswith(f"{self._prefix}/"):
            return self._beside(environ, start_response)

        response = self._response(_request(environ, path), environ)
        start_response(_status_line(response.status), list(response.headers))

        return [response.body]

    def _response(self, request: HttpRequest, environ: Mapping[str, Any]) -> HttpResponse:
        admitted = self._shim.admit(request)

        if isinstance(admitted, HttpResponse):
            return admitted
        if request.method in ("GET", "HEAD"):
            return self._shim.answer(admitted)

        # One byte more than allowed tells that there is too much.
        body = _body(environ, self._shim.max_body + 1)

        return self._shim.unreadable(request) if body is None else self._shim.answer(admitted, body)


def _request(environ: Mapping[str, Any], path: str) -> HttpRequest:
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=joined(_headers(environ)),
        client=environ.get("REMOTE_ADDR", ""),
        scheme=environ["wsgi.url_scheme"],
    )


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-"), value
        elif key.startswith("HTTP_"):
            yield key.removeprefix("HTTP_").replace("_", "-"), value


def _body(environ: Mapping[str, Any], limit: int) -> bytes | None:
    """
    Read at most *limit* bytes; None if the end is missing, or can't be told.
    """
    announced = str(environ.get("CONTENT_LENGTH") or "")

    if announced.isascii() and announced.isdigit():
        length = min(int(announced), limit)
        body: bytes = environ["wsgi.input"].read(length)
        return body if len(body) == length else None

    if not environ.get("wsgi.input_terminated"):
        # Reading might wait for ever.
        return None if environ.get("HTTP_TRANSFER_ENCODING") else b""

    whole: bytes = environ["wsgi.input"].read(limit)

    return whole


def _text(native: str) -> str:
    """
    Undo PEP 3333: text that carries bytes.
    """
    return native.encode("latin-1").decode("utf-8", "replace")


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
