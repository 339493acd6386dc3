"""
`conexxus quarantine`: list, show, dismiss.
"""

from conexxus_client import ConfigurationError
from conexxus_sync.inventory._item_history import explain_item
from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.sales import QuarantinedTransaction
from conexxus_sync.model.text_folding import table
from conexxus_sync.stores import LocationStore
from conexxus_sync.views.json import item_document, sale_document

from ._console import screen_width, write_json, write_lines
from ._exit_codes import ExitCode
from ._operator import outbox_operator
from ._run_text import moment
from ._session import Session, given_day
from ._store_file import changeable, opened


# Far longer than such a list gets in practice.
MOST_SALES = 10_000


def quarantine_list(*, session: Session) -> ExitCode:
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
        write_json([*map(item_document, items), *map(sale_document, sales)])
    elif not items and not sales:
        write_lines(["Nothing is set aside."])
    else:
        zone = config.timezone
        rows = [
            *(("item", it.key, it.reason, moment(it.first_seen, zone), it.raw) for it in items),
            *(("sale", it.id, it.reason, moment(it.quarantined_at, zone), it.raw) for it in sales),
        ]
        shown = [(*row[:4], _text(row[4])[:60]) for row in rows]
        write_lines(
            table(("kind", "id", "reason", "since", "as it came"), shown, width=screen_width())
        )

    return ExitCode.SUCCESS


def quarantine_show(key: str, *, session: Session) -> ExitCode:
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
    zone, items, sales = config.timezone, items_under(store, key), sales_under(store, key)

    if not items and not sales:
        raise ConfigurationError([f"nothing is in quarantine under {key[:60]}"])

    if session.json:
        write_json([*map(item_document, items), *map(sale_document, sales)])
        return ExitCode.SUCCESS

    if items:
        write_lines(explain_item(store, key, zone=zone))

    for it in items:
        write_lines(["As it came:", _text(it.raw)], fold=False)

    for sale in sales:
        since = moment(sale.quarantined_at, zone)
        write_lines(
            [f"{sale.id}: a sale of {sale.business_date}, set aside since {since}: {sale.reason}"]
        )
        write_lines(["As it came:", *_text(sale.raw).splitlines()], fold=False)

    return ExitCode.SUCCESS


def quarantine_dismiss(
    key: str, *, date: str | None = None, reason: str | None = None, session: Session
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
        sale
        for sale in sales_under(store, key, dismissed=False)
        if only in (None, sale.business_date)
    ]

    if not found and items_under(store, key):
        problem = f"{key[:60]} is an item: have it corrected in the back office"
        raise ConfigurationError([problem])
    if not found:
        problem = f"no sale is in quarantine under {key[:60]}: see conexxus quarantine list"
        raise ConfigurationError([problem])

    for sale in found:
        outbox_operator(session, config).dismiss(sale.business_date, sale.id, reason=reason)

    if session.json:
        write_json([*map(sale_document, found)])
    else:
        write_lines(f"{it.id} of {it.business_date} is dismissed: not sent." for it in found)

    return ExitCode.SUCCESS


def items_under(store: LocationStore, key: str) -> list[QuarantinedItem]:
    with store.read() as state:
        return list(state.mirror.quarantined(key))


def sales_under(
    store: LocationStore, key: str, *, dismissed: bool = True
) -> list[QuarantinedTransaction]:
    with store.read() as state:
        found = state.sales_quarantine.transactions(MOST_SALES, dismissed=dismissed)

    return [sale for sale in found if sale.id == key]


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
