"""
What a pull asks: its options, and what earlier reads left behind.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.catalogue import Checkpoint, Plan, UnnamedElements
from conexxus_sync.stores import State


# An ETag that never changes, or is that of one page, hides no change for longer.
TRUSTED_FOR = timedelta(hours=24)


@attrs.frozen(kw_only=True)
class PullOptions:
    """
    What is asked of one pull.

    Attributes:
        plan: Only say what would change.
        force: Pass all guards.
        reapply: Give the host the whole mirror.
        accept: Apply only if the catalogue is this one; then, pass all guards.

    """

    plan: bool = False
    force: bool = False
    reapply: bool = False
    accept: Plan | None = None

    @property
    def reads_anew(self) -> bool:
        """
        Is the catalogue read without a condition?
        """
        return self.force or self.reapply or (self.accept is not None and self.accept.anew)


@attrs.frozen(kw_only=True)
class LastRead:
    """
    What earlier reads left behind.

    Attributes:
        checkpoint: Of the last applied one, if it still says what the mirror
            holds.
        windows: Those of it that need not be read again.
        unnamed: The elements without a readable SKU, and what waits for them.
    """

    checkpoint: Checkpoint | None = None
    windows: Mapping[bytes, int] = attrs.field(factory=dict)
    unnamed: UnnamedElements | None = None

    @classmethod
    def of(cls, state: State, scope: str) -> "LastRead":
        """
        As the store has it; nothing that was asked elsewhere, or otherwise.
        """
        checkpoint = state.mirror.checkpoint()

        if checkpoint is None or checkpoint.scope != scope:
            return cls()
        if checkpoint.run.items_succeeded and state.mirror.is_empty():
            return cls()

        return cls(
            checkpoint=checkpoint,
            windows=state.staging.windows.known(),
            unnamed=state.mirror.unnamed(),
        )

    @property
    def waiting(self) -> UnnamedElements | None:
        """
        What removals wait for; None if there are none.
        """
        return self.unnamed if self.unnamed is not None and self.unnamed.waiting else None

    def etag(self, now: datetime) -> str | None:
        """
        Under which one to ask: none once it is too old to be trusted, or if
        what waits can be removed.
        """
        last = self.checkpoint

        if last is None or last.read_at is None:
            return None
        if not timedelta() <= now - last.read_at < TRUSTED_FOR:
            return None

        return None if self.waiting and self.waiting.are_settled(now) else last.etag

    def unnamed_in(self, state: State, now: datetime) -> UnnamedElements | None:
        """
        Those of the read that is staged, and for how long they are the same.
        """
        count, digest = state.staging.aside.unnamed()
        before = self.unnamed

        if not count:
            return None

        same = before is not None and before.digest == digest and before.since <= now

        return UnnamedElements(
            count=count, digest=digest, since=before.since if before and same else now
        )

    def unnamed_after_refusal(
        self, found: UnnamedElements | None, now: datetime
    ) -> UnnamedElements | None:
        """
        What is remembered of a read that was not applied: whether it had the
        same elements.
        """
        before = self.unnamed

        if before is None:
            return found
        if found is not None and found.since == before.since:
            return before

        return attrs.evolve(before, digest=b"" if found is None else found.digest, since=now)
