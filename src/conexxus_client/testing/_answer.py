"""
Answers of the fake back office, before a transport or server sends them.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import attrs

from conexxus_client.config import ApiProfile


JSON = "application/json"
PROBLEM = "application/problem+json"
BODILESS = (204, 304)


@attrs.frozen(kw_only=True)
class Answer:
    """
    One answer.

    Attributes:
        body: All of it, or pieces of at least 64 KiB that are made as they
            are taken.
        note: A word for the log of requests; not sent.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterator[bytes] = attrs.field(default=b"", repr=False)
    note: str = ""

    def having(self, *fields: tuple[str, str]) -> "Answer":
        """
        The same answer with more header fields.
        """
        return attrs.evolve(self, headers=(*self.headers, *fields))

    def close(self) -> None:
        """
        Give back what a streamed body holds, like an open file.
        """
        close = getattr(self.body, "close", None)

        if close is not None:
            close()


class RefusalError(Exception):
    """
    A request that is answered with a problem instead of being acted on.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def json_answer(status: int, value: Any, *, note: str = "") -> Answer:
    """
    *value* as JSON, Decimals as strings with their exact digits.
    """
    return Answer(
        status=status, headers=(("Content-Type", JSON),), body=json_bytes(value), note=note
    )


def problem(status: int, detail: str, **members: Any) -> Answer:
    """
    A problem body (RFC 9457).
    """
    value = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        **members,
    }

    return Answer(
        status=status,
        headers=(("Content-Type", PROBLEM),),
        body=json_bytes(value),
        note=detail,
    )


def envelope(profile: ApiProfile, data: Any, now: datetime) -> bytes:
    """
    *data* in the envelope of a success.
    """
    return json_bytes(
        {profile.success_key: True, profile.data_key: data, "timestamp": timestamp_of(now)}
    )


def timestamp_of(now: datetime) -> str:
    """
    A moment as the back office writes it.
    """
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def title_of(status: int) -> str:
    """
    The reason phrase of *status*, known or not.
    """
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def json_bytes(value: Any) -> bytes:
    """
    Compact JSON; whatever is no JSON type is written as its text.
    """
    return json.dumps(value, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
