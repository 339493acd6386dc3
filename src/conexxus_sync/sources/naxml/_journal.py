"""
`JournalFile`: the events of a `POSJournal` file, in the order of the document.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, tzinfo
from pathlib import Path

import attrs

from conexxus_sync.model.order_records import UnusableTransaction

from ._dialects import Dialect
from ._events import KINDS, OTHERS, Event, EventReader, business_date_of
from ._fault import Fault, NaxmlError, RecordError
from ._maintenance import check_root, store_of
from ._xml import Element, XmlStream, name_of, refuse_within


JOURNAL = "NAXML-POSJournal"
_HEADER, _REPORT, _REPORT_HEADER = "TransmissionHeader", "JournalReport", "JournalHeader"
# The sales of a file are in memory, until its end shows that they count.
MAX_JOURNAL = 32 * 1024 * 1024
_EVENTS = (*KINDS, *OTHERS)


@attrs.define(kw_only=True)
class JournalFile:
    """
    A file of a register's or a store's sales, read as a whole.

    Attributes:
        timezone: Of the store.
        location: The store whose file it has to be; None: of any.
        store: The StoreLocationID that the file has.
        version: Of the format, as the root says it.
        excluded: How many events are no sales, by the name of the event, or as `training`,
            `suspended` and `fuel prepay`.
    """

    path: Path = attrs.field(converter=Path)
    dialect: Dialect
    timezone: tzinfo
    location: str | None = None
    max_bytes: int = MAX_JOURNAL
    store: str | None = attrs.field(init=False, default=None)
    version: str | None = attrs.field(init=False, default=None)
    excluded: Counter[str] = attrs.field(init=False, factory=Counter)
    _begin: date | None = attrs.field(init=False, default=None, repr=False)

    def events(self) -> list[Event]:
        """
        Each of them, sales and others, with a business date.

        One that has none gets that of the event before it, else after it, else that of the
        report: it is set aside, so its date decides only where it is shown.

        Raises:
            NaxmlError: The file as a whole can't be used; nothing of it counts.
        """
        events = list(self._events())
        self.excluded = Counter(it.name for it in events if it.sale is None and not it.reason)
        day = next((it.business_date for it in events if it.business_date), self._begin)
        dated = []

        for it in events:
            day = it.business_date or day
            if day is None:
                msg = "neither an event nor the report has a date"
                raise NaxmlError(Fault.UNDATED, msg, line=it.line)
            dated.append(attrs.evolve(it, business_date=day))

        return dated

    def unusable(self, event: Event) -> UnusableTransaction:
        """
        An event that can't be used, for the quarantine: nothing of its content is kept.
        """
        where = f"{self.path.name}, line {event.line}"

        return UnusableTransaction(id=event.number or where, reason=f"{where}: {event.reason}")

    def _events(self) -> Iterator[Event]:
        with XmlStream.open(self.path, max_bytes=self.max_bytes) as stream:
            check_root(stream.root, JOURNAL, Fault.NO_JOURNAL)
            self.version = stream.root.attributes.get("version")
            reader = EventReader(dialect=self.dialect, timezone=self.timezone)

            for block, element in stream.elements((_HEADER, _REPORT_HEADER, *_EVENTS)):
                home = name_of(element if block is None else block)
                if home not in (_HEADER, _REPORT):
                    msg = f"{home[:60]} is not known in {JOURNAL}"
                    line = int(element.sourceline)
                    raise NaxmlError(Fault.UNKNOWN_BLOCK, msg, line=line)
                if block is not None:
                    refuse_within(element, _EVENTS)
                    yield from self._element(home, element, reader)

    def _element(self, home: str, element: Element, reader: EventReader) -> Iterator[Event]:
        name = name_of(element)

        if home == _HEADER:
            if name == "StoreLocationID":
                self.store = store_of(element, self.location)
                reader.store = self.store or ""
        elif name == _REPORT_HEADER:
            try:
                self._begin = business_date_of(element, "BeginDate")
            except RecordError as exc:
                line = int(element.sourceline)
                raise NaxmlError(Fault.UNDATED, str(exc), line=line) from exc
        else:
            yield reader.read(element)
