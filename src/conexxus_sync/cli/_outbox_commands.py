"""
`conexxus outbox`: list, show.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from conexxus_client import ConfigurationError
from conexxus_sync.model.formatting import money
from conexxus_sync.model.sales import OPEN_STATES, Batch, BatchState
from conexxus_sync.model.text_folding import table
from conexxus_sync.views.json import BatchAndSales, batch_document

from ._console import screen_width, write_json, write_lines
from ._exit_codes import ExitCode
from ._operator import outbox_operator, understood
from ._run_text import counted, moment, state_of
from ._session import Session
from ._store_file import opened


def outbox_list(
    *,
    all: bool = False,  # noqa: A002  # the option's name
    limit: int = 100,
    session: Session,
) -> ExitCode:
    """
    List the batches that are not settled, latest business date first.

    ```
    conexxus outbox list
    conexxus outbox list --all --json | jq '.[] | select(.parked)'
    ```

    Args:
        all: Also those that were delivered, rejected or resolved.
        limit: How many.
    """
    if limit < 1:
        raise ConfigurationError([f"--limit must be at least 1, got {limit}"])

    config, store = opened(session)
    states = tuple(BatchState) if all else OPEN_STATES
    with store.read() as state:
        found = state.outbox.batches(states, limit)

    if session.json:
        write_json([batch_document(batch) for batch in found])
    elif not found:
        write_lines(["There is no batch." if all else "Nothing waits: every batch is settled."])
    else:
        rows = [
            (
                batch.short_key,
                batch.business_date.isoformat(),
                state_of(batch),
                f"{batch.transactions:,}",
                money(batch.total),
                str(batch.attempts),
                moment(batch.sent_at, config.timezone),
                batch.answer or "",
            )
            for batch in found
        ]
        headings = ("key", "date", "state", "sales", "total", "sent", "last", "answer")
        write_lines(table(headings, rows, width=screen_width()))

    return ExitCode.SUCCESS


def outbox_show(key: str, *, session: Session) -> ExitCode:
    """
    Show one batch and the sales in it.

    ```
    conexxus outbox show 20260102-4f1c2a90
    ```

    Args:
        key: Its idempotency key, or how it begins.
    """
    config, store = opened(session)
    batch = understood(lambda: outbox_operator(session, config).find(key))

    with store.read() as state:
        ids = state.outbox.ids(batch)

    if session.json:
        write_json(BatchAndSales.of(batch, transaction_ids=ids))
    else:
        write_lines(_shown(batch, ids, config.timezone))

    return ExitCode.SUCCESS


def _shown(batch: Batch, ids: list[str], zone: ZoneInfo | None) -> Iterator[str]:
    yield f"Batch {batch.key}"
    yield f"  business date  {batch.business_date}"
    yield f"  state          {state_of(batch)}"
    yield f"  sales          {batch.transactions:,}, {money(batch.total)}"
    yield f"  frozen         {moment(batch.frozen_at, zone)}"
    yield f"  sent           {counted(batch.attempts, 'time')}, last {moment(batch.sent_at, zone)}"
    yield f"  answer         {batch.answer or 'none'}"

    if batch.parent is not None:
        yield f"  divided from   {batch.parent}"
    if batch.unknown_since is not None:
        yield f"  in doubt since {moment(batch.unknown_since, zone)}"
    if batch.parked is not None:
        yield f"  parked         {batch.parked}"
        yield "  Ask the back office whether it has these sales; if it has them, then:"
        yield f"    conexxus outbox resolve {batch.short_key} --delivered"
        yield "  If it has none of them:"
        yield f"    conexxus outbox resolve {batch.short_key} --not-delivered"

    yield f"  {', '.join(ids)}"
