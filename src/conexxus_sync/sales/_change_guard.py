"""
The guard of corrections: decides whether what changed or is gone is taken back.
"""

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy, SaleKey
from conexxus_sync.stores import State

from ._push_context import PushContext


# Nothing could be sent that does it.
_EMPTY = "an empty day can't replace another: the back office itself has to delete its sales"


@attrs.frozen(kw_only=True)
class ChangeDecision:
    """
    What becomes of the changes of one date.

    Attributes:
        changes: The delivered sales that changed or are gone.
        corrects: Whether they are taken back, and sent as they are now.
        refused: Why they are not, although changes are corrected.
        doubt: Why there are too many of them to be likely, whatever follows.
    """

    changes: frozenset[SaleKey] = frozenset()
    corrects: bool = False
    refused: str | None = None
    doubt: str | None = None

    @classmethod
    def of(
        cls, context: PushContext, state: State, found: Iterable[FoundDiscrepancy]
    ) -> "ChangeDecision":
        """
        Decide about what was *found* of the date that is staged.
        """
        changes = frozenset(
            one.key
            for one in found
            if one.kind is not DiscrepancyKind.ELSEWHERE and not one.is_told_too
        )
        doubt = None
        if changes:
            # What is returned so that it can't be sent is as good as gone.
            changed = len(changes & state.sales_staging.corrected())
            known, gone = state.sales_staging.delivered_count(), len(changes) - changed
            doubt = context.config.sales_guards.refusal(known=known, gone=gone, changed=changed)
        is_asked = context.accept_changes or context.config.on_changed == "resend"
        refused = None if context.accept_changes or not is_asked else doubt

        if is_asked and context.replaces_day and changes and not any(state.sales_staging.whole()):
            refused = f"{doubt or 'all sales are gone'}, and {_EMPTY}"

        return cls(
            changes=changes,
            corrects=is_asked and refused is None,
            refused=refused,
            doubt=doubt,
        )

    def record(self, state: State, business_date: date, now: datetime) -> bool:
        """
        Remember the refusal of *business_date*, for the alert.

        Returns:
            Whether it is news.
        """
        if self.refused is not None:
            return state.sales_dates.refuse_changes(business_date, why=self.refused, now=now)
        # Where nothing is corrected, what was refused before still is.
        if self.doubt is None or self.corrects:
            state.sales_dates.clear_refusal(business_date)

        return False
