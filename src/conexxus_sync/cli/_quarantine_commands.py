"""
`conexxus quarantine`: list, show, replay, dismiss.
"""

import sys
from collections.abc import Iterator
from datetime import date as Date  # noqa: N812  # an option is called `date`
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.inventory._item_history import explain_item
from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.run_json import run_to_json
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.sales import QuarantinedTransaction
from conexxus_sync.stores import LocationStore
from conexxus_sync.views.json import quarantined_item_to_json, quarantined_sale_to_json

from ._console import write_json, write_lines
from ._exit_codes import ExitCode, code_of_run
from ._outbox_commands import given_day
from ._run_text import counted, moment, table
from ._session import Flag, Given, Session
from ._store_file import changeable, opened
from ._wiring import catalog_storage, engines, outbox_operator


# A page of a list that nobody lets grow so long.
MOST_SALES = 10_000


def quarantine_list(*, session: Given) -> ExitCode:
    """
    List the items and the sales that were set aside, with the reason.

    They do no harm to the others. An item's last good version stays in
    force: have it corrected in the back office, and the next pull takes it.
    A sale waits until somebody has settled it with the back office.

    ```
    conexxus quarantine list
    conexxus quarantine list --json | jq '.[].reason'
    ```
    """
    config, store = opened(session)
    with store.read() as state:
        items = list(state.mirror.quarantined())
        sales = state.sales_quarantine.transactions(MOST_SALES)

    if session.json:
        write_json([*map(quarantined_item_to_json, items), *map(quarantined_sale_to_json, sales)])
    elif not items and not sales:
        write_lines(["Nothing is set aside."])
    else:
        zone = config.timezone
        rows = [
            *(("item", it.key, it.reason, moment(it.first_seen, zone), it.raw) for it in items),
            *(("sale", it.id, it.reason, moment(it.quarantined_at, zone), it.raw) for it in sales),
        ]
        shown = [(*row[:4], _text(row[4])[:60]) for row in rows]
        write_lines(table(("kind", "id", "reason", "since", "as it came"), shown))

    return ExitCode.SUCCESS


def quarantine_show(key: str, *, session: Given) -> ExitCode:
    """
    Show what was set aside under one id: all of it, as it came.

    ```
    conexxus quarantine show WINE001
    conexxus quarantine show WINE001 --json | jq -r '.[0].raw'
    ```

    Args:
        key: The SKU or the transaction's id, as `conexxus quarantine list` has it.
    """
    config, store = opened(session)
    zone, items, sales = config.timezone, _items(store, key), _sales(store, key)

    if not items and not sales:
        raise ConfigurationError([f"nothing is in quarantine under {key[:60]}"])

    if session.json:
        write_json([*map(quarantined_item_to_json, items), *map(quarantined_sale_to_json, sales)])
        return ExitCode.SUCCESS

    if items:
        write_lines(explain_item(store, key, zone=zone))

    for it in items:
        write_lines(["As it came:", _text(it.raw)])

    for sale in sales:
        since = moment(sale.quarantined_at, zone)
        write_lines(
            [f"{sale.id}: a sale of {sale.business_date}, set aside since {since}: {sale.reason}"]
        )
        write_lines(["As it came:", *_text(sale.raw).splitlines()])

    return ExitCode.SUCCESS


def quarantine_replay(
    key: str | None = None,
    *,
    all: Flag = False,  # noqa: A002  # the option's name
    date: str | None = None,
    reason: str | None = None,
    item: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    catalog: str | None = None,
    session: Given,
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
        catalog: The host's storage, as package.module:factory.
    """
    if (key is not None) + all + (date is not None) != 1:
        problem = "quarantine replay needs one of these: an id, --all, or --date DATE"
        raise ConfigurationError([problem])

    config, store = changeable(session)

    if key is None:
        if item is not None:
            raise ConfigurationError(["--item goes with the SKU of one item"])
        return _replay_all(config, given_day(date), reason, session)

    known = bool(_items(store, key))
    sales = [] if known else _sales(store, key)

    if sales and item is not None:
        msg = f"{key[:60]} is a sale: correct it at the till, and replay it without --item"
        raise ConfigurationError([msg])
    if sales:
        return _replay_sales(config, sales, reason, session)

    run = (
        engines(session, config, catalog=catalog_storage(catalog))
        .quarantine_replay()
        .replay(key, None if item is None else _read(item))
    )

    if session.json:
        write_json(run_to_json(run))
    else:
        write_lines(_told(run, key))

    return code_of_run(run)


def quarantine_dismiss(
    key: str, *, date: str | None = None, reason: str | None = None, session: Given
) -> ExitCode:
    """
    Settle a sale that was set aside for good: it is not sent, and alerts no more.

    `conexxus quarantine replay` takes that back.

    ```
    conexxus quarantine dismiss txn-001 --reason "a test sale"
    ```

    Args:
        key: The transaction's id, as `conexxus quarantine list` has it.
        date: Only that of this business date.
        reason: For the record; `conexxus why` shows it.
    """
    only = given_day(date)
    config, store = changeable(session)
    found = [
        sale for sale in _sales(store, key, dismissed=False) if only in (None, sale.business_date)
    ]

    if not found and _items(store, key):
        problem = f"{key[:60]} is an item: have it corrected in the back office"
        raise ConfigurationError([problem])
    if not found:
        problem = f"no sale is in quarantine under {key[:60]}: see conexxus quarantine list"
        raise ConfigurationError([problem])

    for sale in found:
        outbox_operator(session, config).dismiss(sale.business_date, sale.id, reason=reason)

    if session.json:
        write_json([*map(quarantined_sale_to_json, found)])
    else:
        write_lines(f"{it.id} of {it.business_date} is dismissed: not sent." for it in found)

    return ExitCode.SUCCESS


def _items(store: LocationStore, key: str) -> list[QuarantinedItem]:
    with store.read() as state:
        return list(state.mirror.quarantined(key))


def _sales(
    store: LocationStore, key: str, *, dismissed: bool = True
) -> list[QuarantinedTransaction]:
    with store.read() as state:
        found = state.sales_quarantine.transactions(MOST_SALES, dismissed=dismissed)

    return [sale for sale in found if sale.id == key]


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
        write_json([*map(quarantined_sale_to_json, sales)])
    else:
        write_lines(f"{it.id} of {it.business_date} goes with the next push." for it in sales)

    return ExitCode.SUCCESS


def _replay_all(
    config: SyncConfig, only: Date | None, reason: str | None, session: Session
) -> ExitCode:
    sales = outbox_operator(session, config).replay_all(only, reason=reason)

    if session.json:
        write_json([*map(quarantined_sale_to_json, sales)])
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
        return Path(given).read_bytes()
    except OSError as exc:
        raise ConfigurationError([f"--item {given}: {exc.strerror}"]) from exc


def _told(run: SyncRun, key: str) -> Iterator[str]:
    if run.last_error is not None:
        yield f"{key} is in the catalogue, but {run.last_error}"
    elif run.unchanged:
        yield f"{key} was in force like this already; it is no longer in quarantine."
    else:
        yield f"{key} is in the catalogue now, by run {run.id}."


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
