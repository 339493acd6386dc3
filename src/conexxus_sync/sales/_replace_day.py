"""
The whole day that a push sends with `sales_mode="replace_day"`.
"""

from collections.abc import Sequence
from datetime import date

import attrs

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy, SaleKey
from conexxus_sync.stores import State

from ._batching import BatchLimits
from ._corrections import corrected
from ._push_context import PushContext


# A day that is divided would replace itself.
UNDIVIDED = BatchLimits(transactions=2**63, bytes=2**63, repeats_ids=True)

_HELD = (
    "The day can't be replaced: what was delivered before and changed since would be lost, "
    "because its bytes are gone"
)


@attrs.frozen(kw_only=True)
class DayReplacement:
    """
    What a day is replaced with.

    Attributes:
        members: All of it; empty if it stays as it is.
        found: What the host contradicts even then.
        held: New sales that can't be sent, each with its fault.
    """

    members: Sequence[FrozenTransaction] = ()
    found: Sequence[FoundDiscrepancy]
    held: Sequence[FrozenTransaction] = ()

    @classmethod
    def of(
        cls,
        context: PushContext,
        state: State,
        business_date: date,
        found: Sequence[FoundDiscrepancy],
        *,
        corrects: bool,
    ) -> "DayReplacement":
        """
        Put together what is staged, and what stays as it was delivered.

        Args:
            corrects: Whether what changed or is gone is given up.
        """
        staging = state.sales_staging
        told_anew = staging.corrected()
        given_up = told_anew | _missing(found) if corrects else set[SaleKey]()
        new = next(staging.fresh(), None)

        # Only a new sale makes the day worth replacing, or one to correct.
        if new is None and not given_up:
            return cls(found=found)

        # A replacement must not take back what it was not asked to.
        staying = {one.key for one in found if one.kind is not DiscrepancyKind.ELSEWHERE} - given_up
        kept = state.outbox.effective(business_date, staying)
        context.renew_lease()
        replaced = {one.delivered_as for one in kept} | (told_anew - given_up)
        current = [one for one in staging.whole() if one.delivered_as not in replaced]

        if not staying <= {one.delivered_as for one in (*current, *kept)}:
            fresh = staging.fresh()
            return cls(found=found, held=[attrs.evolve(one, fault=_HELD) for one in fresh])

        members = [*(corrected(one, business_date) for one in current), *kept]

        # What is given up leaves something to send: `ChangeDecision` refuses an empty day.
        return cls(
            members=[attrs.evolve(one, position=place) for place, one in enumerate(members)],
            found=[one for one in found if one.key not in given_up],
        )


def _missing(found: Sequence[FoundDiscrepancy]) -> set[SaleKey]:
    return {one.key for one in found if one.kind is DiscrepancyKind.MISSING}
