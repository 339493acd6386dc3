"""
Whose file an SQLite database is: a store of this SDK, or another program's.
"""

import sqlite3

import attrs


# "CNXS"
APPLICATION_ID = 0x434E5853
# Stores of earlier versions bear no application id.
FIRST_WITH_ID = 19

# Of the first migration; none of them was renamed since.
_TABLES = ("changes", "checkpoints", "hosts", "items", "leases", "quarantine", "runs")

# In one statement, so that it is one state of the file.
_LOOK = f"""
SELECT
    (SELECT application_id FROM pragma_application_id),
    (SELECT user_version FROM pragma_user_version),
    count(*),
    count(*) FILTER (WHERE type = 'table' AND name IN {_TABLES})
FROM sqlite_schema
"""  # noqa: S608  # the names are above


@attrs.frozen(kw_only=True)
class Identity:
    """
    What a file says of itself.

    Attributes:
        application_id: 0 if none was set.
        version: Of the schema; 0 if none was set.
        is_new: Nothing was ever made in it.
        is_ours: It has the tables of a store, and no other program's mark.
    """

    application_id: int
    version: int
    is_new: bool = False
    is_ours: bool = True

    @property
    def problem(self) -> str | None:
        """
        Why it is no store; None if it is one.
        """
        if self.is_ours:
            return None

        return (
            f"is no store of conexxus-sdk: application id {self.application_id}, "
            f"schema version {self.version}"
        )


def identity_of(connection: sqlite3.Connection) -> Identity:
    """
    Look at the file behind *connection*; two short statements for a store.
    """
    if _value(connection, "application_id") == APPLICATION_ID:
        version = _value(connection, "user_version")
        return Identity(application_id=APPLICATION_ID, version=version, is_ours=version > 0)

    found, version, objects, ours = connection.execute(_LOOK).fetchone()

    return Identity(
        application_id=found,
        version=version,
        is_new=not (found or version or objects),
        # Another process may have brought it up to date just now.
        is_ours=found in (0, APPLICATION_ID) and version > 0 and ours == len(_TABLES),
    )


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
