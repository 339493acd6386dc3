"""
Windows of the catalogue: which ones the last applied read had, and the one that is staged.

A window of the last applied read whose digest comes again is known: its items
are in the mirror as they are in the window.  What makes that true:

- A window with anything unusual is stored, but never known: its SKUs count as
  present in the read, no more.
- Neither is one with a SKU that stands in another window of its read, too.
  So a SKU of the read that is present in the mirror and stands in no window
  that vanished, stands in a known one.
- What changes the mirror in another way forgets all windows.
"""

import json
from collections.abc import Collection, Iterator, Sequence

import attrs

from ._database import Repository


WINDOW_TABLES = (
    # In the order of the read.
    """
    CREATE TEMP TABLE read_windows (
        position INTEGER PRIMARY KEY, digest BLOB, elements INTEGER, known INTEGER,
        plain INTEGER, skus BLOB
    )
    """,
    "CREATE TEMP TABLE vanished (sku TEXT PRIMARY KEY) WITHOUT ROWID",
)

_KNOWN = "SELECT digest, elements FROM windows WHERE location = ? AND plain = 1"
_ADD = """
INSERT INTO read_windows (position, digest, elements, known, plain, skus)
VALUES (?, ?, ?, ?, ?, ?)
"""
_ANY_KNOWN = "SELECT 1 FROM read_windows WHERE known = 1 LIMIT 1"
_KNOWN_COUNTS = """
SELECT coalesce(sum(elements * times), 0), coalesce(sum(elements), 0) FROM (
    SELECT digest, elements, count(*) AS times FROM read_windows WHERE known = 1
    GROUP BY digest, elements
) AS w
"""
_VANISHED = """
SELECT skus FROM windows WHERE location = ?
    AND digest NOT IN (SELECT digest FROM read_windows WHERE known = 1)
"""
_ADD_VANISHED = "INSERT INTO vanished (sku) VALUES (?) ON CONFLICT (sku) DO NOTHING"
_KNOWN_SKUS = """
SELECT r.position, w.skus FROM read_windows AS r
JOIN windows AS w ON w.location = ? AND w.digest = r.digest
WHERE r.known = 1 ORDER BY r.position
"""
_NEW_SKUS = "SELECT position, skus FROM read_windows WHERE known = 0 AND plain = 1"
_NOT_PLAIN = "UPDATE read_windows SET plain = 0 WHERE position = ?"
_FORGET_READ = "DELETE FROM read_windows"

_DELETE_OTHERS = """
DELETE FROM windows WHERE location = ? AND digest NOT IN (SELECT digest FROM read_windows)
"""
_UPDATE = """
UPDATE windows SET plain = 0 WHERE location = ?
    AND digest IN (SELECT digest FROM read_windows WHERE plain = 0)
"""
_SAVE = """
INSERT INTO windows (location, digest, elements, plain, skus)
SELECT ?1, digest, min(elements), min(plain), min(skus) FROM read_windows WHERE known = 0
GROUP BY digest
ON CONFLICT (location, digest) DO UPDATE SET elements = excluded.elements,
    plain = excluded.plain, skus = excluded.skus
"""
_FORGET = "DELETE FROM windows WHERE location = ?"


@attrs.frozen
class CatalogueWindows(Repository):
    """
    Rows of `windows`, and temporary ones of the read that is staged.
    """

    def known(self) -> dict[bytes, int]:
        """
        How many elements each window has that need not be read again, by digest.
        """
        return {
            bytes(digest): elements
            for digest, elements in self.session.execute(_KNOWN, (self.location,)).fetchall()
        }

    def add_known(self, digest: bytes, elements: int, position: int) -> None:
        """
        A window of the read that was known; its first element has this position.
        """
        self.session.execute(_ADD, (position, digest, elements, 1, 1, None))

    def add(
        self, digest: bytes, elements: int, position: int, skus: Sequence[str], *, plain: bool
    ) -> None:
        """
        A window of the read that was decoded.

        Args:
            skus: All that it names.
            plain: Whether none of its elements was unusual.
        """
        name = digest or position.to_bytes(8)
        row = (position, name, elements, 0, int(plain and bool(digest)), json.dumps(skus).encode())
        self.session.execute(_ADD, row)

    def any_known(self) -> bool:
        """
        Was any window of the read known?
        """
        return self.session.execute(_ANY_KNOWN).fetchone() is not None

    def known_counts(self) -> tuple[int, int]:
        """
        How many elements the known windows of the read have; and how many of
        them come for the first time in it.
        """
        ((elements, distinct),) = self.session.execute(_KNOWN_COUNTS).fetchall()

        return int(elements), int(distinct)

    def find_vanished(self) -> None:
        """
        Find the SKUs of windows that the read does not have as known ones.
        """
        with self.session.filling():
            for (skus,) in self.session.stream(_VANISHED, (self.location,)):
                self.session.executemany(_ADD_VANISHED, ((sku,) for sku in json.loads(skus)))

    def known_positions(self, skus: Collection[str]) -> Iterator[tuple[int, str]]:
        """
        Where in known windows of the read some of *skus* stand; these windows
        are not known again.
        """
        yield from self._find(_KNOWN_SKUS, (self.location,), skus)

    def mark(self, skus: Collection[str]) -> None:
        """
        Windows of the read with one of *skus* are not known next time.
        """
        for _ in self._find(_NEW_SKUS, (), skus):
            pass

    def _find(
        self, statement: str, parameters: Sequence[object], skus: Collection[str]
    ) -> Iterator[tuple[int, str]]:
        for position, names in self.session.stream(statement, parameters):
            places = enumerate(json.loads(names), position)
            found = [(place, sku) for place, sku in places if sku in skus]
            if found:
                self.session.execute(_NOT_PLAIN, (position,))
            yield from found

    def forget_read(self) -> None:
        """
        The windows of the read don't say what will be present: keep none.
        """
        self.session.execute(_FORGET_READ)

    def save(self) -> None:
        """
        Keep the windows of the read, in the transaction that applies it.
        """
        self.session.execute(_DELETE_OTHERS, (self.location,))
        self.session.execute(_UPDATE, (self.location,))
        self.session.execute(_SAVE, (self.location,))

    def forget(self) -> None:
        """
        The mirror changes in another way: whatever comes is read anew.
        """
        self.session.execute(_FORGET, (self.location,))
