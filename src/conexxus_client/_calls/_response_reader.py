"""
Reads complete answers: health, the receipt of a push, details of an error.
"""

import codecs
from collections.abc import Callable
from datetime import date as Date  # noqa: N812  # an argument is called `date`
from typing import Any

import attrs

from conexxus_client._codec import DayTotals, decode_day_totals
from conexxus_client._codec._json import BOM, decode_json
from conexxus_client._codec._server_message import (
    NO_PAGE,
    is_page,
    page_message,
    server_message,
    shortened,
)
from conexxus_client.config import ApiProfile
from conexxus_client.errors import DecodeError, EnvelopeError
from conexxus_client.models import ApiHealth, PushReceipt, RejectedTransaction

from ._push_verdict import PushVerdict, error_text
from ._wire_types import Response


SUCCESS = (200, 201)

_ENVELOPE = ("success", "timestamp", "ok")


def read_health(response: Response, profile: ApiProfile) -> ApiHealth:
    """
    What the back office says of itself.

    Raises:
        DecodeError: The body is no JSON.
        EnvelopeError: The body is no envelope.
    """
    envelope = _envelope(response)
    data = envelope.get(profile.data_key)
    status = (data if isinstance(data, dict) else envelope).get("status")
    success = envelope.get(profile.success_key)

    if profile.healthy_statuses is None:
        ok = success is True and isinstance(data, dict) and status == "ok"
    else:
        words = {word.casefold() for word in profile.healthy_statuses}
        # A health check may have no envelope; but what it has must not say no.
        ok = success in (True, None) and str(status).casefold() in words

    shown = status if isinstance(status, str) else server_message(envelope) or "no status"

    return ApiHealth(ok=ok, status=shown[:100], latency=response.seconds)


def read_receipt(response: Response, profile: ApiProfile) -> PushReceipt:
    """
    What the back office says it took.

    Raises:
        DecodeError: The body is no JSON.
        EnvelopeError: It does not say `success`, or says it in a way that
            can't be understood: its effect is unknown.
    """
    if not response.body and response.status not in SUCCESS:
        # Of a status that the profile names; it is all there is.
        return PushReceipt(request_id=response.headers.get(profile.request_id_header))

    envelope = _envelope(response)

    if envelope.get(profile.success_key) is not True:
        raise EnvelopeError(f"the back office did not confirm the push: {error_text(envelope)}")

    data = envelope.get(profile.data_key)

    if isinstance(data, dict) and data.get(profile.success_key) is False:
        raise EnvelopeError(f"the back office did not confirm the push: {error_text(data)}")

    verdict = PushVerdict.of(envelope, profile.data_key)

    return PushReceipt(
        accepted=verdict.accepted_count,
        rejected=tuple(verdict.rejected.values()),
        duplicates=verdict.duplicates,
        duplicate_ids=tuple(sorted(verdict.duplicate_ids)),
        least=min(verdict.counts, default=None),
        complaint="; ".join(verdict.complaints[:3]) or None,
        request_id=response.headers.get(profile.request_id_header),
    )


def read_day_totals(
    response: Response, profile: ApiProfile, date: Date, location_id: str
) -> DayTotals:
    """
    What *date* comes to in the books of the back office.

    Raises:
        DecodeError: The body is no JSON, or a part of it can't be read.
        EnvelopeError: It does not say `success`, or is about something else.
    """
    envelope = _envelope(response)

    if envelope.get(profile.success_key) is not True:
        raise EnvelopeError(f"the back office did not give its totals: {error_text(envelope)}")

    totals = decode_day_totals(envelope.get(profile.data_key))

    if (totals.date, totals.location_id) != (date, location_id):
        raise EnvelopeError(
            f"the totals are of {totals.date} at {totals.location_id[:60]}, "
            f"not of {date} at {location_id[:60]}"
        )

    return totals


def error_detail(response: Response) -> str | None:
    """
    What an error's body says is wrong, in 200 characters or less.

    Of a body that is no JSON, a firewall's page for example, it is the title or
    the beginning.
    """
    if not response.body.strip():
        return None

    # In another encoding, the key is not the bytes that were looked for.
    text = response.redact(_text(response.body))
    legible = attrs.evolve(response, body=text.encode())

    try:
        value = _decode(legible)
    except DecodeError:
        is_markup = text.lstrip().startswith("<")
        # What was escaped is legible now.
        said: str | None = response.redact(page_message(legible.body) if is_markup else text)
    else:
        said = server_message(value) or (text if _says_more(value) else None)

    return said and shortened(said)


def _text(body: bytes) -> str:
    """
    An error's body; a server of another century writes it in its own alphabet.
    """
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")

    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        # Cut off after so many bytes, or by the network.
        is_cut = exc.reason == "unexpected end of data"
        return body.decode("utf-8" if is_cut else "cp1252", "replace")


def _says_more(value: Any) -> bool:
    """
    Has it anything but the envelope of a refusal, like a code?
    """
    return isinstance(value, dict) and any(
        part not in (None, "", [], {}) for key, part in value.items() if key not in _ENVELOPE
    )


def rejected_transactions(response: Response) -> tuple[RejectedTransaction, ...]:
    """
    The transactions that a refusal of the whole batch names, at either level.
    """
    try:
        body = _decode(response)
    except DecodeError:
        return ()

    if not isinstance(body, dict):
        return ()

    return tuple(PushVerdict.of(body, "data").rejected.values())


def _envelope(response: Response) -> dict[str, Any]:
    if not response.body.removeprefix(BOM):
        raise EnvelopeError(f"the answer is empty (status {response.status})")

    if is_page(response.body):
        page = response.redact(page_message(response.body))
        raise DecodeError(f"the answer is {page}. {NO_PAGE}")

    envelope = _decode(response)

    if not isinstance(envelope, dict):
        raise EnvelopeError("the answer is no envelope, like {'success': true, …}")

    return envelope


def _decode(response: Response) -> Any:
    # A byte order mark is no part of the text; some servers send one.
    body = response.body.removeprefix(BOM)
    value = decode_json(body)

    # Without an escape, a text is the bytes that were redacted before.
    return value if body.isascii() and b"\\" not in body else _redacted(value, response.redact)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """
    *value* without the key: JSON can spell a text in more ways than can be
    found before it is read.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(part, redact) for part in value]
    if isinstance(value, dict):
        return {redact(name): _redacted(part, redact) for name, part in value.items()}

    return value
