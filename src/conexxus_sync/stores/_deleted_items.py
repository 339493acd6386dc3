"""
Staging of the items that a read takes away by name.
"""

from collections.abc import Iterable

import attrs

from ._database import Repository


DELETED_TABLE = "CREATE TEMP TABLE deleted (sku TEXT PRIMARY KEY) WITHOUT ROWID"
_ADD = "INSERT INTO deleted (sku) VALUES (?) ON CONFLICT (sku) DO NOTHING"
_COMPARE = """
INSERT INTO delta (sku, kind, present, repriced)
SELECT d.sku, 'deleted', 1, 0 FROM deleted AS d WHERE EXISTS (
    SELECT 1 FROM items AS i WHERE i.location = ? AND i.sku = d.sku AND i.missing_since IS NULL
)
"""


@attrs.frozen
class DeletedItems(Repository):
    """
    A temporary table of SKUs.
    """

    def staged(self, skus: Iterable[str]) -> int:
        """
        Add to the delta what of *skus* is present in the mirror, and count it.

        An item that is gone already, or that never was, is not deleted again.

        Args:
            skus: None of them is staged as an item.
        """
        with self.session.filling():
            self.session.executemany(_ADD, ((sku,) for sku in skus))

        return self.session.execute(_COMPARE, (self.location,)).rowcount
