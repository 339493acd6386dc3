"""
`conexxus why`: what became of one sale, or of one item.
"""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from conexxus_sync.inventory._item_history import why_item
from conexxus_sync.model.run_json import moment_to_json
from conexxus_sync.model.sales import Story
from conexxus_sync.stores import open_store
from conexxus_sync.views.json import batch_to_json

from ._console import complain, say, say_json
from ._exit_codes import ExitCode
from ._outbox import state_of
from ._run_text import counted, moment
from ._session import Given


def why(name: str, *, session: Given) -> ExitCode:
    """
    Tell all that is known of a sale or an item: what happened, and why.

    ```
    conexxus why txn-001
    conexxus why WINE001 --json
    ```

    Args:
        name: The id of a transaction, or a SKU.
    """
    config = session.sync_config()
    store, location_id = open_store(config.store), config.location_id
    story = store.outbox.upkeep.story(location_id, name)
    item = why_item(store, location_id, name, zone=config.timezone)

    if session.json:
        say_json({"transaction": _story_json(story), "item": item})
    elif story or item:
        say(_told_of_sale(story, config.timezone))
        say(item)

    if story or item:
        return ExitCode.SUCCESS

    complain(f"neither a sale nor an item of location {location_id} is known as {name[:60]}")
    return ExitCode.FAILED


def _told_of_sale(story: Story, zone: ZoneInfo | None) -> Iterator[str]:
    if story:
        yield f"Sale {story.id}"

    for handing in story.handings:
        batch, sent_as = handing.batch, handing.id
        named = "" if sent_as == story.id else f" as {sent_as}"
        yield f"  {batch.business_date}: in batch {batch.key}{named}, {state_of(batch)}"
        yield (
            f"    frozen {moment(batch.frozen_at, zone)}, sent {counted(batch.attempts, 'time')}, "
            f"last {moment(batch.sent_at, zone)}; answer: {batch.answer or 'none'}"
        )
        if batch.parked:
            yield f"    parked: {batch.parked}. Next: conexxus outbox resolve {batch.key}"

    for delivered in story.delivered:
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

    for entry in story.quarantined:
        at = moment(entry.quarantined_at, zone)
        yield f"  {entry.business_date}: set aside {at}: {entry.reason}"

    for one in story.discrepancies:
        at = moment(one.found_at, zone)
        yield f"  {one.business_date}: the host tells otherwise ({one.kind.value}), found {at}"


def _story_json(story: Story) -> dict[str, Any] | None:
    if not story:
        return None

    return {
        "id": story.id,
        "batches": [{"sentAs": one.id, **batch_to_json(one.batch)} for one in story.handings],
        "delivered": [
            {
                "businessDate": one.business_date.isoformat(),
                "key": one.key,
                "at": moment_to_json(one.at),
                "revision": one.revision,
                "voided": one.voided,
            }
            for one in story.delivered
        ],
        "quarantined": [
            {
                "businessDate": one.business_date.isoformat(),
                "reason": one.reason,
                "at": moment_to_json(one.quarantined_at),
            }
            for one in story.quarantined
        ],
        "discrepancies": [
            {
                "businessDate": one.business_date.isoformat(),
                "kind": one.kind.value,
                "at": moment_to_json(one.found_at),
            }
            for one in story.discrepancies
        ],
    }
