"""
Table of the comparisons of files and back office, in shadow mode.
"""

import json
from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.shadow import ShadowDifference, ShadowLook

from ._database import Repository, Row, readable, text


KEPT_FOR = timedelta(days=30)
KEPT_EXAMPLES = 20

_RECORD = """
INSERT INTO shadow_looks (location, looked_at, differences, examples, problem)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (location, looked_at) DO UPDATE SET differences = excluded.differences,
    examples = excluded.examples, problem = excluded.problem
"""
_PURGE = "DELETE FROM shadow_looks WHERE location = ? AND looked_at < ?"
_ALL = """
SELECT looked_at, differences, examples, problem FROM shadow_looks WHERE location = ?
ORDER BY looked_at
"""
_LATEST = """
SELECT looked_at, differences, examples, problem FROM shadow_looks WHERE location = ?
ORDER BY looked_at DESC LIMIT 1
"""


@attrs.frozen
class ShadowLooks(Repository):
    """
    Rows of `shadow_looks`.
    """

    def record(self, look: ShadowLook) -> None:
        """
        Keep *look*, and forget those that are too old.
        """
        examples = json.dumps([attrs.astuple(it) for it in look.examples[:KEPT_EXAMPLES]])
        values = (text(look.at), look.differences, examples, look.problem)
        self.session.execute(_RECORD, (self.location, *values))
        self.session.execute(_PURGE, (self.location, text(look.at - KEPT_FOR)))

    def latest(self) -> ShadowLook | None:
        """
        The last one; None if there is none.
        """
        rows = self.session.execute(_LATEST, (self.location,)).fetchall()

        return next(iter(readable(rows, _look)), None)

    def all(self) -> list[ShadowLook]:
        """
        All that are kept, oldest first.
        """
        return list(readable(self.session.execute(_ALL, (self.location,)).fetchall(), _look))


def _look(row: Row) -> ShadowLook:
    at, differences, examples, problem = row

    return ShadowLook(
        at=datetime.fromisoformat(at),
        differences=differences,
        examples=tuple(
            ShadowDifference(
                kind=kind, sku=sku, name=name, in_file=in_file, in_catalogue=in_catalogue
            )
            for kind, sku, name, in_file, in_catalogue in json.loads(examples)
        ),
        problem=problem,
    )
