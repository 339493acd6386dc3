"""
`conexxus outbox`: resend, resolve, accept-discrepancy.
"""

from datetime import date as Date  # noqa: N812  # an option is called `date`
from decimal import Decimal
from shlex import quote
from typing import Annotated

from cyclopts import Parameter

from conexxus_client import ConfigurationError
from conexxus_sync.model.formatting import money
from conexxus_sync.model.sales import Batch
from conexxus_sync.views.json import batch_document

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._operator import outbox_operator, understood
from ._run_text import counted
from ._session import Session, given_day
from ._store_file import changeable


def outbox_resend(
    key: str | None = None,
    *,
    all: bool = False,  # noqa: A002  # the option's name
    date: str | None = None,
    force: bool = False,
    dry_run: bool = False,
    reason: str | None = None,
    session: Session,
) -> ExitCode:
    """
    Let the next push send a batch again: the same bytes under the same key.

    Refused where the back office might not recognise the repetition and the
    sales could be doubled. Of many, those stay parked.

    ```
    conexxus outbox resend 20260102-4f1c2a90
    conexxus outbox resend --all --dry-run
    ```

    Args:
        key: Its idempotency key, or how it begins.
        all: All batches of unknown fate.
        date: All of this business date.
        force: Send it again in spite of that, once.
        dry_run: Only count them.
        reason: For the record; `conexxus why` shows it.
    """
    only = _selection("resend", key, date, all=all, dry_run=dry_run)
    operator = outbox_operator(session, changeable(session)[0])

    if key is not None:
        batch = understood(lambda: operator.resend(key, force=force, reason=reason))
        if session.json:
            write_json(batch_document(batch))
        else:
            write_lines([f"Batch {batch.key} goes with the next push, as it is and under its key."])
        return ExitCode.SUCCESS

    found = operator.undecided(only)
    if _shown_counts(found, session, dry_run=dry_run):
        return ExitCode.SUCCESS

    sent = operator.resend_all(only, force=force, reason=reason)
    left = len(found) - len(sent)
    if session.json:
        write_json([batch_document(batch) for batch in sent])
    else:
        write_lines([f"{counted(len(sent), 'batch', 'batches')} with the next push, as they are."])
    if left and not session.json:
        not_sent = counted(left, "batch", "batches")
        advice = "Ask the back office, then: conexxus outbox resolve --all --delivered"
        write_lines(
            [f"{not_sent} not, as the sales could be doubled.", f"{advice} (or --not-delivered)"]
        )

    return ExitCode.SUCCESS


def outbox_resolve(
    key: str | None = None,
    *,
    delivered: Annotated[bool | None, Parameter(negative="--not-delivered")] = None,
    all: bool = False,  # noqa: A002  # the option's name
    date: str | None = None,
    dry_run: bool = False,
    reason: str | None = None,
    session: Session,
) -> ExitCode:
    """
    Settle a batch of unknown fate, once you have asked the back office.

    ```
    conexxus outbox resolve 20260102-4f1c2a90 --delivered
    conexxus outbox resolve 20260102-4f1c2a90 --not-delivered
    conexxus outbox resolve --all --not-delivered --dry-run
    conexxus outbox resolve --date 2026-01-02 --not-delivered --reason "down for maintenance"
    ```

    Args:
        key: Its idempotency key, or how it begins.
        delivered: The back office has the sales; or it has not, and they are
            sent in a new batch.
        all: All batches of unknown fate.
        date: All of this business date.
        dry_run: Only count them.
        reason: For the record; `conexxus why` shows it.
    """
    only = _selection("resolve", key, date, all=all, dry_run=dry_run)

    if delivered is None:
        problem = "outbox resolve needs what the back office said: --delivered or --not-delivered"
        raise ConfigurationError([problem])

    operator = outbox_operator(session, changeable(session)[0])

    if key is not None:
        batch = understood(lambda: operator.resolve(key, delivered=delivered, reason=reason))
        if session.json:
            write_json(batch_document(batch))
        else:
            write_lines([_resolved([batch], f" of {batch.business_date}", delivered=delivered)])
        return ExitCode.SUCCESS

    if _shown_counts(operator.undecided(only), session, dry_run=dry_run):
        return ExitCode.SUCCESS

    settled = operator.resolve_all(only, delivered=delivered, reason=reason)
    if session.json:
        write_json([batch_document(batch) for batch in settled])
    else:
        write_lines([_resolved(settled, "", delivered=delivered)])

    return ExitCode.SUCCESS


def outbox_accept_discrepancy(
    name: str, *, reason: str | None = None, session: Session
) -> ExitCode:
    """
    Take a delivered sale that the till changed or removed for known.

    It is not sent again, and alerts no more, until the till changes it once
    more.

    ```
    conexxus outbox accept-discrepancy txn-001 --reason "corrected at the back office"
    ```

    Args:
        name: The id of the sale, as `conexxus runs --kind sales --json` has it.
        reason: For the record; `conexxus why` shows it.
    """
    dates = outbox_operator(session, changeable(session)[0]).accept_discrepancy(name, reason=reason)

    if not dates:
        problem = f"no delivered sale {name[:60]} was changed: see conexxus why {quote(name)}"
        raise ConfigurationError([problem])
    if session.json:
        write_json([{"item": name, "businessDate": day.isoformat()} for day in dates])
    else:
        write_lines(f"{name} of {day} is accepted as the till has it." for day in dates)

    return ExitCode.SUCCESS


def _selection(
    command: str,
    key: str | None,
    date: str | None,
    *,
    all: bool,  # noqa: A002  # the option's name
    dry_run: bool,
) -> Date | None:
    """
    The one date that is meant; None for a key, or for all.

    Raises:
        ConfigurationError: Not exactly one of them is given.
    """
    if (key is not None) + all + (date is not None) != 1:
        problem = f"outbox {command} needs one of these: the KEY of a batch, --all, or --date DATE"
        raise ConfigurationError([problem])
    if dry_run and key is not None:
        problem = f"--dry-run goes with --all or --date; see conexxus outbox show {quote(key)}"
        raise ConfigurationError([problem])

    return given_day(date)


def _shown_counts(batches: list[Batch], session: Session, *, dry_run: bool) -> bool:
    """
    Say first how many there are; returns whether that is all.
    """
    if not session.json:
        unknown = counted(len(batches), "batch", "batches")
        sales = counted(sum(batch.transactions for batch in batches), "sale")
        total = sum((batch.total for batch in batches), Decimal())
        days = sorted({batch.business_date.isoformat() for batch in batches})
        write_lines(
            [
                f"{unknown} of unknown fate: {sales}, {money(total)}",
                *(f"  {day}" for day in days),
            ]
        )
    elif dry_run or not batches:
        write_json([batch_document(batch) for batch in batches])

    if dry_run and not session.json:
        write_lines(["Nothing was changed."])

    return dry_run or not batches


def _resolved(batches: list[Batch], of: str, *, delivered: bool) -> str:
    number = sum(batch.transactions for batch in batches)
    sales = counted(number, "sale")

    if delivered:
        return f"{sales}{of} marked as delivered."

    return f"{sales}{of} {'goes' if number == 1 else 'go'} in a new batch with the next push."
