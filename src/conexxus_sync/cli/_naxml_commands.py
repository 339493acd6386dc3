"""
`conexxus naxml sniff`, `show` and `write`: files of NAXML, before a store reads them.
"""

import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from conexxus_client import ConfigurationError, encode_extra
from conexxus_sync.model.formatting import counted, money
from conexxus_sync.runtime.clock import SystemClock

from ._console import needing, write_json, write_lines
from ._exit_codes import ExitCode
from ._printable import printable_json
from ._session import Session
from ._store_file import opened


if TYPE_CHECKING:
    # With an extra of its own.
    from conexxus_sync.sources.naxml import (
        BadRecord,
        CheckDigit,
        Dialect,
        MaintenanceFile,
        MaintenanceWriter,
        Record,
        Sniffed,
    )

SHOWN_PROBLEMS = 100


def naxml_sniff(file: str, *, session: Session) -> ExitCode:
    """
    Say how a file of ItemMaintenance is written, and propose a dialect.

    The dialect of a store is a matter of its configuration: dialects differ in
    what ages and codes mean, and no file says which one it is.

    ```
    conexxus naxml sniff ITT20261101.xml
    ```

    Args:
        file: To look at.
    """
    with needing("naxml"):
        from conexxus_sync.sources.naxml import sniff

    found = sniff(Path(file))

    if session.json:
        write_json(attrs.asdict(found, filter=lambda field, _: not field.name.startswith("_")))
    else:
        write_lines(_sniffed_lines(found))

    return ExitCode.SUCCESS


def naxml_show(
    file: str,
    *,
    dialect: str | None = None,
    ages: str | None = None,
    check_digit: str = "auto",
    zero_open_prices: bool = False,
    session: Session,
) -> ExitCode:
    """
    Show what a file of ItemMaintenance says of each item, and what can't be read.

    Nothing is stored. What was printed counts only if the command ends
    without an error of the whole file. Exit code 3 if a record can't be used.

    ```
    conexxus naxml show ITT20261101.xml --dialect passport
    conexxus naxml show ITT20261101.xml --dialect passport --json | jq .sku
    ```

    Args:
        file: To show.
        dialect: In which it is written: generic, passport, verifone, radiant, pdi or petrosoft.
        ages: years, where minimum ages of the store's files are years and the dialect does not
            say so; else records with one are set aside.
        check_digit: Whether codes end with one: present, absent, or auto where exactly one
            reading is possible.
        zero_open_prices: An item whose price is asked for at the till has the price 0; else it
            is set aside.
    """
    with needing("naxml"):
        from conexxus_sync.sources.naxml import BadRecord

    chosen = dialect_and_digit(dialect, ages, check_digit)
    read = opened_maintenance(Path(file), chosen, session, zero=zero_open_prices)
    problems: list[BadRecord] = []
    count = bad = 0

    for it in read.records():
        if isinstance(it, BadRecord):
            bad += 1
            problems += [it] if len(problems) < SHOWN_PROBLEMS else []
        else:
            count += 1
        if session.json:
            sys.stdout.write(printable_json(encode_extra(_document(it))) + "\n")
        elif not isinstance(it, BadRecord):
            write_lines([_record_line(it)], fold=False)

    if not session.json:
        write_lines(_summary(read, problems, count, bad))

    return ExitCode.PARTIAL if bad else ExitCode.SUCCESS


def naxml_write(
    file: str,
    *,
    dialect: str | None = None,
    ages: str | None = None,
    check_digit: str = "auto",
    without: str = "",
    session: Session,
) -> ExitCode:
    """
    Write the catalogue that was pulled last as a file of ItemMaintenance.

    It is all that there is (`initialize`), and appears when it is complete.
    An item that the dialect can't say, or that would be read otherwise, is
    refused by name, and then nothing is written: exit code 4.

    ```
    conexxus naxml write ITT20261101.xml --dialect passport
    conexxus naxml write ITT20261101.xml --dialect passport --without description,imageUrl
    ```

    Args:
        file: To write.
        dialect: As for `naxml show`.
        ages: Likewise; without it, items with a minimum age may be refused.
        check_digit: Whether codes end with one: present, absent, or auto where exactly one
            reading is possible.
        without: What items have and the file may lack, with commas between: description, or keys
            of other fields.
    """
    with needing("naxml"):
        from conexxus_sync.sources.naxml import MaintenanceWriter, NaxmlError

    chosen, digit = dialect_and_digit(dialect, ages, check_digit)
    config, store = opened(session)
    writer = MaintenanceWriter(
        dialect=chosen,
        check_digit=digit,
        store=config.location_id,
        without=frozenset(without.split(",")) - {""},
    )

    try:
        with store.read() as state:
            if state.mirror.is_empty():
                msg = f"location {config.location_id} has no catalogue: `conexxus pull` fetches it"
                raise ConfigurationError([msg])
            writer.write(Path(file), (entry.item for entry in state.mirror.items()))
    except NaxmlError:
        if not writer.unwritable:
            raise

    if session.json:
        write_json({"items": writer.count, "refused": list(map(attrs.asdict, writer.unwritable))})
    else:
        write_lines(_written_lines(writer, file))

    return ExitCode.REFUSED if writer.unwritable else ExitCode.SUCCESS


