"""
What the answers of one push prove together: whether a refusal is about the content.
"""

from collections.abc import Collection

import attrs

from conexxus_sync.model.sales import Batch


# So many sales refused in a row, and none accepted: it is not the content.
HOPELESS = 10

# So many batches in a row that were forbidden: it is not a text in one of them.
FORBIDDEN = 6

# Without an accepted batch, nothing is divided beyond so many of one date.
FRAGMENTS = 16

# In so many pushes a batch may stay unknown before it is divided.
UNKNOWN_PUSHES = 3


@attrs.frozen(kw_only=True)
class Refusal:
    """
    Sales that were set aside while nothing was accepted.

    Attributes:
        ids: As the host calls them.
    """

    batch: Batch
    ids: frozenset[str]


@attrs.define
class PushEvidence:
    """
    Collects what a push learns, over all of its dates.

    Attributes:
        accepted: Whether a batch of sales was accepted.
        refusals: What was refused since.
        suspects: Batches, by key, whose answer may be about their content:
            that is proven once another batch is accepted.
        tried: Keys of the batches that were sent, and are still open.
        counted: Keys of those whose unknown fate was counted.
        forbidden: How many in a row were answered 403 or 404.
    """

    accepted: bool = False
    refusals: list[Refusal] = attrs.field(factory=list)
    suspects: dict[str, Batch] = attrs.field(factory=dict)
    tried: set[str] = attrs.field(factory=set)
    counted: set[str] = attrs.field(factory=set)
    forbidden: int = 0

    @property
    def refused(self) -> int:
        """
        How many sales were refused since the last batch that was accepted.
        """
        return sum(len(one.ids) for one in self.refusals)

    @property
    def is_hopeless(self) -> bool:
        """
        Were so many refused in a row that the content is not to blame?
        """
        return self.refused >= HOPELESS

    def note_accepted(self) -> None:
        """
        The back office took sales: what it refused before is to blame itself.
        """
        self.accepted = True
        self.forbidden = 0
        self.refusals.clear()

    def note_refused(self, batch: Batch, ids: Collection[str]) -> None:
        """
        Sales of *batch* were set aside.
        """
        if ids:
            self.refusals.append(Refusal(batch=batch, ids=frozenset(ids)))

    def suspect(self, batch: Batch, *, forbidden: bool) -> None:
        """
        The answer to *batch* may be about its content.
        """
        self.forbidden += forbidden
        self.suspects[batch.key] = batch

    def another_try(self) -> list[Batch]:
        """
        The suspects, to be sent once more in this push.
        """
        suspects = list(self.suspects.values())
        self.suspects.clear()
        self.tried.difference_update(batch.key for batch in suspects)

        return suspects
