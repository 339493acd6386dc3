"""
Handlers of the buttons on the page.
"""

from datetime import date
from typing import Protocol
from urllib.parse import unquote

import attrs
from starlette.exceptions import HTTPException

from conexxus_client import ConexxusError, ConnectionCheck
from conexxus_sync.health._overview import Overview
from conexxus_sync.http._routing import HttpRequest
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.sales import OutboxOperator
from conexxus_sync.scheduling._background_runs import Trigger

from ._flash_messages import Note


class PageService(Protocol):
    """
    What the page asks of `ConexxusService`.
    """

    def overview(self) -> Overview: ...

    def trigger_sync(self, *, force: bool = False, accept: str | None = None) -> Trigger: ...

    def trigger_push(self, business_date: date | None = None) -> Trigger: ...

    def replay_item(self, key: str) -> SyncRun: ...

    def replay_sale(self, business_date: date, transaction_id: str) -> bool: ...

    def outbox_operator(self) -> OutboxOperator: ...

    def test_connection(self) -> ConnectionCheck: ...


@attrs.frozen
class Actions:
    """
    One method for each button.
    """

    service: PageService

    def sync(self, request: HttpRequest) -> Note:
        """
        Pull the catalogue now.
        """
        return _told("The pull", self.service.trigger_sync())

    def push(self, request: HttpRequest) -> Note:
        """
        Push all sales that are due.
        """
        return _told("The push", self.service.trigger_push())

    def accept(self, request: HttpRequest) -> Note:
        """
        Apply the catalogue that was refused, if it is still the same.
        """
        trigger = self.service.trigger_sync(accept=_field(request, "run"))

        return _told("The pull of exactly this catalogue", trigger)

    def replay_item(self, request: HttpRequest) -> Note:
        """
        Look at an item again.
        """
        key = unquote(_field(request, "key"))
        run = self.service.replay_item(key)

        if run.last_error is not None:
            return Note(f"{key} is in the catalogue, but {run.last_error}", failed=True)

        return Note(f"{key} is in the catalogue now.")

    def replay_sale(self, request: HttpRequest) -> Note:
        """
        Let a sale go with the next push of its date.
        """
        key = unquote(_field(request, "key"))
        day = _date(_field(request, "date"))

        if not self.service.replay_sale(day, key):
            return Note(f"{key} is no longer in quarantine.", failed=True)

        return Note(f"{key} of {day} goes with the next push.")

    def resolve(self, request: HttpRequest) -> Note:
        """
        Settle a batch of unknown fate as the back office answered.
        """
        key, answer = unquote(_field(request, "key")), _field(request, "delivered")

        if answer not in ("yes", "no"):
            raise HTTPException(400, "delivered must be yes or no.")

        delivered = answer == "yes"
        operator = self.service.outbox_operator()
        batch = operator.resolve(key, delivered=delivered, reason="decided on the page")
        sales = counted(batch.transactions, "sale")

        if delivered:
            return Note(f"{sales} marked as delivered.")

        return Note(f"{sales} will be sent with the next push, in a new batch.")

    def probe(self, request: HttpRequest) -> Note:
        """
        Ask the back office how it is.
        """
        check = self.service.test_connection()

        if not check.success:
            return Note(check.message, failed=True)

        return Note(f"{check.message}, in {check.latency_ms} ms.")


def refused(exc: ConexxusError) -> Note:
    """
    Why it was not done.
    """
    text = str(exc)

    return Note(f"{text[:1].upper()}{text[1:]}", failed=True)


def _told(what: str, trigger: Trigger) -> Note:
    if trigger.skipped is not None:
        return Note(f"{what} was not started: {trigger.skipped}", failed=True)
    if trigger.already_running:
        return Note(f"{what} was not started: another is at work already.", failed=True)

    return Note(f"{what} has started.")


def _field(request: HttpRequest, name: str) -> str:
    value = request.fields.get(name)

    if not value:
        raise HTTPException(400, f"the form lacks {name}.")

    return value


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, "the date is none.") from None
