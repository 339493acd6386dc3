"""
`conexxus outbox dates`: reconciliation of till and back office.
"""

from datetime import date, timedelta
from decimal import Decimal

from conexxus_client import ConfigurationError
from conexxus_sync.config import day
from conexxus_sync.model.formatting import money
from conexxus_sync.model.text_folding import table
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.sales import Reconciliation, reconcile
from conexxus_sync.service._host_objects import order_source
from conexxus_sync.views.json import reconciled_document

from ._console import screen_width, write_json, write_lines
from ._exit_codes import ExitCode
from ._session import Session
from ._store_file import opened


SHOWN_DAYS = 14


def outbox_dates(*, since: str | None = None, session: Session) -> ExitCode:
    """
    Compare business dates: what the back office took, what waits, what the
    till has.

    It asks only the SDK's own state and, with --orders, the till; counts and
    totals are exact. Exits with 3 if a date does not agree.

    ```
    conexxus outbox dates
    conexxus outbox dates --since 2026-01-01 --orders sales.ndjson
    conexxus outbox dates --json | jq '.[] | select(.agrees | not)'
    ```

    Args:
        since: First business date; two weeks back by default.
    """
    source = session.host_object(order_source)
    _, store = opened(session)
    found = list(reconcile(store, _first(since), source))

    if session.json:
        write_json([*map(reconciled_document, found)])
    elif not found:
        write_lines(["Nothing is known of these business dates."])
    else:
        headings = ("date", "delivered", "total", "waiting", "set aside", "changed", "till", "")
        write_lines(table(headings, [_row(one) for one in found], width=screen_width()))

    return ExitCode.SUCCESS if all(one.agrees for one in found) else ExitCode.PARTIAL


def _first(since: str | None) -> date:
    if since is None:
        return (SystemClock().now() - timedelta(days=SHOWN_DAYS)).date()

    try:
        return day(since)
    except ValueError as exc:
        raise ConfigurationError([f"--since {exc}"]) from None


def _row(one: Reconciliation) -> tuple[str, ...]:
    sums = one.sums
    total = one.till_total or Decimal()
    till_count = "" if one.till_count is None else f"{one.till_count:,}, {money(total)}"

    return (
        sums.business_date.isoformat(),
        f"{sums.delivered:,}",
        money(sums.total),
        f"{sums.waiting:,}",
        f"{sums.quarantined:,}",
        f"{sums.discrepancies:,}",
        till_count,
        "" if one.agrees else "differs",
    )
