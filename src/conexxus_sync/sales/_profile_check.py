"""
Refuses a profile of the back office that is not the one of the pushes so far.

With another, sales that were delivered could be replaced or doubled: see
[guarantees](../../../docs/explanation/guarantees.md).
"""

from collections.abc import Iterable
from datetime import datetime

import attrs

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_sync.model.delivery_profile import DeliveryProfile, ProfileDifference
from conexxus_sync.stores import LocationStore, State


@attrs.frozen(kw_only=True)
class ProfileCheck:
    """
    Compares the profile that is given with the one that the store keeps.

    Attributes:
        named: Whether somebody chose the profile, rather than a default.
    """

    store: LocationStore
    given: DeliveryProfile
    named: bool = True

    def problem(self, state: State) -> str | None:
        """
        Why nothing may be sent with this profile; None if it may.
        """
        kept = state.sales_profiles.kept()

        if kept is not None:
            found = kept.differences(self.given)
            return _differs(self.store.location, found) if found else None
        if not self.named and state.sales_profiles.was_pushed():
            return _unnamed(self.store.location)

        return None

    def refuse_other(self, state: State) -> None:
        """
        Raises:
            ConfigurationError: Nothing may be sent with this profile.
        """
        if problem := self.problem(state):
            raise ConfigurationError([problem])

    def keep(self, state: State, now: datetime) -> None:
        """
        Make it the profile of the location, unless it has one.
        """
        state.sales_profiles.keep(self.given, now)


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
