"""
The guard of corrections: decides whether what changed or is gone is taken back.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy, SaleKey

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
        cls, context: PushContext, connection: Any, found: Iterable[FoundDiscrepancy]
    ) -> "ChangeDecision":
        """
        Decide about what was *found* of the date that is staged.
        """
        staging = context.outbox.staging
        changes = frozenset(
            one.key
            for one in found
            if one.kind is not DiscrepancyKind.ELSEWHERE and not one.is_told_too
        )
        # What is told so that it can't be sent is as good as gone.
        changed = len(changes & staging.corrected(connection))
        doubt = context.guards.refusal(
            known=staging.delivered_count(connection),
            gone=len(changes) - changed,
            changed=changed,
        )
        is_asked = context.accept_changes or context.on_changed == "resend"
        refused = None if context.accept_changes or not is_asked else doubt

        if is_asked and context.replaces_day and changes and not any(staging.whole(connection)):
            refused = f"{doubt or 'all sales are gone'}, and {_EMPTY}"

        return cls(
            changes=changes,
            corrects=is_asked and refused is None,
            refused=refused,
            doubt=doubt,
        )

    def record(self, context: PushContext, transaction: Any, day: Any, now: datetime) -> bool:
        """
        Remember the refusal of *day*, location and date, for the alert.

        Returns:
            Whether it is news.
        """
        dates = context.outbox.dates

        if self.refused is not None:
            return dates.refuse_changes(transaction, *day, why=self.refused, now=now)
        # Where nothing is corrected, what was refused before still is.
        if self.doubt is None or self.corrects:
            dates.clear_refusal(transaction, *day)

        return False
