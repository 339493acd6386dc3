"""
Table of the profile with which each location's sales are pushed.
"""

import json
from datetime import datetime

import attrs

from conexxus_sync.model.delivery_profile import DeliveryProfile

from ._database import Repository, text


_KEPT = "SELECT parts FROM sales_profiles WHERE location = ?"
_KEEP = """
INSERT INTO sales_profiles (location, parts, kept_at) VALUES (?1, ?2, ?3)
ON CONFLICT (location) DO UPDATE SET parts = excluded.parts, kept_at = excluded.kept_at
WHERE ?4 <> 0
"""
_WAS_PUSHED = """
SELECT EXISTS (SELECT 1 FROM batches WHERE location = ?1)
    OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND key <> '')
"""
_WAS_ACCEPTED = """
SELECT EXISTS (SELECT 1 FROM batches WHERE location = ?1 AND state = 'delivered')
    OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND key <> '')
"""
_MAY_HAVE_ARRIVED = """
SELECT EXISTS (
    SELECT 1 FROM batches WHERE location = ?1
        AND (state IN ('sending', 'unknown') OR (state = 'pending' AND unknown_since IS NOT NULL))
)
"""


@attrs.frozen
class SalesProfiles(Repository):
    """
    Rows of `sales_profiles`.
    """

    def kept(self) -> DeliveryProfile | None:
        """
        The profile of all pushes so far; None if it was never written.
        """
        parts = self.value(_KEPT, (self.location,))

        return None if parts is None else DeliveryProfile(parts=json.loads(parts))

    def keep(self, profile: DeliveryProfile, now: datetime, *, replace: bool = False) -> None:
        """
        Write *profile*, unless there is one.

        Args:
            replace: Also where there is one: an operator says so.
        """
        parts = json.dumps(dict(profile.parts))
        self.session.execute(_KEEP, (self.location, parts, text(now), int(replace)))

    def was_pushed(self) -> bool:
        """
        Were sales of this location ever frozen or delivered from here?
        """
        return bool(self.value(_WAS_PUSHED, (self.location,)))

    def was_accepted(self) -> bool:
        """
        Did a back office ever take sales of this location from here?
        """
        return bool(self.value(_WAS_ACCEPTED, (self.location,)))

    def may_have_arrived(self) -> bool:
        """
        Is there a batch of unknown fate?
        """
        return bool(self.value(_MAY_HAVE_ARRIVED, (self.location,)))
