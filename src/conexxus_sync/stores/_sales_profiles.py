"""
Table of the profile with which each location's sales are pushed.
"""

import json
import sqlite3
from datetime import datetime

import attrs

from conexxus_sync.model.delivery_profile import DeliveryProfile

from ._database import Database, text


@attrs.define
class SqliteSalesProfiles:
    """
    Rows of `sales_profiles`.
    """

    store: Database

    def kept(self, connection: sqlite3.Connection, location_id: str) -> DeliveryProfile | None:
        """
        The profile of all pushes so far; None if it was never written.
        """
        row = connection.execute(
            "SELECT parts FROM sales_profiles WHERE location = ?", (location_id,)
        ).fetchone()

        return None if row is None else DeliveryProfile(parts=json.loads(row[0]))

    def keep(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        profile: DeliveryProfile,
        now: datetime,
        *,
        replace: bool = False,
    ) -> None:
        """
        Write *profile*, unless there is one.

        Args:
            replace: Also where there is one: an operator says so.
        """
        connection.execute(
            "INSERT INTO sales_profiles VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
            " parts = excluded.parts, kept_at = excluded.kept_at WHERE ?",
            (location_id, json.dumps(dict(profile.parts)), text(now), replace),
        )

    def was_pushed(self, connection: sqlite3.Connection, location_id: str) -> bool:
        """
        Were sales of this location ever frozen or delivered from here?
        """
        (found,) = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM batches WHERE location = ?1)"
            " OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND key <> '')",
            (location_id,),
        ).fetchone()

        return bool(found)
