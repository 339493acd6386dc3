"""
`conexxus why`: the history of one sale or item.
"""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from conexxus_sync.inventory._item_history import explain_item
from conexxus_sync.model.sales import DiscrepancyKind, TransactionHistory
from conexxus_sync.views.json import Batch
from conexxus_sync.views.run_document import Document, Moment

from ._console import write_error, write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted, moment, state_of
from ._session import Session
from ._store_file import opened


def why(name: str, *, session: Session) -> ExitCode:
    """
    Print all that is stored about a sale or an item: what happened, and why.

    ```
    conexxus why txn-001
    conexxus why WINE001 --json
    ```

    Args:
        name: The id of a transaction, or a SKU.
    """
    config, store = opened(session)
    with store.read() as state:
        history = state.outbox_maintenance.history(name)
    item = explain_item(store, name, zone=config.timezone)

    if session.json:
        write_json(Explanation(history_document(history), item))
    elif history or item:
        write_lines(_sale_lines(history, config.timezone))
        write_lines(item)

    if history or item:
        return ExitCode.SUCCESS

    write_error(f"neither a sale nor an item of location {store.location} is known as {name[:60]}")
    return ExitCode.FAILED


def _sale_lines(history: TransactionHistory, zone: ZoneInfo | None) -> Iterator[str]:
    if history:
        yield f"Sale {history.id}"

    for handing in history.memberships:
        batch, sent_as = handing.batch, handing.id
        named = "" if sent_as == history.id else f" as {sent_as}"
        yield f"  {batch.business_date}: in batch {batch.key}{named}, {state_of(batch)}"
        yield (
            f"    frozen {moment(batch.frozen_at, zone)}, sent {counted(batch.attempts, 'time')}, "
            f"last {moment(batch.sent_at, zone)}; answer: {batch.answer or 'none'}"
        )
        if batch.parent:
            yield f"    divided from batch {batch.parent}"
        if batch.parked:
            yield f"    parked: {batch.parked}. Next: conexxus outbox show {batch.short_key}"

    for delivered in history.delivered:
        if delivered.key is None and history.memberships:
            yield (
                f"  {delivered.business_date}: what the back office has is not what was sent; "
                "a change at the till is reported, and not taken back by the push"
            )
        elif delivered.key is None:
            yield (
                f"  {delivered.business_date}: taken for delivered by something else, "
                f"since {moment(delivered.at, zone)}; this store never sent it"
            )
        elif delivered.voided:
            yield f"  {delivered.business_date}: taken back {moment(delivered.at, zone)}"
        else:
            at = moment(delivered.at, zone)
            yield f"  {delivered.business_date}: the back office has it since {at}"

    for entry in history.quarantined:
        at = moment(entry.quarantined_at, zone)
        yield f"  {entry.business_date}: set aside {at}: {entry.reason}"

    for one in history.discrepancies:
        at = moment(one.found_at, zone)
        yield f"  {one.business_date}: it differs at the till ({one.kind.value}), found {at}"

    for action in history.actions:
        about = "" if action.subject == history.id else f", batch {action.subject}"
        yield (
            f"  {action.business_date}: {action.action} by an operator "
            f"{moment(action.at, zone)}{about}: {action.reason or 'no reason given'}"
        )


class SentBatch(Batch, frozen=True):
    """
    A batch in which the sale was, and the id that it had in it.
    """

    # Not a keyword, so that it comes first.
    sent_as: str


class Delivered(Document, frozen=True):
    """
    The sale as the back office has it.
    """

    business_date: date
    key: str | None
    at: Moment
    revision: int
    voided: bool


class SetAside(Document, frozen=True):
    """
    The sale in quarantine.
    """

    business_date: date
    reason: str
    at: Moment


class Contradicted(Document, frozen=True):
    """
    What the host says otherwise.
    """

    business_date: date
    kind: DiscrepancyKind
    at: Moment


class Action(Document, frozen=True):
    """
    What an operator did.
    """

    business_date: date
    subject: str
    action: str
    reason: str | None
    at: Moment


class SaleHistory(Document, frozen=True):
    """
    All that is known of one sale, oldest first.
    """

    id: str
    batches: list[SentBatch]
    delivered: list[Delivered]
    quarantined: list[SetAside]
    discrepancies: list[Contradicted]
    actions: list[Action]


class Explanation(Document, frozen=True):
    """
    All that is known under one name.
    """

    transaction: SaleHistory | None
    item: list[str]


def history_document(history: TransactionHistory) -> SaleHistory | None:
    """
    *history* with exactly the documented keys; None if nothing is known.
    """
    if not history:
        return None

    return SaleHistory(
        id=history.id,
        batches=[SentBatch.of(one.batch, sent_as=one.id) for one in history.memberships],
        delivered=[*map(Delivered.of, history.delivered)],
        quarantined=[SetAside.of(one, at=one.quarantined_at) for one in history.quarantined],
        discrepancies=[Contradicted.of(one, at=one.found_at) for one in history.discrepancies],
        actions=[*map(Action.of, history.actions)],
    )
