"""
What operators did to batches and sales, when, and why.
"""

import sqlite3
from collections.abc import Collection
from datetime import date, datetime

import attrs

from conexxus_sync.model.sales import OperatorAction

from ._database import text


@attrs.define
class SqliteOperatorActions:
    """
    Rows of `operator_actions`, and what they settle for good.

    What writes takes the connection of a transaction that is open already.
    """

    def record(
        self, connection: sqlite3.Connection, location_id: str, action: OperatorAction
    ) -> None:
        """
        Write down one action.
        """
        connection.execute(
            "INSERT INTO operator_actions"
            " (location, number, subject, business_date, action, reason, at)"
            " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6"
            " FROM operator_actions WHERE location = ?1",
            (
                *(location_id, action.subject, action.business_date.isoformat()),
                *(action.action, action.reason, text(action.at)),
            ),
        )

    def about(
        self, connection: sqlite3.Connection, location_id: str, subjects: Collection[str]
    ) -> tuple[OperatorAction, ...]:
        """
        What was done to any of *subjects*, oldest first.
        """
        marks = ", ".join("?" * len(subjects))
        rows = connection.execute(
            "SELECT subject, business_date, action, reason, at FROM operator_actions"  # noqa: S608  # marks
            f" WHERE location = ? AND subject IN ({marks}) ORDER BY number",
            (location_id, *subjects),
        ).fetchall()

        return tuple(
            OperatorAction(
                subject=subject,
                business_date=date.fromisoformat(day),
                action=action,
                reason=reason,
                at=datetime.fromisoformat(at),
            )
            for subject, day, action, reason, at in rows
        )

    def dismiss(
        self, connection: sqlite3.Connection, location_id: str, action: OperatorAction
    ) -> bool:
        """
        Keep a sale in quarantine without asking for anything; False if it is
        not there, or dismissed.
        """
        gone = connection.execute(
            "UPDATE quarantined_transactions SET dismissed_at = ? WHERE location = ?"
            " AND business_date = ? AND id = ? AND dismissed_at IS NULL",
            (
                *(text(action.at), location_id),
                *(action.business_date.isoformat(), action.subject),
            ),
        )

        return gone.rowcount > 0

    def accept_discrepancies(
        self, connection: sqlite3.Connection, location_id: str, name: str, now: datetime
    ) -> list[date]:
        """
        Take what the host tells of *name* for known; returns its dates.
        """
        rows = connection.execute(
            "UPDATE discrepancies SET accepted_at = ? WHERE location = ? AND id = ?"
            " AND accepted_at IS NULL RETURNING business_date",
            (text(now), location_id, name),
        ).fetchall()

        return sorted(date.fromisoformat(day) for (day,) in rows)
