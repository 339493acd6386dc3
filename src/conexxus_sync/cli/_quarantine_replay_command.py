"""
`conexxus quarantine replay`.
"""

import codecs
import sys
from collections.abc import Iterator
from datetime import date as Date  # noqa: N812  # an option is called `date`
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.sales import QuarantinedTransaction
from conexxus_sync.service._host_objects import catalog_storage
from conexxus_sync.views.json import sale_document
from conexxus_sync.views.run_document import run_document

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._operator import outbox_operator
from ._outcomes import code_of_run
from ._quarantine_commands import items_under, sales_under
from ._run_text import counted
from ._session import Session, given_day
from ._store_file import changeable
from ._wiring import engine_context


def quarantine_replay(
    key: str | None = None,
    *,
    all: bool = False,  # noqa: A002  # the option's name
    date: str | None = None,
    reason: str | None = None,
    item: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    session: Session,
) -> ExitCode:
    """
    Look at what was set aside again: at an item, and take it if it is good;
    or at a sale, with the next push.

    An item alone becomes part of the catalogue, without waiting for the back
    office. As soon as that has a good item under this SKU, that one counts.
    A sale is read anew from the till, as if it had never been seen.

    ```
    conexxus quarantine replay WINE001
    conexxus quarantine replay WINE001 --item corrected.json
    conexxus quarantine show WINE001 --json | jq -r '.[0].raw' | sed s/free/0/ | \\
        conexxus quarantine replay WINE001 --item -
    conexxus quarantine replay txn-001
    conexxus quarantine replay --all
    conexxus quarantine replay --date 2026-01-02
    ```

    Args:
        key: The SKU or the transaction's id, as `conexxus quarantine list` has it.
        all: All sales, but none that was dismissed.
        date: All sales of this business date.
        reason: For the record; `conexxus why` shows it. Not for an item.
        item: A file with the item as it should be, as JSON; - for stdin. Not for a sale.
    """
    if (key is not None) + all + (date is not None) != 1:
        problem = "quarantine replay needs one of these: an id, --all, or --date DATE"
        raise ConfigurationError([problem])

    config, store = changeable(session)

    if key is None:
        if item is not None:
            raise ConfigurationError(["--item goes with the SKU of one item"])
        return _replay_all(config, given_day(date), reason, session)

    known = bool(items_under(store, key))
    sales = [] if known else sales_under(store, key)

    if sales and item is not None:
        msg = f"{key[:60]} is a sale: correct it at the till, and replay it without --item"
        raise ConfigurationError([msg])
    if sales:
        return _replay_sales(config, sales, reason, session)

    replay = QuarantineReplay(
        context=engine_context(config), storage=session.host_object(catalog_storage)
    )
    run = replay.replay(key, None if item is None else _read(item))

    if session.json:
        write_json(run_document(run))
    else:
        write_lines(_told(run, key))

    return code_of_run(run)


def _replay_sales(
    config: SyncConfig,
    sales: list[QuarantinedTransaction],
    reason: str | None,
    session: Session,
) -> ExitCode:
    """
    Let them out: the same id may have been set aside on several dates.
    """
    for sale in sales:
        outbox_operator(session, config).replay(sale.business_date, sale.id, reason=reason)

    if session.json:
        write_json([*map(sale_document, sales)])
    else:
        write_lines(f"{it.id} of {it.business_date} goes with the next push." for it in sales)

    return ExitCode.SUCCESS


def _replay_all(
    config: SyncConfig, only: Date | None, reason: str | None, session: Session
) -> ExitCode:
    sales = outbox_operator(session, config).replay_all(only, reason=reason)

    if session.json:
        write_json([*map(sale_document, sales)])
    elif sales:
        days = sorted({sale.business_date.isoformat() for sale in sales})
        write_lines(
            [
                f"{counted(len(sales), 'sale')} with the next push:",
                *(f"  conexxus push --orders ORDERS --date {day}" for day in days),
            ]
        )
    else:
        write_lines(["No sale is set aside."])

    return ExitCode.SUCCESS


def _read(given: str) -> bytes:
    if given == "-":
        return sys.stdin.buffer.read()

    try:
        # Some editors begin a file with a byte order mark.
        return Path(given).read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as exc:
        raise ConfigurationError([f"--item {given}: {exc.strerror}"]) from exc


def _told(run: SyncRun, key: str) -> Iterator[str]:
    if run.last_error is not None:
        yield f"{key} is in the catalogue, but {run.last_error}"
    elif run.unchanged:
        yield f"{key} was in force like this already; it is no longer in quarantine."
    else:
        yield f"{key} is in the catalogue now, by run {run.id}."
