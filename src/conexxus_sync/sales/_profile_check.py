"""
Refuses a profile of the back office that is not the one of the pushes so far; changes it.

With another, sales that were delivered could be replaced or doubled: see
[guarantees](../../../docs/explanation/guarantees.md).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.model.delivery_profile import DeliveryProfile, ProfileDifference
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.sales import OPEN_STATES, Batch, OutboxError
from conexxus_sync.stores import LocationStore, State

from ._key_age import unknown_since


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
            return self._difference(state, kept.differences(self.given))
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
        Make it the profile of the location, unless it has one; an address to
        which nothing was delivered gives way.

        Before a batch is marked as being sent.
        """
        kept = state.sales_profiles.kept()

        if kept is None or (kept.differences(self.given) and self.problem(state) is None):
            state.sales_profiles.keep(self.given, now, replace=True)

    def _difference(self, state: State, found: Sequence[ProfileDifference]) -> str | None:
        profiles = state.sales_profiles

        if not found:
            return None
        if not all(one.is_address for one in found) or profiles.was_accepted():
            return _differs(self.store.location, found)

        return _unanswered(self.store.location, found) if profiles.may_have_arrived() else None


def _differs(location_id: str, found: Iterable[ProfileDifference]) -> str:
    return (
        f"sales of location {location_id} were pushed with another profile of the back office: "
        f"{'; '.join(map(str, found))}. With this one they could be doubled or replaced, so "
        "nothing is sent. Name the profile that is kept (CONEXXUS_PROFILE or --profile, "
        "its origin in CONEXXUS_API_URL); or, if the back office changed, name the new one and "
        "run `conexxus profile change`"
    )


def _unanswered(location_id: str, found: Iterable[ProfileDifference]) -> str:
    return (
        f"sales of location {location_id} were sent to another address, and it is unknown whether "
        f"they arrived: {'; '.join(map(str, found))}. At a second back office they could be "
        "doubled, so nothing is sent. If no back office is at the address that is kept: "
        "`conexxus outbox resolve --all --not-delivered`, and the next push goes to the other one"
    )


def _unnamed(location_id: str) -> str:
    return (
        f"sales of location {location_id} were pushed by a version that did not keep the profile "
        "of the back office, and none was named: with another than before they could be doubled "
        "or replaced, so nothing is sent. Say --profile module:object or CONEXXUS_PROFILE, as "
        "your service has it; `--profile default` if it has none of its own"
    )


def change_profile(state: State, given: DeliveryProfile, *, now: datetime) -> int:
    """
    Keep *given* instead of the profile of the pushes so far.

    Returns:
        How many batches are frozen anew, because their bytes are a whole day
        where a push no longer replaces its day, or the other way round; or
        because an id in them, which another register used as well, would be
        taken for a repetition.

    Raises:
        OutboxError: It is unknown whether a batch arrived.
    """
    waiting = _waiting(state)
    kept = state.sales_profiles.kept()
    state.sales_profiles.keep(given, now, replace=True)

    # Equal ids were no matter, and are from now on.
    are_recognised = given.recognises_ids and not (kept and kept.recognises_ids)
    if kept is not None and kept.replaces_day == given.replaces_day and not are_recognised:
        return 0

    for batch in waiting:
        answer = "the profile of the back office changed; frozen anew"
        state.outbox_maintenance.give_up(batch, answer=answer, now=now)
        state.sales_dates.clear_visit(batch.business_date)

    return len(waiting)


def _waiting(state: State) -> list[Batch]:
    """
    The open batches, of which none may have arrived.
    """
    found = state.outbox.batches(OPEN_STATES, limit=-1)
    unknown = [batch for batch in found if unknown_since(batch) is not None]

    if unknown:
        keys, first = ", ".join(b.short_key for b in unknown[:3]), unknown[0].short_key
        msg = (
            f"it is unknown whether {counted(len(unknown), 'batch', 'batches')} of sales "
            f"arrived ({keys}): ask the back office of before, and settle each before the "
            f"profile is changed: `conexxus outbox resolve {first} --delivered`, "
            "or --not-delivered"
        )
        raise OutboxError(msg)

    return found
