"""
Refuses a profile of the back office that is not the one of the pushes so far.

With another, sales that were delivered could be replaced or doubled: see
[guarantees](../../../docs/explanation/guarantees.md).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_sync.model.delivery_profile import DeliveryProfile, ProfileDifference
from conexxus_sync.stores._store_protocols import SyncStore


@attrs.frozen(kw_only=True)
class ProfileCheck:
    """
    Compares the profile that is given with the one that the store keeps.

    Attributes:
        named: Whether somebody chose the profile, rather than a default.
    """

    store: SyncStore
    location_id: str
    given: DeliveryProfile
    named: bool = True

    def problem(self, connection: Any) -> str | None:
        """
        Why nothing may be sent with this profile; None if it may.
        """
        profiles = self.store.outbox.profiles
        kept = profiles.kept(connection, self.location_id)

        if kept is not None:
            found = kept.differences(self.given)
            return _differs(self.location_id, found) if found else None
        if not self.named and profiles.was_pushed(connection, self.location_id):
            return _unnamed(self.location_id)

        return None

    def refuse_other(self) -> None:
        """
        Raises:
            ConfigurationError: Nothing may be sent with this profile.
        """
        with self.store.reading() as connection:
            problem = self.problem(connection)

        if problem is not None:
            raise ConfigurationError([problem])

    def keep(self, transaction: Any, now: datetime) -> None:
        """
        Make it the profile of the location, unless it has one.
        """
        self.store.outbox.profiles.keep(transaction, self.location_id, self.given, now)


def sent_with(profile: ApiProfile, client: object) -> DeliveryProfile:
    """
    What decides how *client* sends; a host's own client may have no address.
    """
    return DeliveryProfile.of(profile, getattr(client, "config", None))


def _differs(location_id: str, found: Iterable[ProfileDifference]) -> str:
    return (
        f"sales of location {location_id} were pushed with another profile of the back office: "
        f"{'; '.join(map(str, found))}. With this one they could be doubled or replaced, so "
        "nothing is sent. Name the profile that is kept (CONEXXUS_PROFILE or --profile, "
        "its origin in CONEXXUS_API_URL); or, if the back office changed, "
        "`conexxus profile change` after it"
    )


def _unnamed(location_id: str) -> str:
    return (
        f"sales of location {location_id} were pushed by a version that did not keep the profile "
        "of the back office, and none was named: with another than before they could be doubled "
        "or replaced, so nothing is sent. Say --profile module:object or CONEXXUS_PROFILE, as "
        "your service has it; `--profile default` if it has none of its own"
    )
