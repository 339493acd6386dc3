"""
Guards: the limits beyond which a complete catalogue is refused.
"""

import attrs

from .catalogue import CatalogueDiff


@attrs.frozen(kw_only=True)
class Guards:
    """
    Limits on what one complete read may change.

    Shares are fractions; what lies above one is refused.

    Attributes:
        max_gone: Of the known items.
        max_repriced: Of the known items that are still there.
        max_invalid: Of the elements received.
        from_known: Known items from which on the shares count: of ten
            items, three may well go.
    """

    max_gone: float = 0.20
    max_repriced: float = 0.50
    max_invalid: float = 0.50
    from_known: int = 20

    def refusal(self, diff: CatalogueDiff) -> str | None:
        """
        Why a read with these figures is refused; None if it is not.
        """
        if diff.known and diff.failed == diff.received:
            return f"no valid item among {diff.received} received, while {diff.known} were known"

        if diff.known < self.from_known:
            return None

        return next(
            (
                _sentence(what, part, whole, limit)
                for what, part, whole, limit in (
                    ("known items are gone", diff.gone, diff.known, self.max_gone),
                    (
                        "known items have another price",
                        diff.repriced,
                        diff.compared,
                        self.max_repriced,
                    ),
                    (
                        "received items are invalid",
                        diff.failed,
                        diff.received,
                        self.max_invalid,
                    ),
                )
                if part > whole * limit
            ),
            None,
        )


def _sentence(what: str, part: int, whole: int, limit: float) -> str:
    return f"{part} of {whole} {what} ({part / whole:.1%}); the limit is {limit:.0%}"
