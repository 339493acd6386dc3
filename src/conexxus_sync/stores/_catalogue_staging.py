"""
Staging of a catalogue read: temporary tables, comparison and merge in SQL.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import lt

import attrs

from conexxus_client import CatalogWindow, ItemColumns, encode_item
from conexxus_sync.model.catalogue import CatalogueDiff, RejectedElement

from ._catalogue_windows import WINDOW_TABLES, CatalogueWindows
from ._database import Repository
from ._deleted_items import DELETED_TABLE, DeletedItems
from ._host_queue import item_of
from ._quarantine_staging import ASIDE_TABLE, QuarantineStaging


DIFFERENT_COPIES = "Duplicate SKU with different data"

# Some megabytes of memory.
SKUS_AT_A_TIME = 50_000

# An element's position holds its page, too: of each page, so many.
A_PAGE = 2**32

_TABLES = (
    """
    CREATE TEMP TABLE stage (
        sku TEXT PRIMARY KEY, name TEXT, price TEXT, category TEXT, description TEXT,
        extra TEXT, position INTEGER
    ) WITHOUT ROWID
    """,
    # What came in no order: it is sorted into `stage` at the end.
    """
    CREATE TEMP TABLE heap (
        position INTEGER PRIMARY KEY, sku TEXT, name TEXT, price TEXT, category TEXT,
        description TEXT, extra TEXT
    )
    """,
    # Of SKUs that are staged already; `known` if from a window that was known.
    """
    CREATE TEMP TABLE copies (
        position INTEGER PRIMARY KEY, sku TEXT, name TEXT, price TEXT, category TEXT,
        description TEXT, extra TEXT, known INTEGER
    )
    """,
    "CREATE TEMP TABLE differing (sku TEXT PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TEMP TABLE delta (
        sku TEXT PRIMARY KEY, kind TEXT, present INTEGER, repriced INTEGER
    ) WITHOUT ROWID
    """,
)
# Of a mirror without items, instead of that table: to fill it takes a while.
_ALL_CREATED = """
CREATE TEMP VIEW delta AS SELECT sku, 'created' AS kind, 0 AS present, 0 AS repriced FROM stage
"""
COLUMNS = "sku, name, price, category, description, extra"
# By whether a row has an `extra`: a None among the parameters takes sqlite3 as
# long as all the others.
_ROWS = {True: "(?, ?, ?, ?, ?, ?, ?)", False: "(?, ?, ?, ?, ?, NULL, ?)"}
_ADD = {
    (table, has_extra): f"INSERT INTO {table} ({COLUMNS}, position) VALUES {row}"  # noqa: S608  # constants
    for table in ("stage", "heap")
    for has_extra, row in _ROWS.items()
}
_SORT = f"""
INSERT INTO stage ({COLUMNS}, position) SELECT {COLUMNS}, position FROM heap
ORDER BY sku, position ON CONFLICT DO NOTHING
"""  # noqa: S608  # constants
_HEAP_COUNT = "SELECT count(*) FROM heap"
_FIND_COPIES = f"""
INSERT INTO copies ({COLUMNS}, position, known)
SELECT {COLUMNS}, position, 0 FROM heap AS h WHERE EXISTS (
    SELECT 1 FROM stage AS s WHERE s.sku = h.sku AND s.position <> h.position
)
"""  # noqa: S608  # constants
_ADD_KNOWN_COPY = f"""
INSERT INTO copies ({COLUMNS}, position, known)
SELECT {COLUMNS}, CAST(?1 AS INTEGER), 1 FROM items WHERE location = ?2 AND sku = ?3
"""  # noqa: S608  # constants

# SQLite 3.38 and older have no IS DISTINCT FROM.
_DIFFERS = " OR ".join(
    [
        "i.name <> s.name OR i.price <> s.price",
        *(
            f"i.{column} <> s.{column} OR (i.{column} IS NULL) <> (s.{column} IS NULL)"
            for column in ("category", "description", "extra")
        ),
    ]
)
_PRESENT_IN_KNOWN = """
SELECT s.sku FROM {} AS s WHERE EXISTS (
    SELECT 1 FROM items AS i WHERE i.location = ? AND i.sku = s.sku AND i.missing_since IS NULL
) AND NOT EXISTS (SELECT 1 FROM vanished AS v WHERE v.sku = s.sku)
"""
_STAGED_IN_KNOWN = _PRESENT_IN_KNOWN.format("stage")
_ASIDE_IN_KNOWN = _PRESENT_IN_KNOWN.format("aside")
_REPEATED = """
SELECT sku FROM copies UNION SELECT a.sku FROM aside AS a JOIN stage AS s ON s.sku = a.sku
"""
_ANY_REPEATED = "SELECT 1 FROM copies UNION ALL SELECT 1 FROM aside LIMIT 1"
_FIND_DIFFERING = f"""
INSERT INTO differing (sku)
SELECT DISTINCT i.sku FROM copies AS i JOIN stage AS s ON s.sku = i.sku WHERE {_DIFFERS}
"""  # noqa: S608  # constants
_DIFFERING = f"""
SELECT {COLUMNS}, position FROM stage WHERE sku IN (SELECT sku FROM differing)
UNION ALL
SELECT {COLUMNS}, position FROM copies WHERE sku IN (SELECT sku FROM differing)
ORDER BY position
"""  # noqa: S608  # constants
_UNSTAGE = "DELETE FROM stage WHERE sku IN (SELECT sku FROM differing)"

