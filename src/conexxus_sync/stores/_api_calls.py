"""
Table of the last call to the back office, shared by all processes.
"""

import sqlite3
from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.api_connection import ApiConnection

from ._database import Database, text


_MILLISECOND = timedelta(milliseconds=1)


@attrs.define
class SqliteApiCalls:
    """
    Rows of `api_calls`.
    """

    store: Database

    def last(self, location_id: str) -> ApiConnection | None:
        """
        The last call that a process told of.
        """
        with self.store.reading() as connection:
            row = connection.execute(
                "SELECT checked_at, reached, latency_ms, error FROM api_calls WHERE location = ?",
                (location_id,),
            ).fetchone()

        if row is None:
            return None

        checked_at, reached, latency, error = row

        return ApiConnection(
            checked_at=datetime.fromisoformat(checked_at),
            reached=bool(reached),
            latency=None if latency is None else latency * _MILLISECOND,
            error=error,
        )

    def record(
        self, connection: sqlite3.Connection, location_id: str, call: ApiConnection, now: datetime
    ) -> None:
        """
        Tell of *call*, unless a later one is known.

        One that is yet to come was told by a clock that was ahead.
        """
        connection.execute(
            "INSERT INTO api_calls VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
            " checked_at = ?2, reached = ?3, latency_ms = ?4, error = ?5"
            " WHERE checked_at < ?2 OR checked_at > ?6",
            (
                location_id,
                text(call.checked_at),
                call.reached,
                None if call.latency is None else call.latency / _MILLISECOND,
                call.error,
                text(now),
            ),
        )
