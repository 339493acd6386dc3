"""
Answers a request for the catalogue: conditional, in pages, streamed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Literal
from urllib.parse import urlencode

import attrs

from conexxus_client.config import ApiProfile
from conexxus_client.testing._answer import JSON, Answer, RefusalError, json_bytes, problem

from ._catalog_sources import CatalogSource, RawBody


CHUNK_SIZE = 64 * 1024

Paging = Literal["cursor", "link"]
Shape = Literal["envelope", "array"]
Etag = Literal["strong", "weak", "off"]


@attrs.frozen(kw_only=True)
class CatalogSettings:
    """
    How the catalogue is presented; see `BackOffice`.
    """

    page_size: int | None
    link: bool
    envelope: bool
    total: bool | int
    etag: Etag
    profile: ApiProfile


def answer_catalog(
    source: CatalogSource | RawBody,
    settings: CatalogSettings,
    *,
    path: str,
    parameters: Mapping[str, str],
    if_none_match: str | None,
    timestamp: str,
) -> Answer:
    """
    The page that *parameters* ask for, or 304.

    Raises:
        RefusalError: 400, the cursor is not one of this catalogue.
    """
    etag = _etag_for(source.fingerprint(), settings.etag)
    fields = [("Content-Type", JSON)]

    if etag:
        fields.append(("ETag", etag))
    if etag and if_none_match and _etag_matches(if_none_match, etag):
        return Answer(status=304, headers=tuple(fields[1:]), note="not modified")
    if isinstance(source, RawBody):
        return Answer(status=200, headers=tuple(fields), body=source.body)

    start = _start_index(parameters.get(settings.profile.cursor_parameter))
    stop = None if settings.page_size is None else start + settings.page_size
    next_cursor = None if stop is None or stop >= source.count() else f"p{stop}"
    if next_cursor and settings.link:
        fields.append(("Link", _link(path, parameters, next_cursor, settings.profile)))
    pieces = source.pieces(start, stop)
    opening, closing = b"[", b"]"
    if settings.envelope:
        opening, closing = _envelope_parts(source, settings, next_cursor, timestamp)

    return Answer(
        status=200, headers=tuple(fields), body=_body_from(_chunks(opening, pieces, closing))
    )


def _etag_for(fingerprint: str, kind: Etag) -> str | None:
    if kind == "off":
        return None

    return f'W/"{fingerprint}"' if kind == "weak" else f'"{fingerprint}"'


def _etag_matches(if_none_match: str, etag: str) -> bool:
    """
    Weak comparison, as RFC 9110, section 13.1.2, wants it.
    """
    sent = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]

    return "*" in sent or etag.removeprefix("W/") in sent


def _start_index(cursor: str | None) -> int:
    if not cursor:
        return 0
    number = re.fullmatch("p([0-9]{1,12})", cursor)
    if number is None:
        raise RefusalError(problem(400, "The cursor is not one of this catalogue."))

    return int(number[1])


def _link(path: str, parameters: Mapping[str, str], cursor: str, profile: ApiProfile) -> str:
    query = urlencode({**parameters, profile.cursor_parameter: cursor})

    return f'<{path}?{query}>; rel="next"'


def _envelope_parts(
    source: CatalogSource, settings: CatalogSettings, next_cursor: str | None, timestamp: str
) -> tuple[bytes, bytes]:
    """
    The envelope, before and after its items.
    """
    profile = settings.profile
    tail: dict[str, str | int] = {"timestamp": timestamp}

    if settings.total is not False:
        tail[profile.total_key] = source.count() if settings.total is True else settings.total
    if next_cursor and not settings.link:
        tail[profile.next_cursor_key] = next_cursor
    opening = f"{{{json.dumps(profile.success_key)}:true,{json.dumps(profile.data_key)}:["

    return opening.encode(), b"]," + json_bytes(tail)[1:]


def _chunks(opening: bytes, pieces: Iterator[bytes], closing: bytes) -> Iterator[bytes]:
    """
    The body in pieces of at least 64 KiB, but for the last.
    """
    buffered, size, comma = [opening], len(opening), False

    for piece in pieces:
        if comma:
            buffered.append(b",")
        buffered.append(piece)
        size += len(piece)
        comma = True
        if size >= CHUNK_SIZE:
            yield b"".join(buffered)
            buffered, size = [], 0
    yield b"".join([*buffered, closing])


def _body_from(chunks: Iterator[bytes]) -> bytes | Iterator[bytes]:
    """
    A small body as a whole, so that its length is known.
    """
    first = next(chunks)
    second = next(chunks, None)

    return first if second is None else _rejoined(first, second, chunks)


def _rejoined(first: bytes, second: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    # Unlike `itertools.chain`, this can be closed, and a file with it.
    yield from chunks