def opened_maintenance(
    path: Path, chosen: "tuple[Dialect, CheckDigit]", session: Session, *, zero: bool
) -> "MaintenanceFile":
    """
    A file, to be read as the options say.

    Args:
        zero: Whether an item whose price is asked for at the till has the price 0.
    """
    from conexxus_sync.sources.naxml import MaintenanceFile

    dialect, digit = chosen

    return MaintenanceFile(
        path=path,
        dialect=dialect,
        today=SystemClock().now().astimezone(session.zone()).date(),
        check_digit=digit,
        open_price=Decimal(0) if zero else None,
    )


def dialect_and_digit(
    dialect: str | None, ages: str | None, check_digit: str
) -> "tuple[Dialect, CheckDigit]":
    """
    How a file is to be read, as the options say.

    Raises:
        ConfigurationError: An option is missing or wrong.
    """
    from conexxus_sync.sources.naxml import DIALECTS, CheckDigit

    problems = []
    chosen = DIALECTS.get(dialect or "")
    if chosen is None:
        named = "is not given" if dialect is None else f"must be one of {', '.join(DIALECTS)}"
        problems.append(f"--dialect {named}: `conexxus naxml sniff FILE` proposes one")
    try:
        chosen = (chosen or DIALECTS["generic"]).with_ages(ages)
    except ValueError as exc:
        problems.append(f"--{exc}")
    if check_digit not in tuple(CheckDigit):
        problems.append(f"--check-digit must be one of {', '.join(CheckDigit)}")
    if chosen is None or problems:
        raise ConfigurationError(problems)

    return chosen, CheckDigit(check_digit)


def _sniffed_lines(found: "Sniffed") -> list[str]:
    forms = (f"  {form}: {count:,}" for form, count in found.forms.most_common())
    ages = (f"{text} ({counted(count, 'item')})" for text, count in found.ages.most_common(10))
    reasons = found.reasons or ["nothing shows another one"]
    version, store = found.version or "without a version", found.store or "not named"

    return [
        f"NAXML {version}, {found.encoding}, store {store}",
        f"Codes of the first {counted(found.items, 'item')}:",
        *forms,
        f"Proposed: --dialect {found.dialect}",
        *(f"  {reason}" for reason in reasons),
        *([f"Minimum ages: {', '.join(ages)}"] if found.ages else []),
        *([] if found.age_problem is None else [f"  {found.age_problem}"]),
    ]


def _record_line(record: "Record") -> str:
    price = record.values.get("price")
    texts = (
        f"line {record.line}",
        record.action,
        record.sku,
        record.naxml.get("gtin14") or "-",
        "-" if price is None else money(price),
        record.values.get("name") or "-",
    )

    return "  ".join(texts)


def _document(it: "Record | BadRecord") -> Mapping[str, Any]:
    if (reason := getattr(it, "reason", None)) is not None:
        return {"line": it.line, "sku": it.sku, "problem": reason}

    record: Any = it
    return {
        "line": it.line,
        "action": str(record.action),
        "sku": it.sku,
        **record.values,
        "naxml": {key: value for key, value in record.naxml.items() if value is not None},
    }


def _summary(
    read: "MaintenanceFile", problems: Iterable["BadRecord"], count: int, bad: int
) -> Iterable[str]:
    yield ""
    yield f"{read.mode}: {counted(count, 'record')}, {counted(bad, 'problem')}"

    for it in problems:
        yield f"  line {it.line}: {it.sku or 'without a code'}: {it.reason}"
    if bad > SHOWN_PROBLEMS:
        yield "  … and more; all of them: --json"
    for name, times in read.skipped.items():
        yield f"  not read: {times:,} {name}"


def _written_lines(writer: "MaintenanceWriter", file: str) -> Iterable[str]:
    refused = writer.unwritable
    if not refused:
        yield f"{counted(writer.count, 'item')} in {file}"
        return

    yield f"Nothing is written: {counted(len(refused), 'item')} can't be in a file of this dialect"
    yield from (f"  {it.id}: {it.reason}" for it in refused[:SHOWN_PROBLEMS])
    if len(refused) > SHOWN_PROBLEMS:
        yield "  … and more; all of them: --json"