ANY_ITEM = "SELECT 1 FROM items WHERE location = ? LIMIT 1"
# Prices have at most 13 digits: a double distinguishes any two of them.
_COMPARE = f"""
INSERT INTO delta (sku, kind, present, repriced)
SELECT s.sku, CASE WHEN i.sku IS NULL THEN 'created' ELSE 'updated' END,
    CASE WHEN i.sku IS NOT NULL AND i.missing_since IS NULL THEN 1 ELSE 0 END,
    CASE WHEN i.missing_since IS NULL AND CAST(i.price AS REAL) <> CAST(s.price AS REAL)
        THEN 1 ELSE 0 END
FROM stage AS s LEFT JOIN items AS i ON i.location = ? AND i.sku = s.sku
WHERE i.sku IS NULL OR i.missing_since IS NOT NULL OR {_DIFFERS}
ORDER BY s.sku
"""  # noqa: S608  # constants
_ABSENT = """
SELECT i.sku FROM items AS i WHERE i.location = ?1 AND i.missing_since IS NULL
    AND NOT EXISTS (SELECT 1 FROM stage AS s WHERE s.sku = i.sku)
    AND NOT EXISTS (SELECT 1 FROM aside AS a WHERE a.key = i.sku AND a.sku IS NOT NULL)
"""
# What stands in a known window is there; only what stood in another may be gone.
_ABSENT_OF_VANISHED = f"{_ABSENT} AND i.sku IN (SELECT sku FROM vanished)"  # noqa: S608  # constants
_ADD_ABSENT = """
INSERT INTO delta (sku, kind, present, repriced) VALUES (?, ?, 1, 0) ON CONFLICT (sku) DO NOTHING
"""

_DELTA_COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'created'), count(*) FILTER (WHERE kind = 'updated'),
    count(*) FILTER (WHERE kind = 'updated' AND present = 1), coalesce(sum(repriced), 0)
FROM delta
"""
_ABSENT_COUNT = "SELECT count(*) FROM delta WHERE kind = ?"
_COUNTS = """
SELECT (SELECT count(*) FROM aside),
    count(*) FILTER (WHERE sku NOT IN (SELECT sku FROM differing)),
    count(*) FILTER (WHERE known = 1), count(DISTINCT CASE WHEN known = 1 THEN sku END)
