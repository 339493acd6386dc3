"""
`conexxus push`.
"""

import datetime as dt
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig, day
from conexxus_sync.model.formatting import long_date, money
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.sales import OPEN_STATES
from conexxus_sync.protocols import OrderSource
from conexxus_sync.sales import PushProgress, SalesPush
from conexxus_sync.sales._status import is_fresh
from conexxus_sync.service._host_objects import order_source
from conexxus_sync.stores import State
from conexxus_sync.views.run_document import run_document

from ._console import Progress, asked, progress, write_json, write_lines
from ._exit_codes import ExitCode, gravest
from ._outcomes import code_of_run
from ._quarantine_commands import MOST_SALES
from ._run_text import counted, moment, run_lines
from ._session import Session, collected
from ._store_file import changeable
from ._wiring import engine_context, shared_client


# Of the dates that were not looked at, so many are named.
MOST_DATES = 8

NO_ORDERS = (
    "sales need --orders FILE.ndjson, or --orders package.module:factory; or set CONEXXUS_ORDERS"
)

_FIRST_PUSH = """\
Nothing is known of earlier pushes of location {location}: sales that something else delivered, \
or another store, would be doubled.
If there are any, say no, and first: conexxus push --orders ORDERS --adopt-through DATE
Is this the first push of these sales?"""


def push(
    *,
    date: str | None = None,
    since: str | None = None,
    adopt_through: str | None = None,
    accept_changes: bool = False,
    yes: bool = False,
    session: Session,
) -> ExitCode:
    """
    Send finished sales to the back office, oldest business date first.

    Every sale arrives exactly once, whatever breaks: what is not acknowledged
    is kept and asked for again under the same key.

    ```
    conexxus push --orders sales.ndjson
    conexxus push --orders sales.ndjson --date 2026-01-02
    conexxus push --orders my_shop.conexxus:orders --since 2026-01-01 --json
    conexxus push --orders sales.ndjson --adopt-through 2026-01-01
    conexxus push --orders sales.ndjson --date 2026-01-02 --accept-changes
    ```

    Args:
        date: Only this business date, due or not.
        since: Begin with this business date (CONEXXUS_SALES_SINCE).
        adopt_through: Send nothing: what the host has up to this date was
            delivered by something else. Later dates are pushed from now on.
        accept_changes: With --date: take back and send again all that changed
            or is gone of the date since it was delivered, however much it is.
        yes: Do not ask at the terminal before the first push of a store.
    """
    problems: list[str] = []
    only, first = _day("--date", date, problems), _day("--since", since, problems)
    through = _day("--adopt-through", adopt_through, problems)
    given = [
        option
        for option, text in (
            ("--date", date),
            ("--since", since),
            ("--adopt-through", adopt_through),
        )
        if text is not None
    ]

    if len(given) > 1:
        problems.append(f"{' and '.join(given)} can't go together")

    if accept_changes and date is None:
        problems.append("--accept-changes needs --date: it is about the sales of one date")

    with sales_engine(session, problems=problems) as engine:
        _confirm_first_push(engine, yes=yes or session.json or through is not None)
        with progress("Pushing sales …") as show:
            if through is not None:
                return _adopt(engine, through, session)

            looked_at = set[dt.date]()
            show_date = dating(show)

            def note(at: PushProgress) -> None:
                looked_at.add(at.business_date)
                show_date(at)

            runs = engine.push(
                only,
                since=first,
                honour_past=True,
                accept_changes=accept_changes,
                progress=note,
            )

    if session.json:
        write_json([run_document(run) for run in runs])
    else:
        if runs:
            write_lines(_told(runs))
        else:
            with engine.context.store.read() as state:
                write_lines(_why_nothing(state, only))
        if only is None:
            write_lines(_not_looked_at(engine, looked_at))

    return gravest(map(code_of_run, runs))


def _confirm_first_push(engine: SalesPush, *, yes: bool) -> None:
    """
    Before the first push of a store, ask whether it is the first at all; where
    there is no terminal, the run says what is not known.

    Raises:
        ConfigurationError: It is not.
    """
    store = engine.context.store

    if not yes and sys.stdin.isatty() and is_fresh(store):
        question = _FIRST_PUSH.format(location=store.location).splitlines()
        if not asked(question):
            raise ConfigurationError(["push was not confirmed: nothing was sent"])


