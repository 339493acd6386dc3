"""
What a back office says is wrong, in one line: of JSON in the forms that are in use,
of pages, of text.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from http import HTTPStatus
from typing import Any


MAX_MESSAGE = 200
NO_PAGE = "A login page of the network or a firewall may be in between; check CONEXXUS_API_URL."

# In this order; names are compared without case, underscores and hyphens.
_TEXT_KEYS = (
    *("error", "message", "detail", "errordescription", "errormessage", "msg", "reason"),
    *("errormsg", "err", "errortext", "failurereason", "failure", "usermessage", "messages"),
    *("developermessage", "statusmessage", "statustext", "responsemessage", "resultmessage"),
    *("text", "cause", "info"),
    *("description", "faultstring", "fault", "exception", "title", "value"),
)
_LIST_KEYS = ("errors", "modelstate", "violations", "invalidparams", "details", "issues")
_PLACE_KEYS = ("field", "loc", "pointer", "path", "property", "propertypath", "param", "name")
# They say less than what stands beside them.
_PHRASES = {status.phrase.lower() for status in HTTPStatus} | {"error", "fail", "failed", "true"}
_CODE = re.compile(r"[A-Za-z.:-]*[_0-9][\w.:-]*|[A-Z.]+", re.ASCII)
_JOINTS = str.maketrans("", "", "_-")
_MAX_DEPTH = 6
_MAX_ENTRIES = 3

# HTML, complete or a piece of it, behind what may stand before it.
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s+|<!--.*?-->|<\?xml[^>]*>)*<(?:!doctype\s+html|html|head|body|title"
    rb"|meta|center|h[1-6]|p|div|script|style|b|br|hr|table|form|iframe|span|a|img|pre)\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>?")


def server_message(value: Any) -> str | None:
    """
    What a decoded body says is wrong; None if it says nothing.

    Read are RFC 9457, JSON:API, OData, GraphQL, OAuth, and what frameworks
    make of a mistake.
    """
    said = _said(value, 0)

    return said and shortened(said)


def is_page(body: bytes) -> bool:
    """
    Is *body* a page for a browser?
    """
    return _PAGE.match(body) is not None


def page_message(body: bytes) -> str:
    """
    What a page, or other markup, is and says: its title, or its first words.
    """
    text = _UNSEEN.sub(" ", body[: 64 * 1024].decode("utf-8", "replace"))
    titled = _TITLE.search(text)
    words = unescape(_TAG.sub(" ", titled.group(2) if titled else text))
    kind = "an HTML page" if is_page(body) else "a document"

    return shortened(f"{kind}: {_one_line(words)}".removesuffix(": "))


def shortened(text: str) -> str:
    """
    The beginning of *text*, on one line.
    """
    line = _one_line(text)

    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def printable(text: str) -> str:
    """
    *text* for logs and terminals: one line, no escape codes.
    """
    return "".join(char if char.isprintable() else " " for char in text)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def _said(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return _one_line(value[: 4 * MAX_MESSAGE]) or None
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return _joined(_said(one, depth + 1) for one in value)
    if isinstance(value, dict):
        return _said_by_object(value, depth + 1)

    return None


def _said_by_object(value: Mapping[str, Any], depth: int) -> str | None:
    keys = {str(key).lower().translate(_JOINTS): one for key, one in value.items()}
    texts = [text for key in _TEXT_KEYS if (text := _said(keys.get(key), depth))]
    best = next((text for text in texts if not _is_weak(text)), None)
    listed = _joined(_listed(keys.get(key), depth) for key in _LIST_KEYS)
    said = _combined(best or (None if listed else next(iter(texts), None)), listed)

    return _placed(keys, said) if said else _said_elsewhere(value, depth)


def _is_weak(text: str) -> bool:
    """
    Is *text* a code, or a phrase that only repeats the status?
    """
    return text.lower() in _PHRASES or _CODE.fullmatch(text) is not None


def _combined(text: str | None, listed: str | None) -> str | None:
    if text is None or listed is None or listed in text:
        return text or listed

    return listed if text in listed else f"{text.rstrip('.:')}: {listed}"


def _listed(found: Any, depth: int) -> str | None:
    return _said_by_object(found, depth) if isinstance(found, dict) else _said(found, depth)


def _said_elsewhere(value: Mapping[str, Any], depth: int) -> str | None:
    """
    What fields with lists of texts say, like `{"date": ["is required"]}`, or an
    object within.
    """
    named = _joined(
        f"{key}: {text}"
        for key, one in value.items()
        if isinstance(one, list) and one and all(isinstance(part, str) for part in one)
        if (text := _said(one, depth))
    )

    inner = (_said(one, depth) for one in value.values() if isinstance(one, dict))

    return named or next(filter(None, inner), None)


def _placed(keys: Mapping[str, Any], said: str) -> str:
    """
    *said* with the field that it is about, if that is named.
    """
    source = keys.get("source")
    places = {**keys, **source} if isinstance(source, dict) else keys
    place = next((places[key] for key in _PLACE_KEYS if places.get(key)), None)

    if isinstance(place, list):
        place = ".".join(str(part) for part in place if isinstance(part, str | int))
    if not isinstance(place, str) or place in said or "timestamp" in keys:
        # Beside a timestamp stands the path of the request.
        return said

    return f"{_one_line(place[:60])}: {said}"


def _joined(texts: Iterator[str | None]) -> str | None:
    distinct: dict[str, None] = {}

    for text in texts:
        if text:
            distinct[text] = None
        if len(distinct) > _MAX_ENTRIES:
            break

    more = "; …" if len(distinct) > _MAX_ENTRIES else ""

    return "; ".join(list(distinct)[:_MAX_ENTRIES]) + more or None
