"""
`conexxus check-adapters`: whether the host's adapters keep the rules.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date as Date  # noqa: N812  # an option is called `date`
from datetime import timedelta
from itertools import islice

import attrs

from conexxus_client import ConfigurationError
from conexxus_client.conformance import RuleOutcome, RuleResult
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.protocols import OrderSource
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.service._host_objects import catalog_storage, order_source
from conexxus_sync.testing import OrderSourceContract
from conexxus_sync.testing._adapter_check import CatalogCheck, check_orders

from ._conformance_command import rule_lines
from ._console import asked, progress, write_error, write_json, write_lines
from ._exit_codes import ExitCode
from ._session import Session, given_day


_LOOKED_AT = 30


def check_adapters(
    *, date: str | None = None, many: bool = False, yes: bool = False, session: Session
) -> ExitCode:
    """
    Examine whether the host's catalogue storage and order source keep the rules
    that pull and push rely on, in sentences that say how to mend what does not.

    Orders are only read. The storage writes items and locations of its own, after a
    question: in a transaction that is rolled back, or, where the storage offers none,
    on a copy of your database.

    ```
    conexxus check-adapters --catalog my_shop.conexxus:catalog --orders my_shop.conexxus:orders
    conexxus check-adapters --orders my_shop.conexxus:orders --date 2026-01-02 --json
    ```

    Args:
        date: A business date with two sales or more; without it, the last one that has them.
        many: Also write 10,000 items, to see whether they are streamed.
        yes: Do not ask.
    """
    day, config = given_day(date), session.checked_config()
    check, source = _check(session, many), session.host_object(order_source)

    if check is None and source is None:
        msg = "name what to check: --catalog module:factory, --orders module:factory, or both"
        raise ConfigurationError([msg])
    if check is not None and not yes and not asked([*_question(check, config)]):
        write_lines(["Nothing was written."])
        return ExitCode.USAGE

    results = {"catalog": _examined(check.results())} if check else {}
    if source is not None:
        rules = _rules(source, config, day)
        results[f"orders of {rules.business_date}"] = _examined(check_orders(source, rules))

    _write(results, session)
    if check and check.left:
        write_error(f"{len(check.left):,} items could not be removed again: {_some(check.left)}")

    found = [it.outcome for part in results.values() for it in part]
    return ExitCode.FAILED if RuleOutcome.BROKEN in found else ExitCode.SUCCESS


def _check(session: Session, many: bool) -> CatalogCheck | None:
    storage = session.host_object(catalog_storage)

    if storage is None:
        return None
    if not hasattr(storage, "apply"):
        msg = (
            "--catalog: a storage with `apply_in` alone writes into the SDK's own database: "
            "test it with CatalogStorageContract, see docs/how-to/catalog-storage.md"
        )
        raise ConfigurationError([msg])

    return CatalogCheck(make=lambda: session.host_object(catalog_storage), with_many=many)


def _question(check: CatalogCheck, config: SyncConfig) -> Iterator[str]:
    yield f"{config.catalog} will write items whose SKUs begin with {check.token}, for locations"
    yield f"that begin with CONFORMANCE-{check.token}."

    if check.is_rolled_back:
        yield "Each transaction is rolled back. In SQLite, other writers wait meanwhile."
    else:
        yield "They are removed again; a storage that keeps removed items as inactive ones keeps"
        yield "these as well, and the sequences of these locations: use a copy of your database."

    yield "Go on?"


def _rules(source: OrderSource, config: SyncConfig, day: Date | None) -> OrderSourceContract:
    assert config.timezone is not None, "no source is made without it"
    rules = OrderSourceContract()
    rules.location_id = config.location_id
    rules.timezone, rules.day_closes_at = config.timezone, config.day_closes_at
    rules.business_date = day or _last_date(source, rules)

    return rules


def _last_date(source: OrderSource, rules: OrderSourceContract) -> Date:
    """
    The last date that is over and has two sales.
    """
    calendar = StoreCalendar(timezone=rules.timezone, day_closes_at=rules.day_closes_at)
    today = calendar.business_date(SystemClock().now())
    dates = [today - timedelta(days) for days in range(1, _LOOKED_AT + 1)]

    # What it raises is what a rule finds.
    with suppress(Exception):
        for each in dates:
            if len([*islice(source.transactions(rules.location_id, each), 2)]) == 2:
                return each

    return dates[0]


def _examined(results: Iterator[RuleResult]) -> list[RuleResult]:
    found = []

    with progress("Examining …") as show:
        for result in results:
            show(f"Examining: {result.rule} …")
            found.append(result)

    return found


def _write(results: dict[str, list[RuleResult]], session: Session) -> None:
    if session.json:
        write_json(
            [
                {"adapter": name, "rules": [attrs.asdict(it) for it in part]}
                for name, part in results.items()
            ]
        )
        return

    for name, part in results.items():
        write_lines([f"{name}:", *rule_lines(part)])


def _some(skus: list[str]) -> str:
    return ", ".join(skus[:3]) + (" …" if len(skus) > 3 else "")
