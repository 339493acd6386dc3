"""
`conexxus runs` and `conexxus items`.
"""

import sys

from conexxus_client import ConfigurationError, encode_item
from conexxus_sync.model.catalogue import MirrorItem
from conexxus_sync.model.formatting import money
from conexxus_sync.model.runs import RunKind
from conexxus_sync.model.text_folding import table
from conexxus_sync.views.run_document import run_document

from ._console import screen_width, write_json, write_lines
from ._csv import write_csv
from ._exit_codes import ExitCode
from ._printable import printable_json
from ._run_text import moment, run_duration, summary
from ._session import Session
from ._store_file import opened


def runs(*, kind: RunKind | None = None, limit: int = 20, session: Session) -> ExitCode:
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

    config, store = opened(session)
    with store.read() as state:
        found = state.runs.history(kind, limit, planned=True)

    if session.json:
        write_json([run_document(run) for run in found])
    elif not found:
        write_lines([f"There has been no run for location {config.location_id}."])
    else:
        rows = [
            (
                run.id,
                moment(run.start_time, config.timezone),
                "plan" if run.planned else str(run.kind),
                str(run.business_date or ""),
                str(run.status),
                run_duration(run),
                summary(run),
            )
            for run in found
        ]
        headings = ("id", "started", "kind", "date", "status", "took", "what")
        write_lines(table(headings, rows, width=screen_width()))

    return ExitCode.SUCCESS


def items(
    *,
    all: bool = False,  # noqa: A002  # the option's name
    changed_since: str | None = None,
    csv: bool = False,
    session: Session,
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

    _, store = opened(session)

    with store.read() as state:
        if changed_since is not None and state.runs.get(changed_since) is None:
            raise ConfigurationError([f"--changed-since: there is no run {changed_since}"])

        found = state.mirror.items(missing=all, changed_since=changed_since)

        if session.json:
            for entry in found:
                sys.stdout.write(printable_json(encode_item(entry.item).decode()) + "\n")
        elif csv:
            write_csv(found, missing=all)
        else:
            write_lines(map(_item_line, found), fold=False)

    return ExitCode.SUCCESS


def _item_line(entry: MirrorItem) -> str:
    gone = "  (gone)" if entry.missing_since else ""

    return f"{entry.item.sku}  {entry.item.name}  {money(entry.item.price)}{gone}"
