"""
When a catalogue is too suspicious to be applied.
"""

import attrs

from .catalogue import Figures


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

    def refusal(self, figures: Figures) -> str | None:
        """
        Why a read with these figures is refused; None if it is not.
        """
        if figures.known and figures.failed == figures.received:
            return (
                f"no valid item among {figures.received} received, while {figures.known} were known"
            )

        if figures.known < self.from_known:
            return None

        return next(
            (
                _sentence(what, part, whole, limit)
                for what, part, whole, limit in (
                    ("known items are gone", figures.gone, figures.known, self.max_gone),
                    (
                        "known items have another price",
                        figures.repriced,
                        figures.compared,
                        self.max_repriced,
                    ),
                    (
                        "received items are invalid",
                        figures.failed,
                        figures.received,
                        self.max_invalid,
                    ),
                )
                if part > whole * limit
            ),
            None,
        )


def _sentence(what: str, part: int, whole: int, limit: float) -> str:
    return f"{part} of {whole} {what} ({part / whole:.1%}); the limit is {limit:.0%}"
