"""
The order source over a folder of `POSJournal` files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from conexxus_client import ConfigurationError, Transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.order_records import OrderRemark, UnusableTransaction

from ._dialects import DIALECTS, Dialect
from ._events import Event
from ._fault import NaxmlError
from ._journal import JournalFile


_Stamp = tuple[int, int]


@attrs.frozen(kw_only=True)
class _Seen:
    """
    A file as it was when it was read, and which dates it has.
    """

    stamp: _Stamp
    dates: frozenset[date]


@attrs.define(kw_only=True)
class JournalOrders:
    """
    An `OrderSource` over journals in a folder, `*.xml`, or one file.

    A file is one event, a day or any other part: what it is called says nothing.  Each file is
    read as a whole before a sale of it is handed out; while one of them can't be used, no date
    is, since it may have sales of any.  A file that did not change is read again only for a date
    that it has.

    An event that is there twice, in one file or in two, is one sale if it is the same, and else
    set aside.

    Attributes:
        timezone: Of the store.
        location: The StoreLocationID that files have to have, if they have one.

    Raises:
        HostError: A file can't be used.
    """

    path: Path = attrs.field(converter=Path)
    dialect: Dialect
    timezone: tzinfo
    location: str | None = None
    _seen: dict[Path, _Seen] = attrs.field(init=False, factory=dict, repr=False)

    @classmethod
    def of(cls, setting: str, timezone: tzinfo) -> "JournalOrders":
        """
        What `naxml:FOLDER?dialect=D` names; with `&location=L`, files of others are refused.

        Raises:
            ConfigurationError: It can't be used.
        """
        parts = urlsplit(setting)
        options = dict(parse_qsl(parts.query))
        dialect, location = options.pop("dialect", None), options.pop("location", None)
        path, problems = Path(unquote(parts.path)), []

        if dialect not in DIALECTS:
            problems.append(f"{setting!r} must have ?dialect= with one of {', '.join(DIALECTS)}")
        if options:
            problems.append(f"{setting!r} has an option that is not known: {', '.join(options)}")
        if not path.exists():
            problems.append(f"{path} is not there")
        if dialect is None or problems:
            raise ConfigurationError(problems)

        return cls(path=path, dialect=DIALECTS[dialect], timezone=timezone, location=location)

    def transactions(
        self, location_id: str, business_date: date
    ) -> Iterator[Transaction | UnusableTransaction | OrderRemark]:
        """
        The sales of *business_date*, file by file.
        """
        del location_id  # the folder is that of one store
        sales: dict[tuple[str | None, str], Transaction] = {}
        excluded: Counter[str] = Counter()

        for path in self._paths():
            file, events = self._read(path, business_date)
            for event in events:
                if event.sale is None and event.reason is None:
                    excluded[event.name] += 1
                elif (sale := event.sale) is None:
                    yield file.unusable(event)
                elif (key := (sale.register, sale.id)) not in sales:
                    sales[key] = sale
                    yield sale
                elif sales[key] != sale:
                    again = "it is there twice, with different data"
                    yield file.unusable(attrs.evolve(event, reason=again))

        yield from _remarks(sales.values(), excluded)

    def _paths(self) -> list[Path]:
        try:
            if not self.path.is_dir():
                return [self.path]
            return sorted(it for it in self.path.iterdir() if it.suffix.lower() == ".xml")
        except OSError as exc:
            msg = f"{self.path} can't be read: {exc.strerror}"
            raise HostError(msg) from exc

    def _read(self, path: Path, business_date: date) -> tuple[JournalFile, list[Event]]:
        file = JournalFile(
            path=path, dialect=self.dialect, timezone=self.timezone, location=self.location
        )

        try:
            seen, stamp = self._seen.get(path), _stamp(path)
            if seen is not None and seen.stamp == stamp and business_date not in seen.dates:
                return file, []
            events = file.events()
        except (NaxmlError, OSError) as exc:
            msg = f"{path}: {exc}"
            raise HostError(msg) from exc

        dates = frozenset(it.business_date for it in events if it.business_date)
        self._seen[path] = _Seen(stamp=stamp, dates=dates)

        return file, [it for it in events if it.business_date == business_date]


def _stamp(path: Path) -> _Stamp:
    found = path.stat()

    return found.st_mtime_ns, found.st_size


def _remarks(sales: Iterable[Transaction], excluded: Counter[str]) -> Iterator[OrderRemark]:
    untied = [it.id for it in sales if it.tenders and _paid(it) != it.total]

    if untied:
        some = ", ".join(untied[:5])
        yield OrderRemark(text=f"{len(untied):,} sales are not the sum of their tenders: {some}")
    for name, count in sorted(excluded.items()):
        fact = "1 event is no sale" if count == 1 else f"{count:,} events are no sales"
        yield OrderRemark(text=f"{fact}: {name}")


def _paid(sale: Transaction) -> Decimal:
    return sum((it.amount - (it.change or 0) for it in sale.tenders), Decimal())