@contextmanager
def sales_engine(session: Session, *, problems: Iterable[str] = ()) -> Iterator[SalesPush]:
    """
    The engine that pushes, with a client of its own.

    Args:
        problems: What is wrong with the other options.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    also = list(problems)
    source = collected(also, lambda: session.host_object(_required_orders))
    profile = collected(also, session.api_profile)
    collected(also, lambda: changeable(session))
    client_config, config = session.configs(also)
    assert source

    context = engine_context(config)

    with shared_client(client_config, profile, context) as client:
        yield SalesPush(
            client=client,
            context=context,
            orders=source,
            profile_named=session.names_profile,
        )


def _required_orders(config: SyncConfig) -> OrderSource:
    source = order_source(config)

    if source is None:
        raise ConfigurationError([NO_ORDERS])

    return source


def _adopt(engine: SalesPush, through: dt.date, session: Session) -> ExitCode:
    adopted = engine.adopt(through)

    if session.json:
        # Nothing ran: what was adopted is in `conexxus why`.
        write_json([])
    else:
        sales = counted(adopted.transactions, "sale")
        dates = f"{adopted.first} to {adopted.through}"
        lines = [f"{sales} of {dates} taken for delivered, and nothing was sent."]
        if adopted.batches:
            batches = counted(adopted.batches, "batch", "batches")
            lines.append(f"{batches} that waited taken for delivered as well.")
        lines.append(f"Business dates before {adopted.first} are closed; later sales are pushed.")
        write_lines(lines)

    return ExitCode.SUCCESS


def dating(show: Progress) -> Callable[[PushProgress], None]:
    """
    Show which business date was looked at.
    """

    def looked_at(at: PushProgress) -> None:
        sales = counted(at.transactions, "sale")
        show(
            f"Pushing sales … {at.business_date}, {at.dates:,} of {counted(at.of, 'date')}, {sales}"
        )

    return looked_at


def _told(runs: list[SyncRun]) -> Iterator[str]:
    for run in runs:
        yield from run_lines(run)

    if len(runs) > 1:
        sales = counted(sum(run.items_succeeded for run in runs), "sale")
        total = sum((run.total or Decimal() for run in runs), Decimal())
        yield f"Together: {len(runs):,} business dates, {sales}, {money(total)}."


def _has_sales(state: State, day: dt.date) -> bool:
    """
    Was a sale of *day* ever frozen or delivered?
    """
    return any(it.business_date == day for it in state.outbox.date_totals(day))


def _why_nothing(state: State, only: dt.date | None) -> Iterator[str]:
    """
    Say what else than delivered sales there is, on the date asked for.
    """
    quarantine = state.sales_quarantine
    dates = [entry.business_date for entry in quarantine.transactions(MOST_SALES)]
    differing = [entry.business_date for entry in quarantine.discrepancies(MOST_SALES)]

    if only is not None:
        dates = [day for day in dates if day == only]
        differing = [day for day in differing if day == only]
    counts = state.outbox.counts()
    waiting = sum(counts.get(it, 0) for it in OPEN_STATES)

    refused = {
        date: why
        for date, why in state.sales_dates.refused_changes().items()
        if only in (None, date)
    }

    if not dates and not differing and not waiting and not refused:
        if only is not None and not _has_sales(state, only):
            yield f"Nothing to send: the order source has no sale of {long_date(only)}."
        else:
            yield "Nothing to send: the back office has every sale that is due."
        return

    yield "Nothing new to send."

    if waiting:
        batches = counted(waiting, "batch", "batches")
        yield f"  {batches} of sales not acknowledged yet. To see them: conexxus outbox list"
    if dates:
        yield f"  {counted(len(dates), 'sale')} set aside. To see them: conexxus quarantine list"
    if differing:
        noun = counted(len(differing), "delivered sale")
        yield (
            f"  {noun} changed or gone at the till since. "
            "To see them: conexxus runs --kind sales --json"
        )
    for date, why in refused.items():
        yield f"  Nothing of {date} was taken back: {why}. If that is right:"
        yield f"    conexxus push --orders ORDERS --date {date} --accept-changes"


def _not_looked_at(engine: SalesPush, looked_at: Collection[dt.date]) -> Iterator[str]:
    """
    Say which dates were not due, and when they are: a late sale may wait there.
    """
    now, ledger = engine.context.clock.now(), engine.ledger
    moments = ledger.dates(ledger.start_date(now), now).moments(now)
    shown = [
        f"{day}, due {'now' if at <= now else moment(at, engine.context.config.timezone)}"
        for day, at in moments.items()
        if day not in looked_at
    ]

    if shown:
        more = f"; and {len(shown) - MOST_DATES:,} more" if len(shown) > MOST_DATES else ""
        yield f"Not looked at: {'; '.join(shown[:MOST_DATES])}{more}."
        yield "  To push one of them now: conexxus push --orders ORDERS --date DATE"


def _day(option: str, text: str | None, problems: list[str]) -> dt.date | None:
    if text is None:
        return None

    try:
        return day(text)
    except ValueError as exc:
        problems.append(f"{option} {exc}")
        return None
