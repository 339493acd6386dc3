"""
Commands that only read: `status`, `runs`, `items`, `quarantine list`.
"""

import sys
from shutil import get_terminal_size

from conexxus_client import ConfigurationError, encode_item
from conexxus_sync._codec import moment_to_json, run_to_json
from conexxus_sync.config import SyncConfig
from conexxus_sync.mirror import MirrorItem, Quarantined
from conexxus_sync.outbox import QuarantinedTransaction
from conexxus_sync.runs import RunKind
from conexxus_sync.stores import SyncStore, open_store

from ._csv import write_csv
from ._engines import note_new_store
from ._exit_codes import ExitCode
from ._screen import say, say_json
from ._session import Flag, Given, Session
from ._words import lasting, moment, summary, table


# A page of a list that nobody lets grow so long.
MOST_SALES = 10_000


def runs(*, kind: RunKind | None = None, limit: int = 20, session: Given) -> ExitCode:
    """
    List the last runs, latest first.

    ```
    conexxus runs
    conexxus runs --kind sales --limit 5
    conexxus runs --json | jq '.[0].errors'
    ```

    Args:
        kind: Only pulls of the catalogue, or only pushes of sales.
        limit: How many.
    """
    if limit < 1:
        raise ConfigurationError([f"--limit must be at least 1, got {limit}"])

    config, store = _opened(session)
    found = store.runs.history(config.location_id, kind, limit, planned=True)

    if session.json:
        say_json([run_to_json(run) for run in found])
    elif not found:
        say([f"There has been no run for location {config.location_id}."])
    else:
        rows = [
            (
                run.id,
                moment(run.start_time, config.timezone),
                "plan" if run.planned else str(run.kind),
                str(run.business_date or ""),
                str(run.status),
                lasting(run),
                summary(run),
            )
            for run in found
        ]
        headings = ("id", "started", "kind", "date", "status", "took", "what")
        say(table(headings, rows, width=get_terminal_size().columns))

    return ExitCode.SUCCESS


def items(
    *,
    all: Flag = False,  # noqa: A002  # the option's name
    changed_since: str | None = None,
    csv: Flag = False,
    session: Given,
) -> ExitCode:
    """
    Print the local copy of the catalogue, one item a line.

    ```
    conexxus items
    conexxus items --json | jq -r .sku
    conexxus items --csv > catalogue.csv
    ```

    Args:
        all: Also those that the back office no longer sells.
        changed_since: Only those that came or changed after the run with this id.
        csv: As a table for spreadsheets; what they would take for a formula
            gets an apostrophe in front.
    """
    if csv and session.json:
        raise ConfigurationError(["--csv and --json can't go together"])

    config, store = _opened(session)

    if changed_since is not None:
        since = store.runs.get(changed_since)
        if since is None or since.location_id != config.location_id:
            raise ConfigurationError([f"--changed-since: there is no run {changed_since}"])

    found = store.catalog.items(config.location_id, missing=all, changed_since=changed_since)

    if session.json:
        for entry in found:
            sys.stdout.write(encode_item(entry.item).decode() + "\n")
    elif csv:
        write_csv(found, missing=all)
    else:
        say(map(_item_line, found))

    return ExitCode.SUCCESS


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
    config, store = _opened(session)
    items = list(store.catalog.quarantined(config.location_id))
    sales = store.outbox.aside.quarantined(config.location_id, limit=MOST_SALES)

    if session.json:
        say_json([*map(_item_json, items), *map(_sale_json, sales)])
    elif not items and not sales:
        say(["Nothing is set aside."])
    else:
        zone = config.timezone
        rows = [
            *(("item", it.key, it.reason, moment(it.first_seen, zone), it.raw) for it in items),
            *(("sale", it.id, it.reason, moment(it.quarantined_at, zone), it.raw) for it in sales),
        ]
        shown = [(*row[:4], _text(row[4])[:60]) for row in rows]
        say(table(("kind", "id", "reason", "since", "as it came"), shown))

    return ExitCode.SUCCESS


def _opened(session: Session) -> tuple[SyncConfig, SyncStore]:
    config = session.sync_config()
    note_new_store(config)

    return config, open_store(config.store)


def _item_line(entry: MirrorItem) -> str:
    gone = "  (gone)" if entry.missing_since else ""

    return f"{entry.item.sku}  {entry.item.name}  {entry.item.price}{gone}"


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _item_json(entry: Quarantined) -> dict[str, object]:
    return {
        "kind": "item",
        "item": entry.key,
        "reason": entry.reason,
        "path": entry.path,
        "firstSeen": moment_to_json(entry.first_seen),
        "lastSeen": moment_to_json(entry.last_seen),
        "timesSeen": entry.times_seen,
        "runId": entry.run_id,
        "raw": _text(entry.raw),
    }


def _sale_json(entry: QuarantinedTransaction) -> dict[str, object]:
    return {
        "kind": "transaction",
        "item": entry.id,
        "businessDate": entry.business_date.isoformat(),
        "reason": entry.reason,
        "firstSeen": moment_to_json(entry.quarantined_at),
        "raw": _text(entry.raw),
    }
