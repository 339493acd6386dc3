"""
Guards: the limits beyond which a catalogue, or the changes of a date's sales, are refused.
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
        if not diff.is_complete:
            # Of changes alone, any share may be invalid, or about prices.
            diff = attrs.evolve(diff, compared=diff.known, failed=0)
        elif diff.known and diff.failed == diff.received:
            return f"no valid item among {diff.received} received, while {diff.known} were known"

        if diff.known < self.from_known:
            return None

        return next(
            (
                _sentence(what, part, whole, limit)
                for what, part, whole, limit in (
                    ("known items are gone", diff.absent, diff.known, self.max_gone),
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


@attrs.frozen(kw_only=True)
class SalesGuards:
    """
    Limits on what one look at a business date may take back of its sales.

    Shares are fractions of the delivered sales; what lies above one is
    refused, and so is all of a date.

    Attributes:
        max_gone: Of those that the till no longer has.
        max_changed: Of those that it has otherwise.
        at_least: So few may well be gone, or changed, whatever their share.
    """

    max_gone: float = 0.20
    max_changed: float = 0.50
    at_least: int = 5

    def refusal(self, *, known: int, gone: int, changed: int) -> str | None:
        """
        Why nothing is taken back; None if everything is.

        Args:
            known: How many sales of the date were delivered.
        """
        if gone and gone == known:
            what = (
                "delivered sale of the date is" if known == 1 else "delivered sales of the date are"
            )
            return f"{known:,} of {known:,} {what} gone at the till"

        for what, part, limit in (
            ("delivered sales of the date are gone at the till", gone, self.max_gone),
            ("delivered sales of the date changed at the till", changed, self.max_changed),
        ):
            if part > self.at_least and part > known * limit:
                return _sentence(what, part, known, limit)

        return None


def _sentence(what: str, part: int, whole: int, limit: float) -> str:
    return f"{part} of {whole} {what} ({part / whole:.1%}); the limit is {limit:.0%}"
