"""
Answers a push of sales: records, replays or refuses it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

import attrs

from conexxus_client.config import ApiProfile
from conexxus_client.testing._answer import JSON, Answer, envelope, problem
from conexxus_client.testing._faults._fault_script import OK, Fault, Kind

from ._ledger import Ledger
from ._ledger_file import Push
from ._sales_body import Sale, SalesReport, read_sales


SalesMode = Literal["append", "replace_day"]
Dedupe = Literal["key", "transaction_id", "none"]
RejectMode = Literal["listed", "batch", "blind"]
Reject = Callable[[Sale], "str | bool | None"] | Iterable[str] | Mapping[str, str]

REFUSED = "Refused by the back office"


@attrs.frozen(kw_only=True)
class SalesSettings:
    """
    How sales are treated; see `BackOffice`.
    """

    sales_mode: SalesMode
    dedupe: Dedupe
    key_ttl: timedelta | None
    reject: Reject
    reject_mode: RejectMode
    profile: ApiProfile
    now: datetime


def answer_push(
    ledger: Ledger,
    settings: SalesSettings,
    key: str | None,
    body: bytes,
    fault: Fault = OK,
) -> Answer:
    """
    Record a push in *ledger*, unless it is known, and answer it.

    Args:
        fault: A sale that is booked wrong, if any.

    Raises:
        RefusalError: 400 or 422, the body is no sales report.
    """
    digest = hashlib.sha256(body).hexdigest()
    known = _known_push(ledger, settings, key)

    if known and known.digest != digest:
        return problem(409, f"Idempotency key {key} was used with another body.")
    if known:
        return _replay(known)

    report = read_sales(body)
    rejected = list(_rejected(settings.reject, report.sales))
    if rejected and settings.reject_mode != "listed":
        listed = {"rejected": rejected} if settings.reject_mode == "batch" else {}
        return problem(422, f"{len(rejected)} transactions were refused.", **listed)

    return _record_push(ledger, settings, report, rejected, key=key, digest=digest, fault=fault)


def _known_push(ledger: Ledger, settings: SalesSettings, key: str | None) -> Push | None:
    push = ledger.by_key(key) if key is not None and settings.dedupe == "key" else None

    if push is None or settings.key_ttl is None:
        return push

    return push if settings.now - push.at < settings.key_ttl else None


def _replay(push: Push) -> Answer:
    return Answer(
        status=push.status,
        headers=(("Content-Type", JSON), ("Idempotent-Replayed", "true")),
        body=push.answer.encode(),
        note=f"{push.date} {push.location}: known, answered as before",
    )


def _record_push(
    ledger: Ledger,
    settings: SalesSettings,
    report: SalesReport,
    rejected: list[dict[str, str]],
    *,
    key: str | None,
    digest: str,
    fault: Fault,
) -> Answer:
    refused = {entry["id"] for entry in rejected}
    accepted = [sale for sale in report.sales if sale.id not in refused]
    body = envelope(
        settings.profile, {"accepted": len(accepted), "rejected": rejected}, settings.now
    )

    sales = tuple(_new_sales(ledger, settings, report.location, accepted))
    push = Push(
        at=settings.now,
        location=report.location,
        date=report.date,
        key=key,
        digest=digest,
        mode=settings.sales_mode,
        sales=sales,
        answer=body.decode(),
    )

    # Before the answer: a push that can't be recorded has not happened.
    for booked in _booked(push, fault):
        ledger.record(booked)

    return Answer(
        status=200,
        headers=(("Content-Type", JSON),),
        body=body,
        note=f"{report.date} {report.location}: {len(accepted)} taken, {len(rejected)} refused",
    )


def _booked(push: Push, fault: Fault) -> Iterator[Push]:
    """
    What is booked of *push* under a fault of the books.
    """
    named = tuple(sale for sale in push.sales if sale.id == fault.sale)
    others = tuple(sale for sale in push.sales if sale.id != fault.sale)

    if fault.kind is Kind.DOUBLE:
        yield attrs.evolve(push, sales=push.sales + named)
        return
    if fault.kind is Kind.MISDATE and named:
        day = fault.date or push.date
        yield attrs.evolve(push, date=day, key=None, mode="append", sales=named)
    yield attrs.evolve(push, sales=others) if named else push


def _rejected(reject: Reject, sales: Iterable[Sale]) -> Iterator[dict[str, str]]:
    reason_for = _reason_function(reject)

    for sale in sales:
        reason = reason_for(sale)

        if reason:
            yield {"id": sale.id, "error": REFUSED if reason is True else reason}


def _reason_function(reject: Reject) -> Callable[[Sale], "str | bool | None"]:
    if callable(reject):
        return reject
    if isinstance(reject, Mapping):
        return lambda sale: reject.get(sale.id)
    ids = set(reject)

    return lambda sale: sale.id in ids


def _new_sales(
    ledger: Ledger, settings: SalesSettings, location: str, sales: Iterable[Sale]
) -> Iterator[Sale]:
    """
    The sales that are not recognised by their id.
    """
    seen: set[str] = set()

    for sale in sales:
        if settings.dedupe == "transaction_id":
            # A whole day that is sent again consists of known ids.
            known = settings.sales_mode == "append" and ledger.knows(location, sale.id)
            if known or sale.id in seen:
                continue
        seen.add(sale.id)
        yield sale
