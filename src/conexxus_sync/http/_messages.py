"""
Requests and responses as plain values, for ASGI and WSGI alike.
"""

import json
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

import attrs


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100


class BadRequestError(Exception):
    """
    The caller asks for what can't be; says what can.
    """


@attrs.frozen(kw_only=True)
class HttpRequest:
    """
    One request.

    Attributes:
        path: Decoded, from the root of the shim, wherever it is mounted.
        query: As it was sent, without the question mark.
        headers: By lower-case name; of a repeated one, the values joined
            by commas.
        client: The address that it came from, as far as it is known.
        captured: What the pattern of the route found in the path.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    client: str = ""
    scheme: str = "http"
    captured: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def parameters(self) -> dict[str, str]:
        """
        Of the query; the last of several wins.

        Raises:
            BadRequestError: There are far too many.
        """
        return _fields(self.query)

    @property
    def form(self) -> dict[str, str]:
        """
        The fields of a submitted form; none if the body is something else.

        Raises:
            BadRequestError: There are far too many.
        """
        return _fields(self.body.decode("utf-8", "replace")) if self.media_type == FORM else {}

    @property
    def cookies(self) -> dict[str, str]:
        """
        By name; none if the header is no cookie header.
        """
        try:
            jar = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return {}

        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def head_size(self) -> int:
        """
        About how many characters came before the body.
        """
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers.items())

        return len(self.path) + len(self.query) + fields

    @property
    def media_type(self) -> str:
        """
        Of the body, in lower case, without parameters.
        """
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@attrs.frozen(kw_only=True)
class HttpResponse:
    """
    One answer; the shim adds the headers that every answer has.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = attrs.field(default=b"", repr=False)

    def has(self, name: str) -> bool:
        """
        Does it bring this header itself?
        """
        return any(given.lower() == name.lower() for given, _ in self.headers)


@attrs.frozen(kw_only=True)
class Answer:
    """
    A status and a JSON document.
    """

    status: int = 200
    document: Mapping[str, Any]


def as_response(answer: Answer, *headers: tuple[str, str]) -> HttpResponse:
    """
    *answer* on its way out, with *headers*.
    """
    # ASCII, so that nothing in a name can turn the text of a terminal around,
    # and half a surrogate pair is no error.
    body = json.dumps(answer.document, ensure_ascii=True, allow_nan=False).encode()

    return HttpResponse(status=answer.status, headers=(("Content-Type", JSON), *headers), body=body)


def error(status: int, sentence: str, *headers: tuple[str, str]) -> HttpResponse:
    """
    Say what is wrong, in the one form that all errors have.
    """
    return as_response(Answer(status=status, document={"error": sentence}), *headers)


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        msg = "there are too many fields"
        raise BadRequestError(msg) from None


def inner_path(path: str, root: str, prefix: str) -> str:
    """
    *path* as the shim's routes know it, wherever a host has mounted it.

    Args:
        root: The part of the address that the host has dealt with.
    """
    root = root.rstrip("/")

    # Hosts differ in whether the path still has the root in front.
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]

    return prefix + path if prefix and root.endswith(prefix) else path


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    By lower-case name; values of a repeated one joined (RFC 9110, 5.3).

    A repeated `Host` or `Origin` so becomes one that nobody allows.
    """
    found: dict[str, str] = {}

    for name, value in headers:
        key = name.lower()
        separator = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{separator}{value}" if key in found else value

    return found
