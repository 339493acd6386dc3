"""
`conexxus reconcile`: till, outbox and back office of a business date.
"""

from collections.abc import Iterator
from datetime import date as Date  # noqa: N812  # an option is called `date`
from datetime import timedelta

from conexxus_client import ConfigurationError
from conexxus_sync.model.date_reconciliation import DateReconciliation
from conexxus_sync.model.reconciled_table import reconciled_table
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.sales import SalesLedger
from conexxus_sync.service import ConexxusService
from conexxus_sync.views.json import reconciliation_document

from ._console import screen_width, write_json, write_lines
from ._csv import write_reconciled_csv
from ._exit_codes import ExitCode
from ._service_wiring import service_of
from ._session import Session, given_day
from ._store_file import require_store


SHOWN_FINDINGS = 100


def reconcile(*, date: str | None = None, csv: bool = False, session: Session) -> ExitCode:
    """
    Compare a business date at the till, in the outbox and at the back office,
    by register, tender and tax.

    The till is asked with --orders. A back office that offers totals is asked
    for them; a sale that it lost, doubled or booked on another date is named
    if it lists its transactions. Exits with 3 if something differs.

    ```
    conexxus reconcile
    conexxus reconcile --date 2026-01-02 --orders sales.ndjson
    conexxus reconcile --csv > 2026-01-02.csv
    conexxus reconcile --json | jq '.findings'
    ```

    Args:
        date: The business date; by default, the last one that is over.
        csv: As a table for spreadsheets.
    """
    if csv and session.json:
        raise ConfigurationError(["--csv and --json can't go together"])

    day = given_day(date)
    require_store(session, session.sync_config())

    with service_of(session) as service:
        found = service.reconcile(day or _last_date(service))

    if session.json:
        write_json(reconciliation_document(found))
    elif csv:
        write_reconciled_csv(found)
    else:
        write_lines(_lines(found))

    return ExitCode.SUCCESS if found.agrees else ExitCode.PARTIAL


def _last_date(service: ConexxusService) -> Date:
    """
    The last business date that is over.
    """
    calendar = SalesLedger.of(service.store, service.config).calendar

    return calendar.business_date(SystemClock().now()) - timedelta(days=1)


def _lines(found: DateReconciliation) -> Iterator[str]:
    yield f"{found.business_date}, location {found.location_id}"
    yield ""
    yield from reconciled_table(found.rows, width=screen_width())
    yield ""
    yield from (f"{one}." for one in found.findings[:SHOWN_FINDINGS])
    if len(found.findings) > SHOWN_FINDINGS:
        yield f"... and {len(found.findings) - SHOWN_FINDINGS:,} more: see --json."
    yield from (f"{remark}." for remark in found.remarks)
    yield "All that is known agrees." if found.agrees else "Till and back office do not agree."
