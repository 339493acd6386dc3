"""
Table of the last call to the back office, shared by all processes.
"""

from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.api_connection import ApiConnection

from ._database import Repository, text


_MILLISECOND = timedelta(milliseconds=1)

_LAST = "SELECT checked_at, reached, latency_ms, error FROM api_calls WHERE location = ?"
_RECORD = """
INSERT INTO api_calls (location, checked_at, reached, latency_ms, error)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (location) DO UPDATE SET checked_at = excluded.checked_at,
    reached = excluded.reached, latency_ms = excluded.latency_ms, error = excluded.error
WHERE api_calls.checked_at < excluded.checked_at OR api_calls.checked_at > ?6
"""


@attrs.frozen
class ApiCalls(Repository):
    """
    Rows of `api_calls`.
    """

    def last(self) -> ApiConnection | None:
        """
        The last call that a process recorded.
        """
        row = self.session.execute(_LAST, (self.location,)).fetchone()

        if row is None:
            return None

        checked_at, reached, latency, error = row

        return ApiConnection(
            checked_at=datetime.fromisoformat(checked_at),
            reached=bool(reached),
            latency=None if latency is None else latency * _MILLISECOND,
            error=error,
        )

    def record(self, call: ApiConnection, now: datetime) -> None:
        """
        Record *call*, unless a later one is recorded.

        One that is yet to come was recorded by a clock that was ahead.
        """
        self.session.execute(
            _RECORD,
            (
                *(self.location, text(call.checked_at), int(call.reached)),
                None if call.latency is None else call.latency / _MILLISECOND,
                *(call.error, text(now)),
            ),
        )
