"""
What operators did to batches and sales, when, and why.
"""

import json
from collections.abc import Collection
from datetime import date, datetime

import attrs

from conexxus_sync.model.sales import OperatorAction

from ._database import Repository, text


_RECORD = """
INSERT INTO operator_actions (location, number, subject, business_date, action, reason, at)
SELECT ?1, (SELECT coalesce(max(number), 0) + 1 FROM operator_actions WHERE location = ?1),
    ?2, ?3, ?4, ?5, ?6
"""
_ABOUT = """
SELECT subject, business_date, action, reason, at FROM operator_actions
WHERE location = ? AND subject IN (SELECT key FROM json_each(?)) ORDER BY number
"""
_DISMISS = """
UPDATE quarantined_transactions SET dismissed_at = ?
WHERE location = ? AND business_date = ? AND id = ? AND dismissed_at IS NULL
"""
_ACCEPT_DISCREPANCIES = """
UPDATE discrepancies SET accepted_at = ? WHERE location = ? AND id = ? AND accepted_at IS NULL
RETURNING business_date, id, sold_second
"""
# What the back office has of it since is not what was sent: that is never taken back.
_SENT_BYTES_ARE_OLD = """
UPDATE delivered SET key = ''
WHERE location = ? AND business_date = ? AND id = ? AND sold_second = ?
"""


@attrs.frozen
class OperatorActions(Repository):
    """
    Rows of `operator_actions`, and what they settle for good.
    """

    def record(self, action: OperatorAction) -> None:
        """
        Write down one action.
        """
        self.session.execute(
            _RECORD,
            (
                *(self.location, action.subject, action.business_date.isoformat()),
                *(action.action, action.reason, text(action.at)),
            ),
        )

    def about(self, subjects: Collection[str]) -> tuple[OperatorAction, ...]:
        """
        What was done to any of *subjects*, oldest first.
        """
        rows = self.session.execute(_ABOUT, (self.location, keys(subjects))).fetchall()

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

    def dismiss(self, action: OperatorAction) -> bool:
        """
        Keep a sale in quarantine without asking for anything; False if it is
        not there, or dismissed.
        """
        day = action.business_date.isoformat()
        row = (text(action.at), self.location, day, action.subject)

        return self.session.execute(_DISMISS, row).rowcount > 0

    def accept_discrepancies(self, name: str, now: datetime) -> list[date]:
        """
        Take what the host returns for *name* as delivered; returns its dates.
        """
        rows = self.session.execute(
            _ACCEPT_DISCREPANCIES, (text(now), self.location, name)
        ).fetchall()

        self.session.executemany(_SENT_BYTES_ARE_OLD, ((self.location, *row) for row in rows))

        return sorted(date.fromisoformat(day) for day, _, _ in rows)


def keys(names: Collection[str]) -> str:
    """
    A parameter for `json_each`, whose keys are *names*.
    """
    return json.dumps(dict.fromkeys(names))
