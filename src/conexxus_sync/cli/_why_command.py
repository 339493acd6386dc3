"""
`conexxus why`: the history of one sale or item.
"""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from conexxus_sync.inventory._item_history import explain_item
from conexxus_sync.model.run_json import moment_to_json
from conexxus_sync.model.sales import TransactionHistory
from conexxus_sync.views.json import batch_to_json

from ._console import write_error, write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted, moment, state_of
from ._session import Session
from ._store_file import opened


def why(name: str, *, session: Session) -> ExitCode:
    """
    Tell all that is known of a sale or an item: what happened, and why.

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
        write_json({"transaction": _history_json(history), "item": item})
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
            yield f"    parked: {batch.parked}. Next: conexxus outbox resolve {batch.key}"

    for delivered in history.delivered:
        if delivered.key is None:
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
        yield f"  {one.business_date}: the host tells otherwise ({one.kind.value}), found {at}"

    for action in history.actions:
        about = "" if action.subject == history.id else f", batch {action.subject}"
        yield (
            f"  {action.business_date}: {action.action} by an operator "
            f"{moment(action.at, zone)}{about}: {action.reason or 'no reason given'}"
        )


def _history_json(history: TransactionHistory) -> dict[str, Any] | None:
    if not history:
        return None

    return {
        "id": history.id,
        "batches": [{"sentAs": one.id, **batch_to_json(one.batch)} for one in history.memberships],
        "delivered": [
            {
                "businessDate": one.business_date.isoformat(),
                "key": one.key,
                "at": moment_to_json(one.at),
                "revision": one.revision,
                "voided": one.voided,
            }
            for one in history.delivered
        ],
        "quarantined": [
            {
                "businessDate": one.business_date.isoformat(),
                "reason": one.reason,
                "at": moment_to_json(one.quarantined_at),
            }
            for one in history.quarantined
        ],
        "discrepancies": [
            {
                "businessDate": one.business_date.isoformat(),
                "kind": one.kind.value,
                "at": moment_to_json(one.found_at),
            }
            for one in history.discrepancies
        ],
        "actions": [
            {
                "businessDate": one.business_date.isoformat(),
                "subject": one.subject,
                "action": one.action,
                "reason": one.reason,
                "at": moment_to_json(one.at),
            }
            for one in history.actions
        ],
    }
