"""
`conexxus outbox`: list, show, resend, resolve.
"""

from collections.abc import Callable, Iterator
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from conexxus_client import ConfigurationError
from conexxus_sync.model.sales import OPEN_STATES, Batch, BatchState, OutboxError
from conexxus_sync.sales import OutboxOperator
from conexxus_sync.stores._store_protocols import SyncStore
from conexxus_sync.views.json import batch_to_json

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted, moment, table
from ._session import Flag, Given, Session
from ._store_file import changeable, opened
from ._wiring import outbox_operator


def outbox_list(
    *,
    all: Flag = False,  # noqa: A002  # the option's name
    limit: int = 100,
    session: Given,
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
    found = store.outbox.batches(config.location_id, states, limit)

    if session.json:
        write_json([batch_to_json(batch) for batch in found])
    elif not found:
        write_lines(["There is no batch." if all else "Nothing waits: every batch is settled."])
    else:
        rows = [
            (
                batch.short_key,
                batch.business_date.isoformat(),
                state_of(batch),
                f"{batch.transactions:,}",
                f"{batch.total:,}",
                str(batch.attempts),
                moment(batch.sent_at, config.timezone),
                batch.answer or "",
            )
            for batch in found
        ]
        headings = ("key", "date", "state", "sales", "total", "sent", "last", "answer")
        write_lines(table(headings, rows))

    return ExitCode.SUCCESS


def outbox_show(key: str, *, session: Given) -> ExitCode:
    """
    Show one batch and the sales in it.

    ```
    conexxus outbox show 20260102-4f1c2a90
    ```

    Args:
        key: Its idempotency key, or how it begins.
    """
    config, store = opened(session)
    batch = _understood(lambda: _operator(session, store).find(key))

    with store.reading() as connection:
        ids = store.outbox.ids(connection, batch)

    if session.json:
        write_json({**batch_to_json(batch), "transactionIds": ids})
    else:
        write_lines(_shown(batch, ids, config.timezone))

    return ExitCode.SUCCESS


def outbox_resend(key: str, *, force: Flag = False, session: Given) -> ExitCode:
    """
    Let the next push send a batch again: the same bytes under the same key.

    Refused where the back office might not recognise the repetition and the
    sales could be doubled.

    ```
    conexxus outbox resend 20260102-4f1c2a90
    ```

    Args:
        key: Its idempotency key, or how it begins.
        force: Send it again in spite of that, once.
    """
    batch = _understood(lambda: _operator(session).resend(key, force=force))

    if session.json:
        write_json(batch_to_json(batch))
    else:
        write_lines([f"Batch {batch.key} goes with the next push, as it is and under its key."])

    return ExitCode.SUCCESS


def outbox_resolve(
    key: str,
    *,
    delivered: Annotated[bool | None, Parameter(negative="--not-delivered")] = None,
    session: Given,
) -> ExitCode:
    """
    Settle a batch of unknown fate, once you have asked the back office.

    ```
    conexxus outbox resolve 20260102-4f1c2a90 --delivered
    conexxus outbox resolve 20260102-4f1c2a90 --not-delivered
    ```

    Args:
        key: Its idempotency key, or how it begins.
        delivered: The back office has the sales; or it has not, and they are
            sent in a new batch.
    """
    if delivered is None:
        problem = "outbox resolve needs what the back office said: --delivered or --not-delivered"
        raise ConfigurationError([problem])

    batch = _understood(lambda: _operator(session).resolve(key, delivered=delivered))
    sales = counted(batch.transactions, "sale")

    if session.json:
        write_json(batch_to_json(batch))
    elif delivered:
        write_lines([f"{sales} of {batch.business_date} marked as delivered."])
    else:
        write_lines([f"{sales} of {batch.business_date} go in a new batch with the next push."])

    return ExitCode.SUCCESS


def state_of(batch: Batch) -> str:
    """
    A batch's state in a word or two.
    """
    return f"{batch.state.value}, parked" if batch.parked else batch.state.value


def _shown(batch: Batch, ids: list[str], zone: ZoneInfo | None) -> Iterator[str]:
    yield f"Batch {batch.key}"
    yield f"  business date  {batch.business_date}"
    yield f"  state          {state_of(batch)}"
    yield f"  sales          {batch.transactions:,}, {batch.total:,}"
    yield f"  frozen         {moment(batch.frozen_at, zone)}"
    yield f"  sent           {counted(batch.attempts, 'time')}, last {moment(batch.sent_at, zone)}"
    yield f"  answer         {batch.answer or 'none'}"

    if batch.unknown_since is not None:
        yield f"  in doubt since {moment(batch.unknown_since, zone)}"
    if batch.parked is not None:
        yield f"  parked         {batch.parked}"
        yield "  Ask the back office whether it has these sales, then: conexxus outbox resolve"

    yield f"  {', '.join(ids)}"


def _operator(session: Session, store: SyncStore | None = None) -> OutboxOperator:
    return outbox_operator(session, store or changeable(session)[1])


def _understood(work: Callable[[], Batch]) -> Batch:
    """
    What can't be done to a batch is a wrong use of the command.
    """
    try:
        return work()
    except OutboxError as exc:
        raise ConfigurationError([str(exc)]) from exc