FROM copies
"""
_PRESENT = "SELECT present FROM item_counts WHERE location = ?"
_PRESENT_COUNT = "SELECT count(*) FROM items WHERE location = ? AND missing_since IS NULL"


@attrs.define
class _Filling:
    """
    How far `stage` is filled: to insert a SKU beyond all others is cheap, and to
    count a million rows takes a while.
    """

    highest: str = ""
    count: int = 0

    def goes_on(self, skus: Sequence[str]) -> bool:
        """
        Is each of *skus* beyond all that came before it?
        """
        known = [self.highest, *skus]
        self.highest = max(known)

        return all(map(lt, known, skus))


@attrs.frozen
class CatalogueStaging(Repository):
    """
    Temporary tables on one connection; they go when it closes.

    While they fill and are compared, other writers are not blocked: the
    lease keeps the mirror as it is.
    """

    _filling: _Filling = attrs.field(factory=_Filling, init=False)

    def open(self) -> None:
        """
        Make room for a read.
        """
        self._filling.highest, self._filling.count = "", 0
        self.session.create_temporary(*_TABLES, *WINDOW_TABLES, ASIDE_TABLE, DELETED_TABLE)
        if self._is_first:
            self.session.expect_move("stage")

    @property
    def _is_first(self) -> bool:
        """
        Is the mirror empty?
        """
        return self.session.execute(ANY_ITEM, (self.location,)).fetchone() is None

    @property
    def aside(self) -> QuarantineStaging:
        """
        What is wrong in the read.
        """
        return QuarantineStaging(self.session, self.location)

    @property
    def windows(self) -> CatalogueWindows:
        """
        Windows of the read, and of the last applied one.
        """
        return CatalogueWindows(self.session, self.location)

    def add_window(
        self,
        window: CatalogWindow,
        columns: ItemColumns,
        rejects: Sequence[RejectedElement],
        *,
        page: int,
        number: int,
    ) -> None:
        """
        Stage a window of a read: its valid items, and what is wrong in it.

        Args:
            number: How many elements came before it.
        """
        position = position_of(page, number)

        if columns[0] or rejects:
            self.add(columns, position)
            if rejects:
                self.aside.add(rejects, page)
            skus = [*columns[0], *(it.sku for it in rejects if it.sku is not None)]
            plain = not (window.unusual or rejects)
            self.windows.add(window.digest, window.count, position, skus, plain=plain)
        elif window.count:
            self.windows.add_known(window.digest, window.count, position)

    def add(self, columns: ItemColumns, position: int) -> None:
        """
        Stage valid items.

        Args:
            position: Of the first, by `position_of`.
        """
        *texts, extra = columns
        positions = range(position, position + len(extra))
        if self._filling.goes_on(columns[0]):
            table = "stage"
            self._filling.count += len(positions)
        else:
            table = "heap"
        has_extra = any(extra)
        filled = [*texts, extra, positions] if has_extra else [*texts, positions]
        self.session.insert_columns(_ADD[table, has_extra], filled)

    def duplicates(self) -> Iterator[RejectedElement]:
        """
        Find the copies that differ and set them aside, all of them.
        """
        if unsorted := self.value(_HEAP_COUNT):
            self.session.ensure_unique("stage", "sku")
            different = self.session.execute(_SORT).rowcount
            self._filling.count += different
            if different < unsorted:
                self.session.execute(_FIND_COPIES)
        if self.windows.any_known():
            self._find_known_copies()
        if self.value(_ANY_REPEATED) is None:
            return
        for skus in self._some_skus(_REPEATED):
            self.windows.mark(skus)
        self.session.execute(_FIND_DIFFERING)

        for *row, position in self.session.stream(_DIFFERING):
            raw = encode_item(item_of(tuple(row)))
            reject = RejectedElement(sku=row[0], raw=raw, reason=DIFFERENT_COPIES, path="$.sku")
            self.aside.add([reject], position // A_PAGE)
            yield reject

        self._filling.count -= self.session.execute(_UNSTAGE).rowcount

    def _find_known_copies(self) -> None:
        """
        Find SKUs that stand in a known window and elsewhere: in it, they are
        as they are in the mirror.
        """
        self.windows.find_vanished()

        for skus in self._some_skus(_STAGED_IN_KNOWN, (self.location,)):
            for position, sku in self.windows.known_positions(skus):
                self.session.execute(_ADD_KNOWN_COPY, (position, self.location, sku))
        for skus in self._some_skus(_ASIDE_IN_KNOWN, (self.location,)):
            for _ in self.windows.known_positions(skus):
                pass

    def _some_skus(
        self, statement: str, parameters: tuple[object, ...] = ()
    ) -> Iterator[frozenset[str]]:
        """
        SKUs that a statement finds, not too many at a time.
        """
        rows = self.session.stream(statement, parameters)

        while skus := frozenset(sku for (sku,) in islice(rows, SKUS_AT_A_TIME)):
            yield skus

    def compare(
        self, *, complete: bool = True, deleted: Sequence[str] = (), unnamed: int = 0
    ) -> CatalogueDiff:
        """
        Compare the read with the mirror; `duplicates` must have been sought.

        Args:
            complete: What is not in it is gone.
            deleted: SKUs that the read takes away by name.
            unnamed: So many elements may be any of the absent items, which then wait.
        """
        self.aside.index()
        if self._is_first:
            self.session.create_temporary(_ALL_CREATED)
            counts = (self._filling.count, 0, 0, 0)
        else:
            self.session.execute(_COMPARE, (self.location,))
            counts = self.session.execute(_DELTA_COUNTS).fetchone()
        diff = attrs.evolve(self._diff(*counts), is_complete=complete)
        if diff.known == diff.compared:
            return diff

        if deleted:
            taken = DeletedItems(self.session, self.location).staged(deleted)
            diff = attrs.evolve(diff, deleted=taken, gone=taken)
        if not complete:
            return diff
        if not unnamed:
            return attrs.evolve(diff, gone=diff.deleted + self._find_absent("removed"))

        if waiting := self._find_absent("waiting"):
            # They are present, and stand in no window.
            self.windows.forget_read()

        return attrs.evolve(diff, waiting=waiting, unnamed=unnamed)

    def _find_absent(self, kind: str) -> int:
        """
        Add to the delta what is present in the mirror and absent from the read.
        """
        statement = _ABSENT_OF_VANISHED if self.windows.any_known() else _ABSENT
        with self.session.filling():
            absent = self.session.stream(statement, (self.location,))
            self.session.executemany(_ADD_ABSENT, ((sku, kind) for (sku,) in absent))

            return int(self.value(_ABSENT_COUNT, (kind,)))

    def _diff(self, created: int, updated: int, changed: int, repriced: int) -> CatalogueDiff:
        """
        Args:
            changed: How many of the updated were present.
        """
        counts = self.session.execute(_COUNTS).fetchone()
        failed, copies, known_copies, skus_in_known = counts
        staged = self._filling.count
        known_elements, known_items = self.windows.known_counts()
        unchanged = staged - created - updated + known_items - skus_in_known

        return CatalogueDiff(
            # To count a million takes a while, but less than to stage them.
            known=self.value(_PRESENT if known_items else _PRESENT_COUNT, (self.location,)),
            received=staged + copies + failed + known_elements - known_copies,
            failed=failed,
            created=created,
            updated=updated,
            unchanged=unchanged,
            gone=0,
            compared=unchanged + changed,
            repriced=repriced,
        )


def position_of(page: int, number: int) -> int:
    """
    The position of an element that is the *number*-th of the read.
    """
    return page * A_PAGE + number
