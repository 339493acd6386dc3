"""
`conexxus push`.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from conexxus_sync._codec import run_to_json
from conexxus_sync.config import day
from conexxus_sync.runs import SyncRun
from conexxus_sync.sales import PushProgress

from ._engines import sales_engine
from ._exit_codes import ExitCode, code_of_run, gravest
from ._screen import Progress, progress, say, say_json
from ._session import Given
from ._words import counted, told


def push(
    *,
    orders: str | None = None,
    date: str | None = None,
    since: str | None = None,
    adopt_through: str | None = None,
    session: Given,
) -> ExitCode:
    """
    Send finished sales to the back office, oldest business date first.

    Every sale arrives exactly once, whatever breaks: what is not acknowledged
    is kept and asked for again under the same key.

    ```
    conexxus push --orders sales.ndjson
    conexxus push --orders sales.ndjson --date 2026-01-02
    conexxus push --orders my_shop.conexxus:orders --since 2026-01-01 --json
    ```

    Args:
        orders: Where sales come from: a FILE.ndjson, or package.module:factory.
        date: Only this business date, due or not.
        since: Begin with this business date (CONEXXUS_SALES_SINCE).
        adopt_through: Mark what the host has up to this date as delivered
            elsewhere, and send nothing; not in this version.
    """
    problems: list[str] = []
    only, first = _day("--date", date, problems), _day("--since", since, problems)

    if adopt_through is not None:
        problems.append("--adopt-through does not exist in this version of conexxus-sdk")
    if date is not None and since is not None:
        problems.append("--date and --since can't go together")

    with (
        progress("Pushing sales …") as show,
        sales_engine(session, orders=orders, problems=problems) as engine,
    ):
        runs = engine.push(only, since=first, honour_past=True, progress=dating(show))

    if session.json:
        say_json([run_to_json(run) for run in runs])
    else:
        say(_told(runs))

    return gravest(map(code_of_run, runs))


def dating(show: Progress) -> Callable[[PushProgress], None]:
    """
    Show which business date was looked at.
    """

    def looked_at(at: PushProgress) -> None:
        sales = counted(at.transactions, "sale")
        show(f"Pushing sales … {at.business_date}, {at.dates:,} of {at.of:,} dates, {sales}")

    return looked_at


def _told(runs: list[SyncRun]) -> Iterator[str]:
    if not runs:
        yield "Nothing to send: the back office has every sale that is due."
        return

    for run in runs:
        yield from told(run)

    if len(runs) > 1:
        sales = counted(sum(run.items_succeeded for run in runs), "sale")
        total = sum((run.total or Decimal() for run in runs), Decimal())
        yield f"Together: {len(runs):,} business dates, {sales}, {total:,}."


def _day(option: str, text: str | None, problems: list[str]) -> dt.date | None:
    if text is None:
        return None

    try:
        return day(text)
    except ValueError as exc:
        problems.append(f"{option} {exc}")
        return None
